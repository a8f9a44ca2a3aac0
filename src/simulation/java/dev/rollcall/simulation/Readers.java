package dev.rollcall.simulation;

import dev.rollcall.client.SimulatedReader;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.UserId;
import dev.rollcall.simulation.processor.PresenceTopic;
import dev.rollcall.simulation.time.Chance;
import dev.rollcall.wire.Topics;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.serialization.Deserializer;
import org.jspecify.annotations.Nullable;

/**
 * The topic {@code presence}, compacted, and subscribers that come in the course of the run, load what is there, and read on; some
 * records they read twice. In the end each must have what the topic has (promises 5 and 11).
 */
final class Readers implements PresenceTopic {
    private static final int MOST = 3;
    private static final Deserializer<Presence> VALUES =
            Topics.ofContract().presence().values().deserializer();

    private record Message(
            int partition,
            long offset,
            UserId user,
            @Nullable Presence value,
            long at) {}

    private final Chance chance;
    private final int partitions;
    private final long[] ends;

    /** The last record of each user, in the order of the log. */
    private final Map<UserId, Message> log = new LinkedHashMap<>();

    private final List<SimulatedReader> readers = new ArrayList<>();
    private @Nullable Message before;

    Readers(Chance chance, int partitions) {
        this.chance = chance;
        this.partitions = partitions;
        ends = new long[partitions];
    }

    @Override
    public void published(int partition, byte[] key, byte @Nullable [] value, long timestamp) {
        Message message = new Message(
                partition,
                ends[partition]++,
                UserId.ofBytes(key),
                value == null ? null : VALUES.deserialize("presence", value),
                timestamp);
        log.remove(message.user);
        log.put(message.user, message);
        for (SimulatedReader reader : readers) {
            read(reader, message);
            if (before != null && before.partition == partition && chance.oneIn(50)) {
                read(reader, before); // again, from there on
                read(reader, message);
            }
        }
        before = message;
        if (readers.size() < MOST && chance.oneIn(1_000)) {
            readers.add(newReader());
        }
    }

    private static void read(SimulatedReader reader, Message message) {
        reader.read(message.partition, message.user, message.value, message.at, message.offset);
    }

    private SimulatedReader newReader() {
        SimulatedReader reader = new SimulatedReader();
        for (int partition = 0; partition < partitions; partition++) {
            reader.start(partition, 0, ends[partition]);
        }
        log.values()
                .forEach(message ->
                        reader.load(message.partition, message.user, message.value, message.at, message.offset));
        for (int partition = 0; partition < partitions; partition++) {
            reader.loaded(partition);
        }
        return reader;
    }

    /** Whether the topic has the user as ONLINE or IDLE. */
    boolean shows(byte[] user) {
        Message last = log.get(UserId.ofBytes(user));
        return last != null && last.value != null && last.value.state() != PresenceState.OFFLINE;
    }

    /**
     * What a reader has that the topic has not, or the other way round; and where the topic has more or fewer records than the
     * processors have committed.
     *
     * @param committed how many those are, by the number of the partition
     */
    List<String> differences(Map<Integer, Long> committed) {
        List<String> all = new ArrayList<>();
        for (int partition = 0; partition < partitions; partition++) {
            long records = committed.getOrDefault(partition, 0L);
            if (ends[partition] != records) {
                all.add("partition %d of the topic has %d records, and %d were committed"
                        .formatted(partition, ends[partition], records));
            }
        }
        readers.add(newReader());
        for (SimulatedReader reader : readers) {
            for (Message message : log.values()) {
                Presence has = reader.copy().get(message.user);
                if (message.value == null ? has != null : !message.value.equals(has)) {
                    all.add("a reader has %s of %s, and the topic has %s".formatted(has, message.user, message.value));
                }
            }
        }
        return all;
    }
}
