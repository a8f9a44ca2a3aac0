package dev.rollcall.client;

import dev.rollcall.domain.Announcement.Presence;
import dev.rollcall.domain.UserId;
import dev.rollcall.wire.Topic;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
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
 * <p><b>A listener that throws</b> is given the same change again after a back-off, and nothing else meanwhile. When it
 * has thrown {@link Options#attempts} times the change is parked: handed to {@link Options#parked}, counted, and not
 * given to the listener again. That user's later changes are delivered all the same, in order, and the first of them
 * says that there is a gap. Records that are not presence at all are parked at once. If the handler of what is parked
 * throws, {@link #run} ends with that, and what was to be parked comes again in the next run.
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
    private static final Duration ANSWER_WITHIN = Duration.ofSeconds(5);
    private static final Duration CLOSED_WITHIN = Duration.ofSeconds(15);
    private static final long MAX_BACK_OFF_FACTOR = 64;

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
            if (attempts < 1 || backOff.isNegative()) {
                throw new IllegalArgumentException("there is at least one attempt, and no negative back-off");
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

    private record Attempt(TopicPartition from, PresenceChange change, int count, long notBefore) {}

    private final Topic<UserId, Presence> topic;
    private final Options options;
    private final Listener listener;
    private final org.apache.kafka.clients.consumer.Consumer<byte[], byte[]> consumer;
    private final LongSupplier nanoTime;

    // What follows is for the thread of run() alone.
    private final Map<TopicPartition, PartitionView> views = new HashMap<>();
    private final Set<TopicPartition> fresh = new HashSet<>();
    private final Deque<ConsumerRecord<byte[], byte[]>> backlog = new ArrayDeque<>();
    private final Deque<TopicPartition> snapshots = new ArrayDeque<>();
    private final Map<TopicPartition, Long> committed = new HashMap<>();
    /** Where this process had come to with partitions that it had before, in case the group does not know. */
    private final Map<TopicPartition, Long> left = new HashMap<>();

    private @Nullable Attempt retry;
    private long committedAt;

    // What follows is for all threads.
    private final AtomicReference<@Nullable Thread> runner = new AtomicReference<>();
    private final CountDownLatch closed = new CountDownLatch(1);
    private volatile boolean stopped;
    private volatile Map<Integer, Progress> progress = Map.of();
    private volatile Totals totals = Totals.NONE;

    /**
     * Connects to the cluster. A full copy is all set then: whatever changes from here on is a change. {@code settings}
     * are a Kafka consumer's; {@code bootstrap.servers} is required.
     */
    public PresenceSubscriber(
            Topic<UserId, Presence> topic, Map<String, ?> settings, Options options, Listener listener) {
        this(
                topic,
                options,
                listener,
                new KafkaConsumer<>(
                        consumerSettings(settings, options), new ByteArrayDeserializer(), new ByteArrayDeserializer()),
                System::nanoTime);
    }

    PresenceSubscriber(
            Topic<UserId, Presence> topic,
            Options options,
            Listener listener,
            org.apache.kafka.clients.consumer.Consumer<byte[], byte[]> consumer,
            LongSupplier nanoTime) {
        this.topic = topic;
        this.options = options;
        this.listener = listener;
        this.consumer = consumer;
        this.nanoTime = nanoTime;
        this.committedAt = nanoTime.getAsLong();
        try {
            if (options.group() == null) {
                takeAll();
            } else {
                consumer.subscribe(List.of(topic.name()), new Rebalance());
            }
        } catch (RuntimeException e) {
            consumer.close(CloseOptions.timeout(ANSWER_WITHIN));
            throw e;
        }
    }

    /** Reads until {@link #close}, on this thread. Ends with an exception if Kafka refuses this reader. */
    public void run() {
        if (!runner.compareAndSet(null, Thread.currentThread())) {
            throw new IllegalStateException("a subscriber runs once");
        }
        try {
            while (!stopped) {
                step();
            }
        } finally {
            release();
        }
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

    /** How far each partition is that this process has at the moment. */
    public Map<Integer, Progress> progress() {
        return progress;
    }

    /** How many offsets are still to be dealt with, in all partitions that this process has. */
    public long lag() {
        return progress.values().stream().mapToLong(Progress::lag).sum();
    }

    /** Whether the listener has the snapshot of each partition that this process has; false while it has none. */
    public boolean snapshotComplete() {
        Map<Integer, Progress> now = progress;
        return !now.isEmpty() && now.values().stream().allMatch(Progress::snapshotComplete);
    }

    public Totals totals() {
        return totals;
    }

    /** Reads and works for a moment. */
    void step() {
        poll();
        beginFresh();
        long until = nanoTime.getAsLong() + WORK_SLICE.toNanos();
        while (!stopped && work()) {
            if (nanoTime.getAsLong() - until >= 0) {
                break;
            }
        }
        if (backlog.isEmpty() && retry == null) {
            views.forEach(this::catchUp);
        }
        if (nanoTime.getAsLong() - committedAt >= COMMIT_EVERY.toNanos()) {
            commitSoon();
        }
        report();
    }

    private void poll() {
        Duration wait = POLL;
        boolean busy = !backlog.isEmpty() || !snapshots.isEmpty() || retry != null;
        if (busy) {
            // Nothing more is read, but the group still has to hear from this member.
            consumer.pause(consumer.assignment());
            long untilRetry = retry == null ? 0 : retry.notBefore - nanoTime.getAsLong();
            wait = Duration.ofNanos(Math.max(0, Math.min(untilRetry, POLL.toNanos())));
        } else if (!consumer.paused().isEmpty()) {
            consumer.resume(consumer.paused());
        }
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(wait)) {
            if (views.containsKey(partitionOf(record))) { // otherwise it comes again when the partition has begun
                backlog.add(record);
            }
        }
    }

    private void takeAll() {
        Set<TopicPartition> all = new HashSet<>();
        consumer.partitionsFor(topic.name())
                .forEach(partition -> all.add(new TopicPartition(topic.name(), partition.partition())));
        if (all.isEmpty()) {
            throw new IllegalStateException("there is no topic " + topic.name());
        }
        consumer.assign(all);
        Map<TopicPartition, Long> beginnings = consumer.beginningOffsets(all);
        consumer.endOffsets(all)
                .forEach((partition, end) -> begin(partition, beginnings.getOrDefault(partition, 0L), end, end));
        report();
    }

    /** Finds out where partitions begin that were just assigned; not within the rebalance, which would have to wait. */
    private void beginFresh() {
        if (fresh.isEmpty()) {
            return;
        }
        try {
            Map<TopicPartition, @Nullable OffsetAndMetadata> offsets = consumer.committed(fresh, ANSWER_WITHIN);
            Map<TopicPartition, Long> beginnings = consumer.beginningOffsets(fresh, ANSWER_WITHIN);
            Map<TopicPartition, Long> ends = consumer.endOffsets(fresh, ANSWER_WITHIN);
            for (TopicPartition partition : fresh) {
                long end = ends.getOrDefault(partition, 0L);
                OffsetAndMetadata group = offsets.get(partition);
                long here = left.getOrDefault(partition, -1L);
                long known = Math.max(group == null ? -1 : group.offset(), here > end ? -1 : here);
                if (group != null) {
                    committed.put(partition, group.offset());
                }
                begin(partition, beginnings.getOrDefault(partition, 0L), known < 0 ? end : known, end);
            }
            fresh.clear();
        } catch (RetriableException e) {
            log.warn("Cannot yet begin with {}: {}", fresh, e.toString());
        }
    }

    private void begin(TopicPartition partition, long beginning, long snapshotEnd, long end) {
        long from = options.snapshot() ? beginning : snapshotEnd;
        consumer.seek(partition, from);
        views.put(partition, new PartitionView(partition.partition(), from, snapshotEnd, end));
    }

    /** One thing at a time. Returns whether there may be more to do at once. */
    private boolean work() {
        Attempt again = retry;
        if (again != null) {
            if (again.notBefore - nanoTime.getAsLong() > 0) {
                return false;
            }
            retry = null;
            totals = new Totals(totals.delivered, totals.retries + 1, totals.parked, totals.duplicates);
            attempt(again);
            return true;
        }
        TopicPartition ready = snapshots.peek();
        if (ready != null) {
            PresenceChange next = view(ready).nextOfSnapshot();
            if (next == null) {
                snapshots.remove();
                if (!committed.containsKey(ready)) {
                    commitNow(List.of(ready)); // the group begins here, also if this process dies at once
                }
            } else {
                attempt(new Attempt(ready, next, 1, 0));
            }
            return true;
        }
        ConsumerRecord<byte[], byte[]> record = backlog.peek();
        if (record == null) {
            return false;
        }
        PartitionView view = view(partitionOf(record));
        if (view.isFolding() && view.reachesSnapshotEnd(record.offset())) {
            endFolding(partitionOf(record), view); // before the record, which is a change
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
        PartitionView view = view(attempt.from);
        try {
            listener.on(change);
        } catch (InterruptedException e) {
            throw new InterruptException(e); // sets the thread's interrupt again
        } catch (Exception e) {
            if (attempt.count < options.attempts()) {
                long factor = Math.min(1L << Math.min(attempt.count - 1, 32), MAX_BACK_OFF_FACTOR);
                long notBefore = nanoTime.getAsLong() + options.backOff().toNanos() * factor;
                retry = new Attempt(attempt.from, change, attempt.count + 1, notBefore);
                return;
            }
            park(new Parked(topic.name(), change.partition(), change.offset(), change, e));
            view.parked(change);
            view.skipTo(change.offset() + 1);
            return;
        }
        view.took(change);
        view.skipTo(change.offset() + 1);
        totals = new Totals(totals.delivered + 1, totals.retries, totals.parked, totals.duplicates);
    }

    private void park(Parked parked) {
        log.error(
                "Parked {}-{} at offset {}{}",
                parked.topic,
                parked.partition,
                parked.offset,
                parked.change == null ? ", which is not presence" : " after " + options.attempts() + " attempts",
                parked.failure);
        options.parked().accept(parked);
        totals = new Totals(totals.delivered, totals.retries, totals.parked + 1, totals.duplicates);
    }

    private void countDuplicate() {
        totals = new Totals(totals.delivered, totals.retries, totals.parked, totals.duplicates + 1);
    }

    /** All that was read is dealt with: the consumer may be further, past markers and holes that are no records. */
    private void catchUp(TopicPartition partition, PartitionView view) {
        long position = position(partition, view);
        if (view.isFolding() && view.reachesSnapshotEnd(position)) {
            endFolding(partition, view);
        }
        if (view.isLive()) {
            view.skipTo(position);
        }
    }

    /** Where the consumer is; what is known, while it has no position and the brokers don't give it one. */
    private long position(TopicPartition partition, PartitionView view) {
        try {
            return consumer.position(partition, ANSWER_WITHIN);
        } catch (RetriableException e) {
            return view.position();
        }
    }

    private void endFolding(TopicPartition partition, PartitionView view) {
        view.endFolding();
        snapshots.add(partition);
    }

    /** What the group does not yet know, of these partitions. */
    private Map<TopicPartition, OffsetAndMetadata> uncommitted(Collection<TopicPartition> partitions) {
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        if (options.group() == null) {
            return offsets;
        }
        for (TopicPartition partition : partitions) {
            PartitionView view = views.get(partition);
            if (view != null && view.isLive() && view.position() != committed.getOrDefault(partition, -1L)) {
                offsets.put(partition, new OffsetAndMetadata(view.position()));
            }
        }
        return offsets;
    }

    private void commitSoon() {
        committedAt = nanoTime.getAsLong();
        Map<TopicPartition, OffsetAndMetadata> offsets = uncommitted(views.keySet());
        if (!offsets.isEmpty()) {
            consumer.commitAsync(offsets, (done, failure) -> {
                if (failure == null) {
                    done.forEach((partition, offset) -> committed.put(partition, offset.offset()));
                } else {
                    log.debug("Not committed, which is tried again", failure);
                }
            });
        }
    }

    private void commitNow(Collection<TopicPartition> partitions) {
        Map<TopicPartition, OffsetAndMetadata> offsets = uncommitted(partitions);
        if (offsets.isEmpty()) {
            return;
        }
        try {
            consumer.commitSync(offsets, ANSWER_WITHIN);
            offsets.forEach((partition, offset) -> committed.put(partition, offset.offset()));
        } catch (KafkaException e) {
            log.warn("Not committed, so others may get again what was delivered here: {}", offsets, e);
        }
    }

    private void drop(Collection<TopicPartition> partitions) {
        for (TopicPartition partition : partitions) {
            PartitionView view = views.remove(partition);
            if (view != null && view.isLive()) {
                left.put(partition, view.position());
            }
        }
        fresh.removeAll(partitions);
        committed.keySet().removeAll(partitions);
        snapshots.removeAll(partitions);
        backlog.removeIf(record -> partitions.contains(partitionOf(record)));
        if (retry != null && partitions.contains(retry.from)) {
            retry = null; // whoever has the partition now gets it
        }
    }

    private void release() {
        boolean interrupted = Thread.interrupted(); // Kafka's client would refuse to commit
        try {
            commitNow(views.keySet());
        } finally {
            try {
                consumer.close(CloseOptions.timeout(ANSWER_WITHIN));
            } finally {
                closed.countDown();
                if (interrupted) {
                    Thread.currentThread().interrupt();
                }
            }
        }
    }

    private void report() {
        Map<Integer, Progress> now = new TreeMap<>();
        fresh.forEach(partition -> now.put(partition.partition(), new Progress(0, 0, false)));
        views.forEach((partition, view) -> {
            consumer.currentLag(partition).ifPresent(lag -> view.endIsAt(position(partition, view) + lag));
            now.put(partition.partition(), new Progress(view.position(), view.end(), view.isLive()));
        });
        progress = Map.copyOf(now);
    }

    private PartitionView view(TopicPartition partition) {
        PartitionView view = views.get(partition);
        if (view == null) {
            throw new IllegalStateException("not read here: " + partition);
        }
        return view;
    }

    private static TopicPartition partitionOf(ConsumerRecord<?, ?> record) {
        return new TopicPartition(record.topic(), record.partition());
    }

    private static Map<String, Object> consumerSettings(Map<String, ?> settings, Options options) {
        Map<String, Object> all = new HashMap<>();
        if (!"consumer".equalsIgnoreCase(String.valueOf(settings.get(ConsumerConfig.GROUP_PROTOCOL_CONFIG)))) {
            // A member that joins takes some partitions; with the default, everybody would begin with all of theirs
            // anew. (The newer protocol does so by itself and refuses the setting.)
            all.put(ConsumerConfig.PARTITION_ASSIGNMENT_STRATEGY_CONFIG, CooperativeStickyAssignor.class.getName());
        }
        all.putAll(settings);
        all.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed"); // what was aborted has never been said
        all.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        all.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        all.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
        all.remove(ConsumerConfig.GROUP_ID_CONFIG);
        if (options.group() != null) {
            all.put(ConsumerConfig.GROUP_ID_CONFIG, options.group());
        }
        return all;
    }

    private final class Rebalance implements ConsumerRebalanceListener {
        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            fresh.addAll(partitions);
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            commitNow(partitions);
            drop(partitions);
        }

        @Override
        public void onPartitionsLost(Collection<TopicPartition> partitions) {
            drop(partitions); // too late to commit: somebody else may have them
        }
    }
}
