package dev.rollcall.client;

import dev.rollcall.client.reading.ReaderClients;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.UserId;
import dev.rollcall.wire.Topic;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Delivers each user's state to a listener, and from then on each change, in order per user, with the states before and
 * after it.
 *
 * <p><b>Snapshot.</b> For each partition that this process is assigned, the last record of each of its users, as {@link
 * PresenceChange.Kind#SNAPSHOT}; then the changes. If the group has committed an offset of the partition, the changes
 * start there, so that none is missed; otherwise they start at the end that the partition has when it is assigned.
 * {@link #progress} tells which snapshots are complete, and each partition's lag.
 *
 * <p><b>Exactly once or at least once.</b> A change is committed after the listener has returned. While processes leave
 * and join in good order, each change is delivered to one of them, once, and no process gets a change twice, however its
 * partitions are reassigned. When a process dies, or is fenced, whoever takes its partitions gets what was not committed
 * again, about the last second's changes, in the same order and with the same {@code sequence}: at least once. The
 * snapshot comes with each assigned partition, so it comes again after a rebalance or a restart. A full copy commits
 * nothing.
 *
 * <p><b>The topic.</b> Neither the brokers nor the topic need to be there at the start: {@link #run} waits for them, logs
 * that repeatedly, and {@link #waitsFor} tells. Partitions that are added are read from their beginning, within seconds
 * ({@code metadata.max.age.ms} in a group, 10 s unless set otherwise). A user may then be on another partition than
 * before: the later record holds, wherever it is, and the earlier one is not delivered. (Two processes of a group don't
 * know each other's records; there the {@code at} of two snapshots tells.) When the topic was deleted and created again,
 * or the next offset is not in the log any more, a warning is logged, and the log is read from its beginning, as a
 * snapshot; users who were known and are not in it are {@link PresenceChange.Kind#FORGOTTEN}. Without a snapshot its
 * records are delivered as changes.
 *
 * <p><b>A listener that throws</b> an exception gets the same change again after a back-off, and nothing else in between.
 * After {@link Options#attempts} attempts the change is parked: passed to {@link Options#parked}, counted, and not
 * delivered again. The user's later changes are still delivered, in order, and the first of them has a gap. Records that
 * cannot be decoded are parked at once. If the parking handler throws, {@link #run} throws that, and the next run gets
 * the change again. It also ends, with nothing skipped, if one of the two throws an {@link Error}. However it ends,
 * {@link #failure} and the log tell, and no snapshot is complete any more.
 *
 * <p><b>Threads.</b> The listener and the parking handler are called on the thread that calls {@link #run}, one at a
 * time. All other methods are thread-safe. One call of the listener must return within {@code max.poll.interval.ms}.
 */
public final class PresenceSubscriber implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PresenceSubscriber.class);

    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(15);

    /** Gets each change. After an exception it gets it again; an {@link InterruptedException} ends {@link #run}. */
    @FunctionalInterface
    public interface Listener {
        void on(PresenceChange change) throws Exception;
    }

    /**
     * How to read.
     *
     * @param group the consumer group that shares the partitions; null: a full copy, this process reads all partitions
     * @param snapshot false: no snapshot, and the topic is not read from its beginning. Earlier states are then unknown,
     *     so each user's first change has a gap
     * @param attempts how often a change is delivered to a listener that throws, at least 1
     * @param backOff the time before the second attempt; it doubles each time, up to 64 times this
     * @param parked gets what is not delivered
     */
    public record Options(
            @Nullable String group, boolean snapshot, int attempts, Duration backOff, Consumer<Parked> parked) {

        public Options {
            if (attempts < 1 || backOff.isNegative() || (group != null && group.isEmpty())) {
                throw new IllegalArgumentException("at least one attempt, no negative back-off, no empty group");
            }
        }

        /** All users, for this process alone; nothing is committed. */
        public static Options fullCopy() {
            return new Options(null, true, 5, Duration.ofMillis(100), parked -> {});
        }

        /** A share of the users, from the group's committed offsets. */
        public static Options inGroup(String group) {
            return new Options(group, true, 5, Duration.ofMillis(100), parked -> {});
        }

        public Options withoutSnapshot() {
            return new Options(group, false, attempts, backOff, parked);
        }

        public Options retrying(int attempts, Duration backOff) {
            return new Options(group, snapshot, attempts, backOff, parked);
        }

        public Options parkingTo(Consumer<Parked> parked) {
            return new Options(group, snapshot, attempts, backOff, parked);
        }
    }

    /**
     * A record that was not delivered.
     *
     * @param change null: the record could not be decoded
     * @param failure what the listener threw last, or why the record could not be decoded
     */
    public record Parked(
            String topic,
            int partition,
            long offset,
            @Nullable PresenceChange change,
            Exception failure) {}

    /**
     * How far one partition is processed.
     *
     * @param position all records before this offset are delivered; within the snapshot: read
     * @param end the end of the log, as last reported by the brokers
     */
    public record Progress(long position, long end, boolean snapshotComplete) {
        /** In offsets, not all of which are records. */
        public long lag() {
            return Math.max(0, end - position);
        }
    }

    /**
     * Counts since the start.
     *
     * @param delivered snapshots included
     * @param retries attempts after the first
     * @param duplicates records that repeat an earlier one, and are not delivered
     */
    public record Totals(long delivered, long retries, long parked, long duplicates) {
        static final Totals NONE = new Totals(0, 0, 0, 0);
    }

    private final String topicName;
    private final SubscriberLoop loop;
    private final AtomicReference<@Nullable Thread> runner = new AtomicReference<>();
    private final CountDownLatch closed = new CountDownLatch(1);
    private volatile @Nullable Throwable failure;

    /**
     * Starts nothing: {@link #run} does. {@code settings} are a Kafka consumer's; {@code bootstrap.servers} is
     * required.
     *
     * @throws org.apache.kafka.common.KafkaException for settings that Kafka's clients refuse
     */
    public PresenceSubscriber(
            Topic<UserId, Presence> topic, Map<String, ?> settings, Options options, Listener listener) {
        this(topic, options, listener, ReaderClients.connect(settings, options.group()), System::nanoTime);
    }

    PresenceSubscriber(
            Topic<UserId, Presence> topic,
            Options options,
            Listener listener,
            ReaderClients clients,
            LongSupplier nanoTime) {
        this.topicName = topic.name();
        this.loop = new SubscriberLoop(topic, options, listener, clients, nanoTime);
    }

    /**
     * Reads until {@link #close}, on this thread. Waits for the brokers and the topic while they are not there.
     *
     * @throws RuntimeException if the brokers refuse access, or the parking handler throws
     */
    public void run() {
        if (!runner.compareAndSet(null, Thread.currentThread())) {
            throw new IllegalStateException("a subscriber runs once");
        }
        try {
            loop.run();
        } catch (Throwable e) {
            failure = e;
            try {
                release();
            } catch (RuntimeException | Error again) {
                e.addSuppressed(again);
            }
            LOG.error("The subscriber of {} failed", topicName, e);
            throw e;
        }
        release();
    }

    /**
     * Ends {@link #run} after the change that the listener is processing, commits, and waits up to 15 seconds for both.
     */
    @Override
    public void close() {
        loop.stop();
        if (runner.compareAndSet(null, Thread.currentThread())) {
            release(); // it never ran
        } else if (runner.get() != Thread.currentThread()) {
            try {
                if (!closed.await(CLOSE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)) {
                    LOG.warn("The listener is still busy after {}, and is not waited for any longer.", CLOSE_TIMEOUT);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** The progress of each assigned partition; empty once {@link #run} has ended. */
    public Map<Integer, Progress> progress() {
        return loop.progress();
    }

    /** The sum of the lags of all assigned partitions, in offsets. */
    public long lag() {
        return progress().values().stream().mapToLong(Progress::lag).sum();
    }

    /**
     * Whether the snapshots of all assigned partitions are delivered, and what added partitions held at their start.
     * False while no partition is assigned, and while the topic does not exist.
     */
    public boolean snapshotComplete() {
        Map<Integer, Progress> now = progress();
        return !now.isEmpty() && !loop.isTopicMissing() && now.values().stream().allMatch(Progress::snapshotComplete);
    }

    /** What {@link #run} waits for, the brokers, the topic or a schema registry, as text; empty: nothing. */
    public Optional<String> waitsFor() {
        return Optional.ofNullable(loop.waitsFor());
    }

    /** What {@link #run} threw; empty: nothing. */
    public Optional<Throwable> failure() {
        return Optional.ofNullable(failure);
    }

    public Totals totals() {
        return loop.totals();
    }

    /** See {@link SubscriberLoop#step}. */
    void step() {
        loop.step();
    }

    private void release() {
        boolean interrupted = Thread.interrupted(); // an interrupted consumer does not commit
        try {
            loop.close();
        } finally {
            closed.countDown();
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
