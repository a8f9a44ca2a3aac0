package dev.rollcall.real;

import static dev.rollcall.domain.PresenceState.ONLINE;
import static dev.rollcall.real.RealContext.await;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.client.PresenceChange;
import dev.rollcall.client.PresenceChange.Kind;
import dev.rollcall.client.PresenceSubscriber;
import dev.rollcall.client.PresenceSubscriber.Options;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.UserId;
import dev.rollcall.embedded.EmbeddedBroker;
import dev.rollcall.gateway.BatchToken;
import dev.rollcall.gateway.PresenceFeed;
import dev.rollcall.gateway.PresenceSubscription;
import dev.rollcall.gateway.PresenceSubscription.Batch;
import dev.rollcall.gateway.TopicReader;
import dev.rollcall.wire.Topic;
import dev.rollcall.wire.Topics;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
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

/** Readers whose topic is not there, grows, is created again, or has lost what they had come to. */
@Execution(ExecutionMode.CONCURRENT)
@Timeout(240)
class ReadersIT {
    private static final int USERS = 100;

    @TempDir
    private static Path dataDir;

    private static @Nullable EmbeddedBroker broker;
    private static final AtomicInteger topics = new AtomicInteger();

    private final List<AutoCloseable> toClose = new ArrayList<>();
    private Topic<UserId, Presence> topic = topic("unnamed");

    @BeforeAll
    static void startBroker() {
        broker = EmbeddedBroker.start(dataDir.resolve("broker"), 0, Map.of(), what -> {});
    }

    @AfterAll
    static void stopBroker() {
        if (broker != null) {
            broker.close();
        }
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable one : toClose) {
            one.close();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"copy", "classic", "consumer"})
    void shouldHearEverybodyWhenPartitionsAreAdded(String mode) throws Exception {
        topic = topic("added-" + mode);
        create(topic, 2);
        Member member = new Member(mode, servers());
        await().until(member.subscriber::snapshotComplete);
        write("before", 1);
        await().until(() -> member.users("before").size() == USERS);
        addPartitions(4);
        write("after", 1);

        await().untilAsserted(() -> {
            assertThat(member.users("after")).hasSize(USERS);
            assertThat(member.subscriber.progress()).hasSize(4);
            assertThat(member.subscriber.snapshotComplete()).isTrue();
            assertThat(member.subscriber.lag()).isZero();
        });
        assertThat(member.heard)
                .filteredOn(change -> change.user().toString().startsWith("after"))
                .as("what was emitted after the reader had begun is news, on an added partition too")
                .allMatch(change -> change.kind() == Kind.CHANGE && !change.gap());
    }

    @ParameterizedTest
    @ValueSource(strings = {"copy", "classic", "consumer"})
    void shouldReadTheNewOneWhenTheTopicIsCreatedAgain(String mode) throws Exception {
        topic = topic("again-" + mode);
        create(topic, 2);
        write("before", 1);
        Member member = new Member(mode, servers());
        await().until(() -> member.users("before").size() == USERS);
        recreate();
        for (int round = 1; round <= 3; round++) { // so that it soon ends behind where the reader had come to
            write("after", round);
        }

        await().untilAsserted(() -> {
            assertThat(member.users("after")).hasSize(USERS);
            assertThat(member.subscriber.snapshotComplete()).isTrue();
            assertThat(member.subscriber.lag()).isZero();
        });
        if (mode.equals("copy")) {
            await().untilAsserted(() -> assertThat(member.heard)
                    .filteredOn(change -> change.kind() == Kind.FORGOTTEN)
                    .extracting(change -> change.user().toString())
                    .as("who is not in it is forgotten")
                    .containsExactlyInAnyOrderElementsOf(IntStream.range(0, USERS)
                            .mapToObj(i -> "before" + i)
                            .toList()));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"classic", "consumer"})
    void shouldReadWhatIsThereWhenTheGroupIsBeyondTheEnd(String protocol) throws Exception {
        topic = topic("beyond-" + protocol);
        create(topic, 1);
        write("user", 1);
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", servers()))) {
            admin.alterConsumerGroupOffsets(
                            topic.name(), Map.of(new TopicPartition(topic.name(), 0), new OffsetAndMetadata(1_000_000)))
                    .all()
                    .get();
        }
        Member member = new Member(protocol, servers());

        await().untilAsserted(() -> {
            assertThat(member.users("user")).hasSize(USERS);
            assertThat(member.subscriber.snapshotComplete()).isTrue();
        });
        write("user", 2);
        await().untilAsserted(() -> assertThat(member.heard)
                .filteredOn(change -> change.kind() == Kind.CHANGE)
                .hasSize(USERS)
                .noneMatch(PresenceChange::gap));
    }

    @ParameterizedTest
    @ValueSource(strings = {"copy", "classic", "consumer"})
    void shouldWaitWhenTheBrokersAndThenTheTopicAreNotThere(String mode) throws Exception {
        int port = RealContext.freePort();
        String servers = "localhost:" + port;
        topic = topic("late-" + mode);
        long start = System.nanoTime();
        Member member = new Member(mode, servers);
        assertThat(Duration.ofNanos(System.nanoTime() - start))
                .as("Kafka's clients would wait for a minute")
                .isLessThan(Duration.ofSeconds(30));
        await().until(() -> member.subscriber.waitsFor().orElse("").startsWith("the brokers"));
        try (EmbeddedBroker late = EmbeddedBroker.start(dataDir.resolve("late-" + mode), port, Map.of(), what -> {})) {
            await().until(() -> member.subscriber
                    .waitsFor()
                    .orElse("")
                    .equals("the topic " + topic.name() + ", which does not exist"));
            assertThat(member.subscriber.snapshotComplete()).isFalse();
            create(late.bootstrapServers(), topic, 2);
            write(late.bootstrapServers(), "user", 1);

            await().untilAsserted(() -> {
                assertThat(member.users("user")).hasSize(USERS);
                assertThat(member.subscriber.snapshotComplete()).isTrue();
                assertThat(member.subscriber.waitsFor()).isEmpty();
            });
            member.close();
        }
    }

    @Test
    void shouldTellOfEverybodyWhenItIsTheFeedAndPartitionsAreAdded() throws Exception {
        topic = topic("feed-added");
        create(topic, 2);
        PresenceFeed feed = feed();
        await().until(feed::isCaughtUp);
        addPartitions(4);
        write("user", 1);

        await().until(() -> feed.isCaughtUp() && knowsAll(feed, "user"));
        assertThat(feed.waitsFor()).isEmpty();
    }

    @Test
    void shouldBeginAnewForItsWatchersWhenItIsTheFeedAndTheTopicIsCreatedAgain() throws Exception {
        topic = topic("feed-again");
        create(topic, 2);
        write("before", 1);
        PresenceFeed feed = feed();
        await().until(feed::isCaughtUp);
        try (PresenceSubscription all = feed.subscribe(null, null, () -> {})) {
            BatchToken old = Optional.ofNullable(all.poll(USERS)).orElseThrow().nextBatch();
            recreate();
            for (int round = 1; round <= 3; round++) {
                write("after", round);
            }
            List<String> told = new CopyOnWriteArrayList<>();
            AtomicBoolean beganAnew = new AtomicBoolean(); // until it looks at the topic's id it reads on where it was
            await().until(() -> {
                Batch batch = all.poll(2 * USERS);
                if (batch != null) {
                    if (batch.snapshot()) {
                        beganAnew.set(true);
                        told.clear();
                    }
                    batch.presences().forEach(found -> told.add(found.toString()));
                }
                return beganAnew.get()
                        && feed.isCaughtUp()
                        && told.stream()
                                        .filter(json -> json.contains("user=after"))
                                        .count()
                                >= USERS
                        && told.stream().noneMatch(json -> json.contains("user=before") && json.contains("ONLINE"));
            });
            try (PresenceSubscription back = feed.subscribe(null, old, () -> {})) {
                assertThat(back.poll(1)).isNotNull().returns(true, Batch::snapshot);
            }
        }
    }

    @Test
    void shouldAnswerWhatIsCommittedAndNothingElseWhenItIsTheFeed() throws Exception {
        topic = topic("feed-committed");
        create(topic, 1);
        UserId user = UserId.of("user");
        PresenceFeed feed = feed();
        await().until(feed::isCaughtUp);
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", servers(), "transactional.id", topic.name()),
                new ByteArraySerializer(),
                new ByteArraySerializer())) {
            producer.initTransactions();
            for (int sequence = 1; sequence <= 2; sequence++) {
                producer.beginTransaction();
                Presence value = new Presence(ONLINE, null, null, 1, null, sequence);
                byte[] bytes = topic.values().serializer().serialize(topic.name(), value);
                producer.send(new ProducerRecord<>(topic.name(), user.bytes(), bytes))
                        .get();
                Thread.sleep(1_000);
                assertThat(feed.presence(user)).isEmpty();
                PresenceFeed late = feed();
                await().until(late::isCaughtUp);
                assertThat(late.presence(user)).isEmpty();
                if (sequence == 1) {
                    producer.abortTransaction();
                } else {
                    producer.commitTransaction();
                }
            }
            await().untilAsserted(() -> assertThat(feed.presence(user))
                    .hasValueSatisfying(last -> assertThat(last.sequence()).isEqualTo(2)));
        }
    }

    @Test
    void shouldNotPassForCaughtUpWhenTheFeedMetAnError() throws Exception {
        topic = topic("feed-error");
        create(topic, 1);
        PresenceFeed feed = feed();
        await().until(feed::isCaughtUp);
        PresenceSubscription watch = feed.subscribe(null, null, () -> {
            throw new InternalError("test");
        });
        write("user", 1);

        await().untilAsserted(() -> assertThat(feed.waitsFor()).contains(topic.name() + ", whose reading has ended"));
        assertThat(feed.isCaughtUp()).isFalse();
        watch.close();
    }

    private static boolean knowsAll(PresenceFeed feed, String name) {
        return IntStream.range(0, USERS)
                .allMatch(i -> feed.presence(UserId.of(name + i)).isPresent());
    }

    private PresenceFeed feed() {
        PresenceFeed feed = new PresenceFeed();
        toClose.add(new TopicReader(topic, Map.of("bootstrap.servers", servers()), feed, failure -> {}));
        return feed;
    }

    private static void create(Topic<?, ?> topic, int partitions) throws Exception {
        create(servers(), topic, partitions);
    }

    private static void create(String servers, Topic<?, ?> topic, int partitions) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", servers))) {
            admin.createTopics(List.of(new NewTopic(topic.name(), partitions, (short) 1)
                            .configs(Map.of("cleanup.policy", "compact"))))
                    .all()
                    .get();
        }
    }

    private void recreate() throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", servers()))) {
            admin.deleteTopics(List.of(topic.name())).all().get();
            await().until(() -> !admin.listTopics().names().get().contains(topic.name()));
        }
        create(topic, 2);
    }

    private void addPartitions(int total) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", servers()))) {
            admin.createPartitions(Map.of(topic.name(), NewPartitions.increaseTo(total)))
                    .all()
                    .get();
            await().until(() -> admin.describeTopics(List.of(topic.name()))
                            .allTopicNames()
                            .get()
                            .get(topic.name())
                            .partitions()
                            .size()
                    == total);
        }
    }

    private void write(String name, long sequence) {
        write(servers(), name, sequence);
    }

    /** One record of each user, on the partition of its key. */
    private void write(String servers, String name, long sequence) {
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", servers), new ByteArraySerializer(), new ByteArraySerializer())) {
            for (int i = 0; i < USERS; i++) {
                long at = System.currentTimeMillis();
                Presence value = new Presence(ONLINE, sequence == 1 ? null : ONLINE, null, at, null, sequence);
                byte[] bytes = topic.values().serializer().serialize(topic.name(), value);
                var unused = producer.send(new ProducerRecord<>(
                        topic.name(), null, at, UserId.of(name + i).bytes(), bytes));
            }
        }
    }

    private static String servers() {
        return Optional.ofNullable(broker).orElseThrow().bootstrapServers();
    }

    private static Topic<UserId, Presence> topic(String name) {
        RollcallConfig config =
                RollcallConfig.of(Map.of("topic.presence", "presence-" + name + "-" + topics.incrementAndGet()));
        return Topics.of(config.topics()).presence();
    }

    /** A reader on a thread of its own. */
    private final class Member implements AutoCloseable {
        private final List<PresenceChange> heard = new CopyOnWriteArrayList<>();
        private final PresenceSubscriber subscriber;
        private final Thread thread;

        /** A full copy, or one of a group that has the topic's name, with this protocol. */
        Member(String mode, String servers) {
            Map<String, Object> settings = new HashMap<>(Map.of("bootstrap.servers", servers));
            if (!mode.equals("copy")) {
                settings.put("group.protocol", mode);
            }
            Options options = mode.equals("copy") ? Options.fullCopy() : Options.inGroup(topic.name());
            subscriber = new PresenceSubscriber(topic, settings, options, heard::add);
            thread = new Thread(subscriber::run, "member");
            thread.start();
            toClose.add(this);
        }

        Set<UserId> users(String name) {
            return heard.stream()
                    .map(PresenceChange::user)
                    .filter(user -> user.toString().startsWith(name))
                    .collect(Collectors.toSet());
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
