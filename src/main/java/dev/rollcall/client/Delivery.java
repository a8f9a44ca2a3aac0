package dev.rollcall.client;

import dev.rollcall.client.PresenceSubscriber.Listener;
import dev.rollcall.client.PresenceSubscriber.Options;
import dev.rollcall.client.PresenceSubscriber.Parked;
import dev.rollcall.client.PresenceSubscriber.Totals;
import dev.rollcall.client.reading.SchemaWait;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.UserId;
import dev.rollcall.wire.Topic;
import dev.rollcall.wire.registry.RegistryUnavailableException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.SerializationException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Delivers the records that were read to the listener, one change at a time, with retries. For one thread, except for
 * {@link #totals}.
 */
final class Delivery {
    private static final Logger LOG = LoggerFactory.getLogger(Delivery.class);
    private static final long MAX_BACK_OFF_FACTOR = 64;

    /**
     * A delivery to try.
     *
     * @param count this one included
     * @param notBefore in ns
     */
    private record Attempt(TopicPartition from, PresenceChange change, int count, long notBefore) {}

    private final Topic<UserId, Presence> topic;
    private final Options options;
    private final Listener listener;
    private final LongSupplier nanoTime;
    private final PartitionStates partitions;
    private final Consumer<TopicPartition> onSnapshotDelivered;

    private final Deque<ConsumerRecord<byte[], byte[]>> backlog = new ArrayDeque<>();
    private @Nullable Attempt retry;
    private final SchemaWait schema;
    private volatile Totals totals = Totals.NONE;

    Delivery(
            Topic<UserId, Presence> topic,
            Options options,
            Listener listener,
            LongSupplier nanoTime,
            PartitionStates partitions,
            Consumer<TopicPartition> onSnapshotDelivered) {
        this.topic = topic;
        this.schema = new SchemaWait(topic.name());
        this.options = options;
        this.listener = listener;
        this.nanoTime = nanoTime;
        this.partitions = partitions;
        this.onSnapshotDelivered = onSnapshotDelivered;
    }

    void add(ConsumerRecord<byte[], byte[]> record) {
        if (partitions.isStarted(partitionOf(record))) { // otherwise it is read again once the partition is started
            backlog.add(record);
        }
    }

    /** Discards what was read of these partitions and not delivered. */
    void discard(Collection<TopicPartition> gone) {
        backlog.removeIf(record -> gone.contains(partitionOf(record)));
        if (retry != null && gone.contains(retry.from)) {
            retry = null;
        }
        if (backlog.isEmpty()) {
            schema.succeeded();
        }
    }

    /** Whether all records that were read are processed; snapshots may be left to deliver. */
    boolean isIdle() {
        return backlog.isEmpty() && retry == null;
    }

    boolean isBusy() {
        return !isIdle() || partitions.loadedSnapshot() != null;
    }

    /** The time until the next retry, {@code atMost} at most; zero without one. */
    Duration untilRetry(Duration atMost) {
        long now = nanoTime.getAsLong();
        long nanos = retry == null ? schema.left(now).toNanos() : retry.notBefore - now;
        return Duration.ofNanos(Math.max(0, Math.min(nanos, atMost.toNanos())));
    }

    /** Thread-safe. */
    @Nullable
    String waitsFor() {
        return schema.waitsFor();
    }

    /** Thread-safe. */
    Totals totals() {
        return totals;
    }

    /** Processes one record, one user of a snapshot, or a retry. Returns false if there is nothing to do now. */
    boolean work() {
        Attempt due = retry;
        if (due != null) {
            if (due.notBefore - nanoTime.getAsLong() > 0) {
                return false;
            }
            retry = null;
            totals = new Totals(totals.delivered(), totals.retries() + 1, totals.parked(), totals.duplicates());
            attempt(due);
            return true;
        }
        TopicPartition loaded = partitions.loadedSnapshot();
        if (loaded != null) {
            PresenceChange next = partitions.get(loaded).nextOfSnapshot();
            if (next == null) {
                partitions.snapshotDelivered(loaded);
                onSnapshotDelivered.accept(loaded);
            } else {
                attempt(new Attempt(loaded, next, 1, 0));
            }
            return true;
        }
        ConsumerRecord<byte[], byte[]> record = backlog.peek();
        if (record == null || !schema.left(nanoTime.getAsLong()).isZero()) {
            return false;
        }
        PartitionState state = partitions.get(partitionOf(record));
        if (state.isLoading() && state.reachesSnapshotEnd(record.offset())) {
            partitions.snapshotLoaded(partitionOf(record)); // the record is a change, and comes after the snapshot
        } else {
            backlog.remove();
            process(record, state);
        }
        return true;
    }

    private void process(ConsumerRecord<byte[], byte[]> record, PartitionState state) {
        UserId user;
        Presence value;
        try {
            user = topic.keys().deserializer().deserialize(record.topic(), record.key());
            value = topic.values().deserializer().deserialize(record.topic(), record.value());
            schema.succeeded();
            if (user == null) {
                throw new SerializationException("a record of " + record.topic() + " has no key");
            }
        } catch (RegistryUnavailableException e) {
            schema.failed(e.getMessage(), nanoTime.getAsLong());
            backlog.addFirst(record); // those behind it wait too, in their order
            return;
        } catch (SerializationException e) {
            park(new Parked(record.topic(), record.partition(), record.offset(), null, e));
            state.advanceTo(record.offset() + 1);
            return;
        }
        if (state.isLoading()) {
            if (!state.load(user, value, record.timestamp(), record.offset())) {
                countDuplicate();
            }
            return;
        }
        PresenceChange change = state.changeOf(user, value, record.timestamp(), record.offset());
        if (change == null) {
            countDuplicate();
            state.advanceTo(record.offset() + 1);
        } else {
            attempt(new Attempt(partitionOf(record), change, 1, 0));
        }
    }

    private void attempt(Attempt attempt) {
        PresenceChange change = attempt.change;
        PartitionState state = partitions.get(attempt.from);
        try {
            listener.on(change);
        } catch (InterruptedException e) {
            throw new InterruptException(e); // sets the thread's interrupt again
        } catch (Exception e) { // an Error ends the subscriber
            if (attempt.count < options.attempts()) {
                long factor = Math.min(1L << Math.min(attempt.count - 1, 32), MAX_BACK_OFF_FACTOR);
                long notBefore = nanoTime.getAsLong() + options.backOff().toNanos() * factor;
                retry = new Attempt(attempt.from, change, attempt.count + 1, notBefore);
                return;
            }
            park(new Parked(topic.name(), change.partition(), change.offset(), change, e));
            state.parked(change);
            return;
        }
        state.delivered(change);
        totals = new Totals(totals.delivered() + 1, totals.retries(), totals.parked(), totals.duplicates());
    }

    private void park(Parked parked) {
        LOG.error(
                "Parked {}-{} at offset {}{}",
                parked.topic(),
                parked.partition(),
                parked.offset(),
                parked.change() == null ? ", which is not presence" : " after " + options.attempts() + " attempts",
                parked.failure());
        options.parked().accept(parked);
        totals = new Totals(totals.delivered(), totals.retries(), totals.parked() + 1, totals.duplicates());
    }

    private void countDuplicate() {
        totals = new Totals(totals.delivered(), totals.retries(), totals.parked(), totals.duplicates() + 1);
    }

    private static TopicPartition partitionOf(ConsumerRecord<?, ?> record) {
        return new TopicPartition(record.topic(), record.partition());
    }
}
