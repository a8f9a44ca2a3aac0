package dev.rollcall.client;

import dev.rollcall.client.TopicLookup.TopicInfo;
import dev.rollcall.domain.PresenceUpdate.Presence;
import dev.rollcall.domain.UserId;
import dev.rollcall.wire.Topic;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.InvalidOffsetException;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells a listener where everybody stands, and from then on each change, in order per user, with the state before and
 * after it.
 *
 * <p><b>Snapshot.</b> For each partition that this process takes, the last word on each of its users, as {@link
 * PresenceChange.Kind#SNAPSHOT}; then the changes. In a group that has been here before, the snapshot ends and the
 * changes begin where the group had come to, so that nothing which happened meanwhile is missed; otherwise at the end
 * that the partition has when it is taken. {@link #progress} says which snapshots are complete, and how far behind the
 * rest is.
 *
 * <p><b>Once.</b> A change is committed after the listener has returned. While processes leave and join in good order,
 * each change goes to one of them, once, and no process gets a change twice, whatever happens to its partitions. When a
 * process dies, or is taken for dead, whoever takes its partitions gets what it had not yet committed again, about the
 * last second's worth, in the same order and with the same {@code sequence}: at least once, then. The snapshot comes
 * with each partition that is taken, so after a rebalance or a restart it comes again. A full copy commits nothing.
 *
 * <p><b>The topic.</b> Neither the brokers nor the topic need to be there when this begins: {@link #run} waits for them,
 * says so in the log again and again, and {@link #waitsFor} tells. Partitions that are added are read from their
 * beginning, within some seconds ({@code metadata.max.age.ms} in a group, 10 s unless set otherwise). A user's records
 * may then be on another partition than before: the later one holds, wherever it is, and the old one is not delivered.
 * (Two processes of a group cannot know that of each other; there the {@code at} of two snapshots tells.) When the topic
 * was deleted and created again, or what was to be read next is not in the log any more, that is warned of, and what is
 * in the log is read from its beginning, as a snapshot; users whom this process knew and who are not in it are {@link
 * PresenceChange.Kind#FORGOTTEN}. Without a snapshot it comes as changes.
 *
 * <p><b>A listener that throws</b> an exception is given the same change again after a back-off, and nothing else meanwhile. When it
 * has thrown {@link Options#attempts} times the change is parked: handed to {@link Options#parked}, counted, and not
 * given to the listener again. That user's later changes are delivered all the same, in order, and the first of them
 * says that there is a gap. Records that are not presence at all are parked at once. If the handler of what is parked
 * throws, {@link #run} ends with that, and what was to be parked comes again in the next run. It ends as well, with
 * nothing skipped, if one of the two throws an {@link Error}. However it ends, {@link #failure} and the log tell, and
 * no snapshot is complete any more.
 *
 * <p><b>Threads.</b> The listener and the handler are called on the thread that calls {@link #run}, one at a time. All
 * other methods can be called from any thread. One call of the listener must be done within {@code
 * max.poll.interval.ms}.
 */
public final class PresenceSubscriber implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(PresenceSubscriber.class);

    private static final Duration POLL = Duration.ofMillis(200);
    /** How long to work on what was read before the group hears from this member again. */
    private static final Duration WORK_SLICE = Duration.ofMillis(200);

    private static final Duration COMMIT_EVERY = Duration.ofSeconds(1);
    private static final Duration CLOSED_WITHIN = Duration.ofSeconds(15);

    /** Gets each change. What it throws is tried again; an {@link InterruptedException} ends {@link #run}. */
    @FunctionalInterface
    public interface Listener {
        void on(PresenceChange change) throws Exception;
    }

    /**
     * How to read.
     *
     * @param group the group to share the partitions with; null: a full copy, all partitions for this process alone
     * @param snapshot false: no snapshot, and the topic is not read from its beginning. What was said before is then
     *     unknown here, so each user's first change comes with a gap
     * @param attempts how often a change is given to a listener that throws, at least 1
     * @param backOff how long to wait before the second attempt; each time twice as long, up to 64 times this
     * @param parked gets what the listener would not have
     */
    public record Options(
            @Nullable String group, boolean snapshot, int attempts, Duration backOff, Consumer<Parked> parked) {

        public Options {
            if (attempts < 1 || backOff.isNegative() || (group != null && group.isEmpty())) {
                throw new IllegalArgumentException("at least one attempt, no negative back-off, no empty group");
            }
        }

        /** Everybody, for this process alone; nothing is committed. */
        public static Options fullCopy() {
            return new Options(null, true, 5, Duration.ofMillis(100), parked -> {});
        }

        /** A share of the users, resumed where the group had come to. */
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
     * A record that was not delivered, and where to find it.
     *
     * @param change null: the record is not presence
     * @param failure what the listener threw last, or what is wrong with the record
     */
    public record Parked(
            String topic,
            int partition,
            long offset,
            @Nullable PresenceChange change,
            Exception failure) {}

    /**
     * How far one partition is.
     *
     * @param position all before this offset is dealt with; within the snapshot: read
     * @param end as last heard from the brokers
     */
    public record Progress(long position, long end, boolean snapshotComplete) {
        /** In offsets, some of which are not records. */
        public long lag() {
            return Math.max(0, end - position);
        }
    }

    /**
     * Counts since the start.
     *
     * @param delivered the snapshot included
     * @param retries attempts after the first
     * @param duplicates records that say what an earlier one said, which are not delivered
     */
    public record Totals(long delivered, long retries, long parked, long duplicates) {
        static final Totals NONE = new Totals(0, 0, 0, 0);
    }

    private final Topic<UserId, Presence> topic;
    private final ReaderClients clients;
    private final TopicWatch watch;
    private final LongSupplier nanoTime;

    // What follows is for the thread of run() alone.
    private final ReadPartitions partitions;
    private final Delivery delivery;
    private long committedAt;

    // What follows is for all threads.
    private final AtomicReference<@Nullable Thread> runner = new AtomicReference<>();
    private final CountDownLatch closed = new CountDownLatch(1);
    private volatile boolean stopped;
    private volatile @Nullable Throwable failure;
    private volatile @Nullable String topicId;
    private volatile Map<Integer, Progress> progress = Map.of();

    /**
     * Begins nothing yet: {@link #run} does. {@code settings} are a Kafka consumer's; {@code bootstrap.servers} is
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
        this.topic = topic;
        this.clients = clients;
        this.nanoTime = nanoTime;
        this.committedAt = nanoTime.getAsLong();
        this.watch = new TopicWatch(topic.name(), clients.lookup(), nanoTime);
        this.partitions = new ReadPartitions(topic.name(), options, clients.consumer(), watch, this::dropped);
        this.delivery = new Delivery(topic, options, listener, nanoTime, partitions);
        if (options.group() != null) {
            clients.consumer().subscribe(List.of(topic.name()), partitions);
        }
    }

    /**
     * Reads until {@link #close}, on this thread; waits for the brokers and the topic as long as they are not there.
     *
     * @throws RuntimeException if Kafka refuses this reader, or the handler of what is parked throws
     */
    public void run() {
        if (!runner.compareAndSet(null, Thread.currentThread())) {
            throw new IllegalStateException("a subscriber runs once");
        }
        try {
            while (!stopped) {
                step();
            }
        } catch (Throwable e) {
            failure = e;
            try {
                release();
            } catch (RuntimeException | Error again) {
                e.addSuppressed(again);
            }
            log.error("The reader of {} cannot go on", topic.name(), e);
            throw e;
        }
        release();
    }

    /**
     * Ends {@link #run} after the change that the listener has at the moment, commits, and waits for that; no longer
     * than 15 seconds, if the listener or the brokers take longer.
     */
    @Override
    public void close() {
        stopped = true;
        if (runner.compareAndSet(null, Thread.currentThread())) {
            release(); // it never ran
        } else if (runner.get() != Thread.currentThread()) {
            try {
                if (!closed.await(CLOSED_WITHIN.toMillis(), TimeUnit.MILLISECONDS)) {
                    log.warn("The listener is still busy after {}; it is left to itself.", CLOSED_WITHIN);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** How far each partition is that this process has at the moment; empty once {@link #run} has ended. */
    public Map<Integer, Progress> progress() {
        return progress;
    }

    /** How many offsets are still to be dealt with, in all partitions that this process has. */
    public long lag() {
        return progress.values().stream().mapToLong(Progress::lag).sum();
    }

    /**
     * Whether the listener has the snapshot of each partition that this process has, and what partitions held that were
     * added since; false while it has none, and while the topic does not exist.
     */
    public boolean snapshotComplete() {
        Map<Integer, Progress> now = progress;
        return !now.isEmpty() && !watch.isMissing() && now.values().stream().allMatch(Progress::snapshotComplete);
    }

    /** What {@link #run} waits for at the moment, the brokers or the topic, in words; empty: nothing. */
    public Optional<String> waitsFor() {
        return Optional.ofNullable(watch.waitsFor());
    }

    /** The id that the brokers gave to the topic that is read; empty: they have not yet been asked. */
    public Optional<String> topicId() {
        return Optional.ofNullable(topicId);
    }

    /** What ended {@link #run} against its will; empty: nothing did. */
    public Optional<Throwable> failure() {
        return Optional.ofNullable(failure);
    }

    public Totals totals() {
        return delivery.totals();
    }

    /** Reads and works for a moment. */
    void step() {
        TopicInfo found = watch.look();
        if (found != null) {
            partitions.topicIs(found);
            topicId = found.id();
        }
        poll();
        partitions.beginFresh();
        long until = nanoTime.getAsLong() + WORK_SLICE.toNanos();
        while (!stopped && delivery.work()) {
            if (nanoTime.getAsLong() - until >= 0) {
                break;
            }
        }
        if (delivery.isIdle()) {
            partitions.catchUp();
        }
        if (nanoTime.getAsLong() - committedAt >= COMMIT_EVERY.toNanos()) {
            committedAt = nanoTime.getAsLong();
            partitions.commitSoon();
        }
        progress = partitions.progress();
    }

    private void poll() {
        if (!partitions.canBePolled()) {
            watch.await(POLL);
            return;
        }
        Duration wait = POLL;
        if (delivery.isBusy()) {
            // Nothing more is read, but the group still has to hear from this member.
            clients.consumer().pause(clients.consumer().assignment());
            wait = delivery.untilMore(POLL);
        } else {
            partitions.resume();
        }
        try {
            clients.consumer().poll(wait).forEach(delivery::add);
        } catch (InvalidOffsetException e) {
            partitions.lost(e.partitions(), e);
        }
    }

    private void dropped(Collection<TopicPartition> gone) {
        delivery.drop(gone);
    }

    private void release() {
        boolean interrupted = Thread.interrupted(); // Kafka's client would refuse to commit
        progress = Map.of();
        try (clients) {
            partitions.commitNow();
        } finally {
            closed.countDown();
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
