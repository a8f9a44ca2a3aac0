package dev.rollcall.topology;

import dev.rollcall.consumer.HeartbeatBundles;
import dev.rollcall.consumer.HeartbeatBundles.Bundle;
import dev.rollcall.domain.UserId;
import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.domain.UserSnapshot.TakenEarly;
import dev.rollcall.wire.Inbound;
import dev.rollcall.wire.Topic;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.Predicate;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.Deserializer;
import org.jspecify.annotations.Nullable;

/**
 * Reads heartbeats: a {@link Bundle} is itself, to be opened when it is its turn. A heartbeat that is in no bundle, as in a
 * test driver without interceptors, is its value. Thread-safe as long as a partition is one thread's at a time.
 */
final class HeartbeatSource implements Deserializer<Object> {
    private final Topic<UserId, Inbound> topic;

    /** The bundle that is next, by partition: Streams reads the first record of a queue to choose between the queues. */
    private final Map<Integer, Bundle> next = new ConcurrentHashMap<>();

    /** Users whose heartbeats were taken early by whoever had the partition before, until those have been read again. */
    private final Map<Integer, Map<UserId, Taken>> takenBefore = new ConcurrentHashMap<>();

    /** @param isVisible whether others may notice that these are there */
    private record Taken(TakenEarly heartbeats, boolean isVisible) {}

    HeartbeatSource(Topic<UserId, Inbound> topic) {
        this.topic = topic;
    }

    @Override
    public Object deserialize(String name, byte @Nullable [] value) {
        return topic.values().deserializer().deserialize(name, value);
    }

    @Override
    @SuppressWarnings("ReferenceEquality") // it is this very array or none
    public Object deserialize(String name, Headers headers, byte @Nullable [] value) {
        if (headers instanceof Bundle bundle) {
            leaveOutWhatWasTaken(bundle);
            next.put(bundle.partition(), bundle);
            return bundle;
        }
        if (value == HeartbeatBundles.VALUE) {
            throw new SerializationException(
                    "heartbeats of " + name
                            + " have lost their bundle: a consumer interceptor behind Rollcall's copies the headers of records");
        }
        return deserialize(name, value);
    }

    /** Reads what is in the bundle, one after the other; of what was taken and is visible, the stamp is left. */
    void open(Bundle bundle, Consumer<InputRecord> inputs, LongConsumer taken) {
        next.remove(bundle.partition(), bundle);
        for (int i = 0, size = bundle.records().size(); i < size; i++) {
            if (!bundle.isTaken(i)) {
                inputs.accept(read(bundle, i));
            } else if (bundle.isVisible(i)) {
                taken.accept(bundle.records().get(i).timestamp());
            }
        }
    }

    /**
     * Reads what this user's devices wrote before then and waits in the bundle that is next: a record of the user with that
     * stamp comes from another topic, and the records of one user take effect in the order of their stamps (rule 7). Not
     * behind a clock tick: what had ended by then has to end first.
     *
     * @param inputs handles one, and says whether others may notice that it is there
     */
    void takeUntil(int partition, UserId user, long stamp, Predicate<InputRecord> inputs) {
        Bundle bundle = next.get(partition);
        for (int i = 0; bundle != null && i < bundle.records().size(); i++) {
            ConsumerRecord<byte[], byte[]> record = bundle.records().get(i);
            if (record.key() == null && read(bundle, i).value().content() instanceof Inbound.ClockTick) {
                return;
            }
            if (!bundle.isTaken(i)
                    && record.timestamp() < stamp
                    && user.equals(bundle.users().get(i))) {
                bundle.take(i, inputs.test(read(bundle, i)));
            }
        }
    }

    /** Forgets what waited there: another thread had the partition, or this one has it anew. */
    void forget(int partition) {
        next.remove(partition);
        takenBefore.remove(partition);
    }

    /** A user of that partition, as stored by whoever had it before. */
    void readsAgain(int partition, UserId id, UserSnapshot user) {
        TakenEarly early = user.takenEarly();
        if (early != null) {
            takenBefore
                    .computeIfAbsent(partition, unused -> new ConcurrentHashMap<>())
                    .put(id, new Taken(early, !user.appearOffline()));
        }
    }

    private void leaveOutWhatWasTaken(Bundle bundle) {
        Map<UserId, Taken> before = takenBefore.get(bundle.partition());
        if (before == null) {
            return;
        }
        for (int i = 0; i < bundle.records().size(); i++) {
            ConsumerRecord<byte[], byte[]> record = bundle.records().get(i);
            UserId id = bundle.users().get(i);
            Taken taken = id == null ? null : before.get(id);
            if (taken != null && taken.heartbeats().covers(record.offset(), record.timestamp())) {
                bundle.take(i, taken.isVisible());
            }
        }
        long readTo = bundle.records().get(0).offset();
        before.values().removeIf(taken -> taken.heartbeats().offset() < readTo);
        if (before.isEmpty()) {
            takenBefore.remove(bundle.partition());
        }
    }

    private InputRecord read(Bundle bundle, int index) {
        ConsumerRecord<byte[], byte[]> record = bundle.records().get(index);
        return new InputRecord(
                bundle.users().get(index),
                topic.values().deserializer().deserialize(record.topic(), record.value()),
                record.timestamp(),
                record.headers(),
                record.topic(),
                record.partition(),
                record.offset());
    }
}
