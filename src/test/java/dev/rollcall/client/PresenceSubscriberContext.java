package dev.rollcall.client;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.client.PresenceSubscriber.Options;
import dev.rollcall.client.PresenceSubscriber.Parked;
import dev.rollcall.client.reading.ReaderClients;
import dev.rollcall.client.reading.TopicLookup;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.UserId;
import dev.rollcall.wire.FakeRegistry;
import dev.rollcall.wire.Registered;
import dev.rollcall.wire.Topic;
import dev.rollcall.wire.Topics;
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
 * A subscriber over a log in memory, in virtual time. A record's timestamp is 1000 times its sequence unless given; the
 * log serves records from wherever the subscriber seeks to.
 */
final class PresenceSubscriberContext {
    private Topic<UserId, Presence> topic = Topics.ofContract().presence();
    private final Options options;
    private final List<TreeMap<Long, ConsumerRecord<byte[], byte[]>>> log = new ArrayList<>();
    private final Map<TopicPartition, OffsetAndMetadata> committed = new HashMap<>();
    private final Map<String, Presence> published = new HashMap<>();
    private final List<String> delivered = new ArrayList<>();
    private final Deque<Throwable> failures = new ArrayDeque<>();
    private final List<String> accepted = new ArrayList<>();
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

    /** A process that reads an empty topic and is idle. */
    static PresenceSubscriberContext started(int partitions, Options options) {
        PresenceSubscriberContext context = new PresenceSubscriberContext(partitions, options);
        context.startAndPoll();
        return context;
    }

    /** From now on values may be in that registry's format; before the start. */
    void registry(FakeRegistry registry) {
        topic = Topics.ofContract(Registered.reading(registry, () -> nanos)).presence();
    }

    // The log

    void publish(String user, PresenceState... states) {
        publish(0, user, states);
    }

    /** One record per state, each continuing the user's last one. */
    void publish(int partition, String user, PresenceState... states) {
        for (PresenceState state : states) {
            Presence last = published.get(user);
            publish(partition, user, state, last == null ? null : last.state(), last == null ? 1 : last.sequence() + 1);
        }
    }

    void publish(int partition, String user, PresenceState state, @Nullable PresenceState previous, long sequence) {
        publish(partition, user, state, previous, sequence, sequence * 1000);
    }

    void publish(
            int partition, String user, PresenceState state, @Nullable PresenceState previous, long sequence, long at) {
        Presence value = new Presence(state, previous, null, at, null, sequence);
        published.put(user, value);
        append(partition, user, topic.values().serializer().serialize(topic.name(), value), at);
    }

    void forgotten(int partition, String user, long at) {
        published.remove(user);
        append(partition, user, null, at);
    }

    /** A record with any bytes; a null user is a null key. */
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

    /** What the log cleaner does: before the offset, only each user's last record stays. */
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

    /** Adds a partition. In a group it has to be assigned. */
    void addPartition() {
        log.add(new TreeMap<>());
    }

    /** Deletes the topic, and creates it again. */
    void recreateTopic(int partitions) {
        topicId++;
        published.clear();
        log.clear();
        for (int partition = 0; partition < partitions; partition++) {
            log.add(new TreeMap<>());
        }
    }

    /** An unclean leader election: the end of the log is lost. */
    void truncate(int partition, long from) {
        log.get(partition).tailMap(from).clear();
    }

    /** Descriptions of the topic fail with this; null: they succeed. */
    void lookupFails(@Nullable Exception failure) {
        lookupFailure = failure;
    }

    boolean isClosed() {
        return consumer().closed() && lookupClosed;
    }

    /** The log ends with an offset that is not a record. */
    void endWithTransactionMarker() {
        markers = 1;
    }

    // The subscriber

    /** Starts a process with all partitions. One that ran before is dropped, as if it had crashed. */
    void start() {
        LogConsumer mock = new LogConsumer();
        consumer = mock;
        mock.refresh();
        subscriber = new PresenceSubscriber(
                topic,
                options.parkingTo(this::park),
                change -> {
                    delivered.add(text(change));
                    if (closeOnNext) {
                        subscriber().close();
                    }
                    Throwable failure = failures.poll();
                    if (failure instanceof Error error) {
                        throw error;
                    } else if (failure != null) {
                        throw (Exception) failure;
                    }
                    accepted.add(text(change));
                },
                new ReaderClients(mock, new Lookup()),
                () -> nanos);
        if (options.group() != null) {
            assign(IntStream.range(0, log.size()).toArray());
        } else {
            step(); // looks up the start offsets: what is published from here on is a change
        }
    }

    void startAndPoll() {
        start();
        poll();
    }

    /** The group assigns these partitions to this member, and revokes all others. */
    void assign(int... partitions) {
        consumer().rebalance(IntStream.of(partitions).mapToObj(this::partition).toList());
    }

    /** Another member has the partition already when this one is told. */
    void lose(int partition) {
        Objects.requireNonNull(consumer().listener).onPartitionsLost(List.of(partition(partition)));
        consumer()
                .rebalance(consumer().assignment().stream()
                        .filter(other -> other.partition() != partition)
                        .toList());
    }

    /** Another member commits the end of the partition. */
    void commitByAnotherMember(int partition) {
        committed.put(partition(partition), new OffsetAndMetadata(end(partition)));
    }

    void failCommits(boolean fail) {
        commitsFail = fail;
    }

    /** Polls until there is nothing to do for now. */
    void poll() {
        for (int round = 0; round < 5; round++) {
            step();
        }
    }

    void step() {
        consumer().refresh();
        subscriber().step();
    }

    /** Time passes, and the subscriber polls. */
    void sleep(long millis) {
        nanos += millis * 1_000_000;
        poll();
    }

    /** Time passes, and the subscriber does not poll. */
    void advanceClock(long millis) {
        nanos += millis * 1_000_000;
    }

    /** Runs until it is closed or fails, on this thread. */
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

    /** What the listener did not throw on. */
    List<String> accepted() {
        return accepted;
    }

    /** Exactly this was delivered since the last call, and nothing more. */
    void expectDelivered(String... changes) {
        assertThat(delivered).containsExactly(changes);
        delivered.clear();
    }

    private static String text(PresenceChange change) {
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
                    : CompletableFuture.completedFuture(new TopicInfo("id" + topicId, log.size(), Set.of(), true));
        }

        @Override
        public void close() {
            lookupClosed = true;
        }
    }

    /** Serves the log from wherever it seeks to. Commits outlive it, as in a real group. */
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

        /** From the log itself: the mock's own records would not follow changes of the log. */
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
            Set<TopicPartition> paused = new HashSet<>(super.paused()); // includes revoked ones
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
