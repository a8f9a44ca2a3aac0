package dev.rollcall.bench;

import dev.rollcall.domain.Presence;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.UserId;
import dev.rollcall.wire.Inbound;
import dev.rollcall.wire.Serialization;
import dev.rollcall.wire.Topics;
import java.time.Duration;
import java.util.List;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.NullUnmarked;

/** What the tutorials show: a row in RocksDB per user, read and written with each heartbeat, and all of them
 * scanned every second. */
@NullUnmarked // set in init, which Streams calls first
final class Textbook implements Processor<UserId, Inbound, UserId, Presence> {
    private static final String STORE = "users";

    private final long leaseMs;
    private ProcessorContext<UserId, Presence> context;
    private KeyValueStore<UserId, Row> rows;

    private Textbook(long leaseMs) {
        this.leaseMs = leaseMs;
    }

    static Topology topology(Topics topics, long leaseMs) {
        return Topologies.ofRival(
                topics,
                () -> new Textbook(leaseMs),
                List.of(Topologies.store(STORE, Serialization.userIds(), Row.serde())));
    }

    @Override
    public void init(ProcessorContext<UserId, Presence> context) {
        this.context = context;
        rows = context.getStateStore(STORE);
        context.schedule(Duration.ofSeconds(1), PunctuationType.WALL_CLOCK_TIME, this::expire);
    }

    @Override
    public void process(Record<UserId, Inbound> record) {
        if (record.value().content() instanceof Inbound.Beat beat) {
            Row before = rows.get(record.key());
            Row after = Row.after(before, beat.heartbeat(), record.timestamp(), leaseMs);
            rows.put(record.key(), after);
            if (before == null || before.state() != after.state()) {
                context.forward(record.withValue(after.presence(before)));
            }
        }
    }

    private void expire(long now) {
        try (KeyValueIterator<UserId, Row> all = rows.all()) {
            while (all.hasNext()) {
                KeyValue<UserId, Row> entry = all.next();
                Row before = entry.value;
                if (before.state() != PresenceState.OFFLINE && before.deadline() <= now) {
                    Row after = before.expired();
                    rows.put(entry.key, after);
                    context.forward(new Record<>(entry.key, after.presence(before), after.since()));
                }
            }
        }
    }
}
