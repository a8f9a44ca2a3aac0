package dev.rollcall.bench;

import dev.rollcall.domain.Presence;
import dev.rollcall.domain.UserId;
import dev.rollcall.wire.Inbound;
import dev.rollcall.wire.Serialization;
import dev.rollcall.wire.Topics;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.NullUnmarked;
import org.jspecify.annotations.Nullable;

/** As {@link Textbook}, but with a second store, ordered by (deadline, user), whose entry each heartbeat moves. */
@NullUnmarked // set in init, which Streams calls first
final class Indexed implements Processor<UserId, Inbound, UserId, Presence> {
    private static final String STORE = "users";
    private static final String DEADLINES = "deadlines";
    private static final byte[] NO_VALUE = {};

    private final long leaseMs;
    private ProcessorContext<UserId, Presence> context;
    private KeyValueStore<UserId, Row> rows;
    private KeyValueStore<Bytes, byte[]> deadlines;

    private Indexed(long leaseMs) {
        this.leaseMs = leaseMs;
    }

    static Topology topology(Topics topics, long leaseMs) {
        return Topologies.ofRival(
                topics,
                () -> new Indexed(leaseMs),
                List.of(
                        Topologies.store(STORE, Serialization.userIds(), Row.serde()),
                        Topologies.store(DEADLINES, Serdes.Bytes(), Serdes.ByteArray())));
    }

    @Override
    public void init(ProcessorContext<UserId, Presence> context) {
        this.context = context;
        rows = context.getStateStore(STORE);
        deadlines = context.getStateStore(DEADLINES);
        context.schedule(Duration.ofSeconds(1), PunctuationType.WALL_CLOCK_TIME, this::expire);
    }

    @Override
    public void process(Record<UserId, Inbound> record) {
        if (record.value().content() instanceof Inbound.Beat beat) {
            UserId user = record.key();
            Row before = rows.get(user);
            Row after = Row.after(before, beat.heartbeat(), record.timestamp(), leaseMs);
            rows.put(user, after);
            if (before != null) {
                deadlines.delete(entry(before.deadline(), user));
            }
            deadlines.put(entry(after.deadline(), user), NO_VALUE);
            if (before == null || before.state() != after.state()) {
                context.forward(record.withValue(after.presence(before)));
            }
        }
    }

    private void expire(long now) {
        try (KeyValueIterator<Bytes, byte[]> due = deadlines.range(null, entry(now + 1, null))) {
            while (due.hasNext()) {
                Bytes entry = due.next().key;
                UserId user = user(entry);
                Row before = rows.get(user);
                Row after = before.expired();
                rows.put(user, after);
                deadlines.delete(entry);
                context.forward(new Record<>(user, after.presence(before), after.since()));
            }
        }
    }

    /** In the order of the deadlines; without a user, before all entries with that deadline. */
    private static Bytes entry(long deadline, @Nullable UserId user) {
        byte[] id = user == null ? NO_VALUE : user.bytes();
        return Bytes.wrap(ByteBuffer.allocate(Long.BYTES + id.length)
                .putLong(deadline)
                .put(id)
                .array());
    }

    private static UserId user(Bytes entry) {
        byte[] bytes = entry.get();
        byte[] id = new byte[bytes.length - Long.BYTES];
        System.arraycopy(bytes, Long.BYTES, id, 0, id.length);
        return UserId.ofBytes(id);
    }
}
