package dev.rollcall.client;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.client.PresenceSubscriber.Options;
import dev.rollcall.client.PresenceSubscriber.Parked;
import dev.rollcall.client.reading.ReaderClients;
import dev.rollcall.client.reading.TopicLookup;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.PresenceUpdate.Presence;
import dev.rollcall.domain.UserId;
import dev.rollcall.topology.PresenceTopology;
import dev.rollcall.wire.Topic;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetCommitCallback;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.jspecify.annotations.Nullable;

/**
 * A subscriber over a log in memory, in virtual time. What is written has the time 1000 times its sequence, unless it is
 * emitted; the log serves it from wherever the subscriber seeks to.
 */
final class PresenceSubscriberContext {
    private final Topic<UserId, Presence> topic =
            PresenceTopology.topics(RollcallConfig.defaults()).presence();
    private final Options options;
    private final List<TreeMap<Long, ConsumerRecord<byte[], byte[]>>> log = new ArrayList<>();
    private final Map<TopicPartition, OffsetAndMetadata> committed = new HashMap<>();
    private final List<String> heard = new ArrayList<>();
    private final Deque<Throwable> failures = new ArrayDeque<>();
    private final List<String> taken = new ArrayList<>();
    private final List<Parked> parked = new ArrayList<>();
    private int topicId;
    private @Nullable Exception lookupFailure;
    private boolean lookupClosed;
    private boolean commitsFail;
    private boolean parkingFails;
    private boolean closeOnNext;
    private int markers;
    private long nanos;
    private @Nullable LogConsumer consumer;
    private @Nullable PresenceSubscriber subscriber;

    PresenceSubscriberContext(int partitions, Options options) {
        for (int partition = 0; partition < partitions; partition++) {
            log.add(new TreeMap<>());
        }
        this.options = options;
    }

    // The log

    void emitted(int partition, String user, PresenceState state, @Nullable PresenceState previous, long sequence) {
        emitted(partition, user, state, previous, sequence, sequence * 1000);
    }

    void emitted(
            int partition, String user, PresenceState state, @Nullable PresenceState previous, long sequence, long at) {
        Presence value = new Presence(state, previous, null, at, null, sequence, at);
        append(partition, user, topic.values().serializer().serialize(topic.name(), value), at);
    }

    void forgotten(int partition, String user, long at) {
        append(partition, user, null, at);
    }

    /** A record of bytes as they are; null as a user: no key. */
    void append(int partition, @Nullable String user, byte @Nullable [] value, long at) {
        TreeMap<Long, ConsumerRecord<byte[], byte[]>> records = log.get(partition);
        long offset = records.isEmpty() ? 0 : records.lastKey() + 1;
        byte[] key = user == null ? null : UserId.of(user).bytes();
        records.put(
                offset,
                new ConsumerRecord<>(
                        topic.name(),
                        partition,
                        offset,
                        at,
                        TimestampType.CREATE_TIME,
                        0,
                        0,
                        key,
                        value,
                        new RecordHeaders(),
                        Optional.empty()));
    }

    /** What the cleaner does: of each user before an offset only the last record stays. */
    void compact(int partition, long before) {
        Map<UserId, Long> last = new HashMap<>();
        log.get(partition).headMap(before).forEach((offset, record) -> last.put(UserId.ofBytes(record.key()), offset));
        log.get(partition).headMap(before).keySet().retainAll(last.values());
    }

    /** The offset that comes next. */
    private long end(int partition) {
        TreeMap<Long, ConsumerRecord<byte[], byte[]>> records = log.get(partition);
        return records.isEmpty() ? 0 : records.lastKey() + 1 + markers;
    }

    /** Somebody adds a partition. Who reads all of them is not told; a group is, when it assigns the partition. */
    void addPartition() {
        log.add(new TreeMap<>());
    }

    /** Somebody deletes the topic, and creates it again with so many partitions. */
    void createAgain(int partitions) {
        topicId++;
        log.clear();
        for (int partition = 0; partition < partitions; partition++) {
            log.add(new TreeMap<>());
        }
    }

    /** An unclean election: what was at the end is gone. */
    void cut(int partition, long from) {
        log.get(partition).tailMap(from).clear();
    }

    /** The brokers answer what they are asked about the topic with this; null: they know it. */
    void lookupFails(@Nullable Exception failure) {
        lookupFailure = failure;
    }

    boolean isClosed() {
        return consumer().closed() && lookupClosed;
    }

    /** As after a transaction: the log ends with an offset that is no record. */
    void endWithAMarker() {
        markers = 1;
    }

    // The subscriber

    /** Starts a process, with all partitions; one that ran before is forgotten, as if it had died. */
    void start() {
        LogConsumer mock = new LogConsumer();
        consumer = mock;
        mock.refresh();
        subscriber = new PresenceSubscriber(
                topic,
                options.parkingTo(this::park),
                change -> {
                    heard.add(words(change));
                    if (closeOnNext) {
                        subscriber().close();
                    }
                    Throwable failure = failures.poll();
                    if (failure instanceof Error error) {
                        throw error;
                    } else if (failure != null) {
                        throw (Exception) failure;
                    }
                    taken.add(words(change));
                },
                new ReaderClients(mock, new Lookup()),
                () -> nanos);
        if (options.group() != null) {
            assign(IntStream.range(0, log.size()).toArray());
        } else {
            step(); // all is set then: what is emitted from here on is a change
        }
    }

    /** The group gives this member these partitions, and takes all others away. */
    void assign(int... partitions) {
        consumer().rebalance(IntStream.of(partitions).mapToObj(this::partition).toList());
    }

    /** Somebody else has the partition already when this member hears of it. */
    void lose(int partition) {
        Objects.requireNonNull(consumer().listener).onPartitionsLost(List.of(partition(partition)));
        consumer()
                .rebalance(consumer().assignment().stream()
                        .filter(other -> other.partition() != partition)
                        .toList());
    }

    /** Another member takes the partition and deals with all of it. */
    void somebodyElseDealsWith(int partition) {
        committed.put(partition(partition), new OffsetAndMetadata(end(partition)));
    }

    void failCommits(boolean fail) {
        commitsFail = fail;
    }

    /** Works until there is nothing to do for now. */
    void settle() {
        for (int round = 0; round < 5; round++) {
            step();
        }
    }

    void step() {
        consumer().refresh();
        subscriber().step();
    }

    /** Time goes by, and all that is due then is done. */
    void sleep(long millis) {
        nanos += millis * 1_000_000;
        settle();
    }

    /** Time goes by, and nothing is done yet. */
    void passes(long millis) {
        nanos += millis * 1_000_000;
    }

    /** Until it is closed or fails, on this thread. */
    void run() {
        consumer().refresh();
        subscriber().run();
    }

    void closeOnNext() {
        closeOnNext = true;
    }

    void stop() {
        subscriber().close();
    }

    /** The next calls of the listener throw. */
    void failNext(int times) {
        for (int i = 0; i < times; i++) {
            failures.add(new IllegalStateException("cannot notify"));
        }
    }

    void failNext(Throwable failure) {
        failures.add(failure);
    }

    void failParking() {
        parkingFails = true;
    }

    PresenceSubscriber subscriber() {
        return Objects.requireNonNull(subscriber);
    }

    List<Parked> parked() {
        return parked;
    }

    /** -1: nothing. */
    long committed(int partition) {
        OffsetAndMetadata offset = committed.get(partition(partition));
        return offset == null ? -1 : offset.offset();
    }

    /** All that the listener did not throw on. */
    List<String> taken() {
        return taken;
    }

    /** Exactly this was heard since the last time, and nothing more. */
    void expectHeard(String... changes) {
        assertThat(heard).containsExactly(changes);
        heard.clear();
    }

    private static String words(PresenceChange change) {
        Presence after = change.after();
        return "%s %s %s>%s #%d%s"
                .formatted(
                        change.kind(),
                        change.user(),
                        change.before() == null ? "-" : change.before(),
                        after == null ? "-" : after.state(),
                        change.sequence(),
                        change.gap() ? " gap" : "");
    }

    private LogConsumer consumer() {
        return Objects.requireNonNull(consumer);
    }

    private void park(Parked one) {
        if (parkingFails) {
            throw new IllegalStateException("cannot park");
        }
        parked.add(one);
    }

    private TopicPartition partition(int partition) {
        return new TopicPartition(topic.name(), partition);
    }

    private final class Lookup implements TopicLookup {
        @Override
        public CompletionStage<TopicInfo> describe(String name) {
            return lookupFailure != null
                    ? CompletableFuture.failedFuture(lookupFailure)
                    : CompletableFuture.completedFuture(new TopicInfo("id" + topicId, log.size()));
        }

        @Override
        public void close() {
            lookupClosed = true;
        }
    }

    /** Serves the log from wherever it is sought to; what is committed outlives it, as with a real group. */
    private final class LogConsumer extends MockConsumer<byte[], byte[]> {
        private @Nullable ConsumerRebalanceListener listener;

        LogConsumer() {
            super("none");
        }

        /** Shows the mock where the log begins and ends now. */
        void refresh() {
            for (int partition = 0; partition < log.size(); partition++) {
                updateBeginningOffsets(Map.of(partition(partition), 0L));
                updateEndOffsets(Map.of(partition(partition), end(partition)));
            }
        }

        /** From the log itself: the mock's own records would outlive what happens to the log. */
        @Override
        public synchronized ConsumerRecords<byte[], byte[]> poll(Duration timeout) {
            Map<TopicPartition, List<ConsumerRecord<byte[], byte[]>>> read = new HashMap<>();
            Map<TopicPartition, Long> outOfRange = new HashMap<>();
            for (TopicPartition partition : assignment()) {
                if (paused().contains(partition) || partition.partition() >= log.size()) {
                    continue;
                }
                long end = end(partition.partition());
                if (position(partition) > end) {
                    outOfRange.put(partition, position(partition));
                    continue;
                }
                read.put(
                        partition,
                        List.copyOf(log.get(partition.partition())
                                .tailMap(position(partition))
                                .values()));
                super.seek(partition, end); // a real one passes over markers, too
            }
            if (!outOfRange.isEmpty()) {
                throw new OffsetOutOfRangeException(outOfRange);
            }
            super.poll(timeout);
            return new ConsumerRecords<>(read, Map.of());
        }

        @Override
        public synchronized Set<TopicPartition> paused() {
            Set<TopicPartition> paused = new HashSet<>(super.paused()); // which has those that were taken away as well
            paused.retainAll(assignment());
            return paused;
        }

        @Override
        public synchronized void subscribe(Collection<String> topics, ConsumerRebalanceListener rebalanceListener) {
            listener = rebalanceListener;
            super.subscribe(topics, rebalanceListener);
        }

        @Override
        public synchronized Map<TopicPartition, OffsetAndMetadata> committed(
                Set<TopicPartition> partitions, Duration timeout) {
            Map<TopicPartition, OffsetAndMetadata> some = new HashMap<>(committed);
            some.keySet().retainAll(partitions);
            return some;
        }

        @Override
        public synchronized void commitSync(Map<TopicPartition, OffsetAndMetadata> offsets, Duration timeout) {
            if (commitsFail) {
                throw new CommitFailedException("fenced");
            }
            committed.putAll(offsets);
        }

        @Override
        public synchronized void commitAsync(
                Map<TopicPartition, OffsetAndMetadata> offsets, OffsetCommitCallback callback) {
            if (commitsFail) {
                callback.onComplete(offsets, new CommitFailedException("fenced"));
            } else {
                committed.putAll(offsets);
                callback.onComplete(offsets, null);
            }
        }
    }
}
