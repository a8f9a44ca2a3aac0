package dev.rollcall.client;

import dev.rollcall.client.PresenceSubscriber.Listener;
import dev.rollcall.client.PresenceSubscriber.Options;
import dev.rollcall.client.PresenceSubscriber.Parked;
import dev.rollcall.client.PresenceSubscriber.Totals;
import dev.rollcall.domain.PresenceUpdate.Presence;
import dev.rollcall.domain.UserId;
import dev.rollcall.wire.Topic;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.SerializationException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives the listener what was read, one change at a time: again after a back-off if it throws, and not for ever. For the
 * thread of {@code run} alone, but for {@link #totals}.
 */
final class Delivery {
    private static final Logger LOG = LoggerFactory.getLogger(Delivery.class);
    private static final long MAX_BACK_OFF_FACTOR = 64;

    private record Attempt(TopicPartition from, PresenceChange change, int count, long notBefore) {}

    private final Topic<UserId, Presence> topic;
    private final Options options;
    private final Listener listener;
    private final LongSupplier nanoTime;
    private final ReadPartitions partitions;

    private final Deque<ConsumerRecord<byte[], byte[]>> backlog = new ArrayDeque<>();
    private @Nullable Attempt retry;
    private volatile Totals totals = Totals.NONE;

    Delivery(
            Topic<UserId, Presence> topic,
            Options options,
            Listener listener,
            LongSupplier nanoTime,
            ReadPartitions partitions) {
        this.topic = topic;
        this.options = options;
        this.listener = listener;
        this.nanoTime = nanoTime;
        this.partitions = partitions;
    }

    void add(ConsumerRecord<byte[], byte[]> record) {
        if (partitions.isRead(partitionOf(record))) { // otherwise it comes again when the partition has begun
            backlog.add(record);
        }
    }

    /** What was read of these partitions is void, or somebody else's. */
    void drop(Collection<TopicPartition> gone) {
        backlog.removeIf(record -> gone.contains(partitionOf(record)));
        if (retry != null && gone.contains(retry.from)) {
            retry = null; // whoever has the partition now gets it
        }
    }

    /** Whether all that was read is dealt with, but for snapshots. */
    boolean isIdle() {
        return backlog.isEmpty() && retry == null;
    }

    boolean isBusy() {
        return !isIdle() || partitions.readySnapshot() != null;
    }

    /** How long there is nothing to do, {@code atMost} at most. */
    Duration untilMore(Duration atMost) {
        long nanos = retry == null ? 0 : retry.notBefore - nanoTime.getAsLong();
        return Duration.ofNanos(Math.max(0, Math.min(nanos, atMost.toNanos())));
    }

    /** From any thread. */
    Totals totals() {
        return totals;
    }

    /** One thing at a time. Returns whether there may be more to do at once. */
    boolean work() {
        Attempt again = retry;
        if (again != null) {
            if (again.notBefore - nanoTime.getAsLong() > 0) {
                return false;
            }
            retry = null;
            totals = new Totals(totals.delivered(), totals.retries() + 1, totals.parked(), totals.duplicates());
            attempt(again);
            return true;
        }
        TopicPartition ready = partitions.readySnapshot();
        if (ready != null) {
            PresenceChange next = partitions.view(ready).nextOfSnapshot();
            if (next == null) {
                partitions.snapshotIsOut(ready);
            } else {
                attempt(new Attempt(ready, next, 1, 0));
            }
            return true;
        }
        ConsumerRecord<byte[], byte[]> record = backlog.peek();
        if (record == null) {
            return false;
        }
        PartitionView view = partitions.view(partitionOf(record));
        if (view.isFolding() && view.reachesSnapshotEnd(record.offset())) {
            partitions.endFolding(partitionOf(record)); // before the record, which is a change
        } else {
            backlog.remove();
            handle(record, view);
        }
        return true;
    }

    private void handle(ConsumerRecord<byte[], byte[]> record, PartitionView view) {
        UserId user;
        Presence value;
        try {
            user = topic.keys().deserializer().deserialize(record.topic(), record.key());
            value = topic.values().deserializer().deserialize(record.topic(), record.value());
            if (user == null) {
                throw new SerializationException("a record of " + record.topic() + " has no key");
            }
        } catch (SerializationException e) {
            park(new Parked(record.topic(), record.partition(), record.offset(), null, e));
            view.skipTo(record.offset() + 1);
            return;
        }
        if (view.isFolding()) {
            if (!view.fold(user, value, record.timestamp(), record.offset())) {
                countDuplicate();
            }
            return;
        }
        PresenceChange change = view.changeOf(user, value, record.timestamp(), record.offset());
        if (change == null) {
            countDuplicate();
            view.skipTo(record.offset() + 1);
        } else {
            attempt(new Attempt(partitionOf(record), change, 1, 0));
        }
    }

    private void attempt(Attempt attempt) {
        PresenceChange change = attempt.change;
        PartitionView view = partitions.view(attempt.from);
        try {
            listener.on(change);
        } catch (InterruptedException e) {
            throw new InterruptException(e); // sets the thread's interrupt again
        } catch (Exception e) { // an Error ends the run
            if (attempt.count < options.attempts()) {
                long factor = Math.min(1L << Math.min(attempt.count - 1, 32), MAX_BACK_OFF_FACTOR);
                long notBefore = nanoTime.getAsLong() + options.backOff().toNanos() * factor;
                retry = new Attempt(attempt.from, change, attempt.count + 1, notBefore);
                return;
            }
            park(new Parked(topic.name(), change.partition(), change.offset(), change, e));
            view.parked(change);
            return;
        }
        view.took(change);
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
