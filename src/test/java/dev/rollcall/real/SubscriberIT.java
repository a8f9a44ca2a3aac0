package dev.rollcall.real;

import static dev.rollcall.domain.PresenceState.OFFLINE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static dev.rollcall.real.RealContext.await;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.client.PresenceChange;
import dev.rollcall.client.PresenceChange.Kind;
import dev.rollcall.client.PresenceSubscriber;
import dev.rollcall.client.PresenceSubscriber.Options;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.UserId;
import dev.rollcall.embedded.EmbeddedBroker;
import dev.rollcall.wire.Topic;
import dev.rollcall.wire.Topics;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The subscriber on a real log that is written in transactions: every change once, in order. */
@Execution(ExecutionMode.CONCURRENT)
@Timeout(180)
class SubscriberIT {
    private static final int PARTITIONS = 4;
    private static final int USERS = 40;
    private static final long COMPACTED_SOON = 500;
    private static final long NOT_COMPACTED = 86_400_000;

    @TempDir
    private static Path dataDir;

    private static @Nullable EmbeddedBroker broker;
    private static final AtomicInteger topics = new AtomicInteger();

    private final List<Member> members = new ArrayList<>();
    private final List<Writing> writings = new ArrayList<>();
    /** What all members have heard, in the order in which they did. */
    private final List<PresenceChange> heard = new CopyOnWriteArrayList<>();

    private final Map<String, Long> sequences = new HashMap<>();
    private Topic<UserId, Presence> topic = topic("unnamed");
    private @Nullable KafkaProducer<byte[], byte[]> producer;

    @BeforeAll
    static void startBroker() {
        // The cleaner looks twice a second, so that compaction is seen within a test.
        broker = EmbeddedBroker.start(dataDir, 0, Map.of("log.cleaner.backoff.ms", "500"), what -> {});
    }

    @AfterAll
    static void stopBroker() {
        if (broker != null) {
            broker.close();
        }
    }

    /** What is in an open segment is not compacted, so how long segments are decides whether anything is. */
    private void makeTopic(long segmentMs) throws Exception {
        topic = topic("presence-" + topics.incrementAndGet());
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", servers()))) {
            admin.createTopics(List.of(new NewTopic(topic.name(), PARTITIONS, (short) 1)
                            .configs(Map.of(
                                    "cleanup.policy", "compact",
                                    "segment.ms", String.valueOf(segmentMs),
                                    "min.cleanable.dirty.ratio", "0.01"))))
                    .all()
                    .get();
        }
        producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", servers(), "transactional.id", topic.name()),
                new ByteArraySerializer(),
                new ByteArraySerializer());
        producer.initTransactions();
    }

    @AfterEach
    void close() {
        writings.forEach(Writing::stop);
        members.forEach(Member::close);
        if (producer != null) {
            producer.close(Duration.ofSeconds(5));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"classic", "consumer"})
    void shouldDeliverEachChangeOnceWhenAMemberJoinsAndLeaves(String protocol) throws Exception {
        makeTopic(NOT_COMPACTED);
        Member first = new Member(Options.inGroup("rebalance-" + protocol), protocol);
        first.awaitAll();
        Writing writing = new Writing();
        await().until(() -> heard.size() > 500);
        Member second = new Member(Options.inGroup("rebalance-" + protocol), protocol);
        await().until(() -> second.changes() > 500);
        assertThat(first.subscriber.progress().keySet())
                .doesNotContainAnyElementsOf(second.subscriber.progress().keySet());
        int before = second.changes();
        await().until(() -> second.changes() > before + 200);
        second.close();
        int after = heard.size();
        await().until(() -> first.subscriber.progress().size() == PARTITIONS && heard.size() > after + 500);
        writing.stop();
        await().until(() -> first.subscriber.snapshotComplete() && first.subscriber.lag() == 0);

        expectEachChangeOnceAndInOrder();
        assertThat(first.subscriber.totals().duplicates()).isZero();
    }

    @Test
    void shouldGoOnWhereItWasWhenItIsRestartedAgainAndAgain() throws Exception {
        makeTopic(NOT_COMPACTED);
        Member member = new Member(Options.inGroup("restart"), "classic");
        member.awaitAll();
        Writing writing = new Writing();
        for (int restart = 0; restart < 3; restart++) {
            int before = heard.size();
            await().until(() -> heard.size() > before + 500);
            member.close();
            member = new Member(Options.inGroup("restart"), "classic");
        }
        writing.stop();
        PresenceSubscriber last = member.subscriber;
        await().until(() -> last.snapshotComplete() && last.lag() == 0);

        expectEachChangeOnceAndInOrder();
    }

    @Test
    void shouldTellOfAGapWhenCompactionTookChangesAwayMeanwhile() throws Exception {
        makeTopic(COMPACTED_SOON);
        Member member = new Member(Options.inGroup("gap"), "classic");
        member.awaitAll();
        write(Map.of("alice", ONLINE, "bob", ONLINE), true);
        await().until(() -> heard.size() == 2);
        member.close();
        heard.clear();
        for (int i = 0; i < 9; i++) {
            write(Map.of("alice", i % 2 == 0 ? OFFLINE : ONLINE), true);
        }
        write(Map.of("bob", OFFLINE), true);
        awaitCompaction("alice", 10);
        write(Map.of("alice", ONLINE), true);

        Member back = new Member(Options.inGroup("gap"), "classic");
        Member copy = new Member(Options.fullCopy(), "classic");
        await().until(() ->
                back.subscriber.snapshotComplete() && back.subscriber.lag() == 0 && copy.subscriber.snapshotComplete());
        List<PresenceChange> alice = back.changesOf("alice");
        assertThat(alice).extracting(PresenceChange::sequence).containsExactly(10L, 11L);
        assertThat(alice).extracting(PresenceChange::gap).containsExactly(true, false);
        assertThat(alice).extracting(PresenceChange::before).containsExactly(ONLINE, OFFLINE);
        assertThat(back.changesOf("bob")).extracting(PresenceChange::sequence).containsExactly(2L);
        assertThat(copy.heardHere)
                .extracting(change -> change.kind() + " " + change.user() + " " + change.sequence())
                .containsExactlyInAnyOrder("SNAPSHOT alice 11", "SNAPSHOT bob 2");

        forget("alice");
        write(Map.of("alice", ONLINE), true);
        await().until(() -> copy.changes() == 2 && back.changesOf("alice").size() == 4);
        for (Member one : List.of(back, copy)) {
            List<PresenceChange> all = one.changesOf("alice");
            assertThat(all.subList(all.size() - 2, all.size()))
                    .extracting(change -> change.kind() + " " + change.before() + " " + change.sequence())
                    .containsExactly("FORGOTTEN ONLINE 0", "CHANGE null 1");
        }
    }

    private void expectEachChangeOnceAndInOrder() {
        assertThat(sequences).hasSize(USERS);
        sequences.forEach((user, last) -> {
            List<PresenceChange> changes = heard.stream()
                    .filter(change ->
                            change.kind() == Kind.CHANGE && change.user().equals(UserId.of(user)))
                    .toList();
            assertThat(changes)
                    .as(user)
                    .extracting(PresenceChange::sequence)
                    .containsExactlyElementsOf(
                            LongStream.rangeClosed(1, last).boxed().toList());
            assertThat(changes).as(user).noneMatch(PresenceChange::gap);
            for (int i = 1; i < changes.size(); i++) {
                assertThat(changes.get(i).before()).as(user).isEqualTo(state(i));
            }
        });
    }

    /** The state that each user has with a sequence. */
    private static PresenceState state(long sequence) {
        return sequence % 2 == 1 ? ONLINE : OFFLINE;
    }

    /** Writes these users' next records in one transaction. */
    private void write(Map<String, PresenceState> states, boolean commit) {
        KafkaProducer<byte[], byte[]> to = writer();
        to.beginTransaction();
        states.forEach((user, state) -> {
            long sequence = sequences.getOrDefault(user, 0L) + 1;
            long at = System.currentTimeMillis();
            PresenceState before = sequence == 1 ? null : state == ONLINE ? OFFLINE : ONLINE;
            Presence value = new Presence(state, before, null, at, null, sequence);
            byte[] bytes = topic.values().serializer().serialize(topic.name(), value);
            var unused = to.send(
                    new ProducerRecord<>(topic.name(), null, at, UserId.of(user).bytes(), bytes));
            if (commit) {
                sequences.put(user, sequence);
            }
        });
        if (commit) {
            to.commitTransaction();
        } else {
            to.flush();
            to.abortTransaction();
        }
    }

    private void forget(String user) {
        KafkaProducer<byte[], byte[]> to = writer();
        to.beginTransaction();
        var unused = to.send(new ProducerRecord<>(topic.name(), UserId.of(user).bytes(), null));
        to.commitTransaction();
        sequences.remove(user);
    }

    /** Until of a user's records only the one with this sequence is left. */
    private void awaitCompaction(String user, long sequence) {
        // A segment is only closed, and so only cleaned, when something is written after its time.
        await().pollInterval(Duration.ofMillis(700)).until(() -> {
            writer().beginTransaction();
            for (int partition = 0; partition < PARTITIONS; partition++) {
                var unused = writer().send(new ProducerRecord<>(
                        topic.name(), partition, UserId.of("nobody").bytes(), null));
            }
            writer().commitTransaction();
            return recordsOf(user).equals(List.of(sequence));
        });
    }

    private List<Long> recordsOf(String user) {
        List<Long> found = new ArrayList<>();
        try (KafkaConsumer<UserId, Presence> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", servers(), "isolation.level", "read_committed"),
                topic.keys().deserializer(),
                topic.values().deserializer())) {
            List<TopicPartition> all = consumer.partitionsFor(topic.name()).stream()
                    .map(partition -> new TopicPartition(topic.name(), partition.partition()))
                    .toList();
            consumer.assign(all);
            consumer.seekToBeginning(all);
            Map<TopicPartition, Long> ends = consumer.endOffsets(all);
            while (all.stream().anyMatch(one -> consumer.position(one) < ends.getOrDefault(one, 0L))) {
                for (ConsumerRecord<UserId, Presence> record : consumer.poll(Duration.ofMillis(100))) {
                    if (record.key().equals(UserId.of(user))) {
                        found.add(record.value().sequence());
                    }
                }
            }
        }
        return found;
    }

    private KafkaProducer<byte[], byte[]> writer() {
        return Optional.ofNullable(producer).orElseThrow();
    }

    private static String servers() {
        return Optional.ofNullable(broker).orElseThrow().bootstrapServers();
    }

    private static Topic<UserId, Presence> topic(String name) {
        RollcallConfig config = RollcallConfig.of(Map.of("topic.presence", name));
        return Topics.of(config.topics()).presence();
    }

    /** Changes of random users in random transactions, one in ten of which is aborted, until it is stopped. */
    private final class Writing {
        private final AtomicBoolean stopped = new AtomicBoolean();
        private final Thread thread = new Thread(this::run, "writing");

        Writing() {
            writings.add(this);
            thread.start();
        }

        private void run() {
            long seed = System.nanoTime();
            System.out.println("SubscriberIT writes with seed " + seed);
            Random random = new Random(seed);
            while (!stopped.get()) {
                Map<String, PresenceState> states = new HashMap<>();
                for (int i = random.nextInt(20); i >= 0; i--) {
                    String user = "user" + random.nextInt(USERS);
                    states.put(user, state(sequences.getOrDefault(user, 0L) + 1));
                }
                write(states, random.nextInt(10) > 0);
            }
        }

        void stop() {
            stopped.set(true);
            try {
                thread.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** A process of the notification service, on a thread of its own. */
    private final class Member implements AutoCloseable {
        private final List<PresenceChange> heardHere = new CopyOnWriteArrayList<>();
        private final PresenceSubscriber subscriber;
        private final Thread thread;

        Member(Options options, String protocol) {
            Map<String, Object> settings = Map.of("bootstrap.servers", servers(), "group.protocol", protocol);
            subscriber = new PresenceSubscriber(topic, settings, options, change -> {
                heardHere.add(change);
                heard.add(change);
            });
            thread = new Thread(subscriber::run, "member");
            thread.start();
            members.add(this);
        }

        /** Until it has all partitions, and whatever is emitted from now on is a change. */
        void awaitAll() {
            await().until(() -> subscriber.progress().size() == PARTITIONS && subscriber.snapshotComplete());
        }

        int changes() {
            return (int) heardHere.stream()
                    .filter(change -> change.kind() != Kind.SNAPSHOT)
                    .count();
        }

        List<PresenceChange> changesOf(String user) {
            return heardHere.stream()
                    .filter(change ->
                            change.kind() != Kind.SNAPSHOT && change.user().equals(UserId.of(user)))
                    .toList();
        }

        @Override
        public void close() {
            subscriber.close();
            try {
                thread.join(1000);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            assertThat(thread.isAlive()).as("still running after close").isFalse();
        }
    }
}
