package dev.rollcall.real;

import static dev.rollcall.real.RealContext.await;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.client.PresencePublisher;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.embedded.EmbeddedBroker;
import dev.rollcall.session.ShardHeartbeat;
import dev.rollcall.wire.Inbound;
import dev.rollcall.wire.Topic;
import dev.rollcall.wire.TopicNames;
import dev.rollcall.wire.Topics;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.utils.Utils;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The publisher and a broker that is slow, away, and back. */
@Timeout(120)
@SuppressWarnings("FutureReturnValueIgnored") // what was sent says more
class PublisherIT {
    private static final int PARTITIONS = 3;
    private static final List<PresenceState> STATES = List.of(PresenceState.values());
    private static final int DEVICES = 500;

    @TempDir
    static Path dataDir;

    private static TcpProxy proxy;
    private static EmbeddedBroker broker;
    private static int run;

    private Topics topics;

    @BeforeAll
    static void start() throws Exception {
        proxy = new TcpProxy();
        // Clients go to where the broker says it is: it says that it is where the proxy is.
        broker = EmbeddedBroker.start(
                dataDir, 0, Map.of("advertised.listeners", "PLAINTEXT://localhost:" + proxy.port()), what -> {});
        proxy.leadTo(broker.port());
    }

    @AfterAll
    static void close() throws Exception {
        broker.close();
        proxy.close();
    }

    @BeforeEach
    void createTopics() throws Exception {
        String suffix = "-" + run++;
        topics = Topics.of(new TopicNames(
                "device-heartbeat" + suffix,
                "status" + suffix,
                "appear-offline" + suffix,
                "presence",
                "dead-letters",
                "routing"));
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrapServers()))) {
            admin.createTopics(topics.inputs().stream()
                            .map(topic -> new NewTopic(topic.name(), PARTITIONS, (short) 1)
                                    .configs(Map.of("message.timestamp.type", "LogAppendTime")))
                            .toList())
                    .all()
                    .get();
            // A new topic's partitions have leaders in the metadata shortly before the broker takes records for them. A
            // first batch that comes in between is refused, and never accepted if the second one was: KAFKA-15591.
            Map<TopicPartition, OffsetSpec> partitions = topics.inputs().stream()
                    .flatMap(topic -> IntStream.range(0, PARTITIONS)
                            .mapToObj(partition -> new TopicPartition(topic.name(), partition)))
                    .collect(Collectors.toMap(partition -> partition, partition -> OffsetSpec.latest()));
            await().ignoreException(ExecutionException.class) // the topic itself may not be known yet, either
                    .until(() -> admin.listOffsets(partitions).all().get(), ends -> ends.size() == partitions.size());
        }
    }

    @AfterEach
    void mend() {
        proxy.delay(0);
        proxy.mend();
    }

    @Test
    void shouldPutEachUserWhereMurmur2SaysWhenItSends() throws Exception {
        try (PresencePublisher publisher = publisher(Map.of())) {
            for (int i = 0; i < 50; i++) {
                publisher.opened(user(i), "phone");
                publisher.status(user(i), new StatusText("here", null));
            }
        }

        List<ConsumerRecord<byte[], byte[]>> records = all(topics.heartbeats());
        records.removeIf(record -> record.key() == null); // the shard's own
        records.addAll(all(topics.statuses()));
        assertThat(records)
                .hasSize(100)
                .allSatisfy(record -> assertThat(record.partition())
                        .isEqualTo(Utils.toPositive(Utils.murmur2(record.key())) % PARTITIONS));
    }

    @Test
    void shouldBeHeardInEachPartitionFromBeforeTheFirstOpenToTheEnd() throws Exception {
        try (PresencePublisher publisher = publisher(Map.of())) {
            for (int i = 0; i < 50; i++) {
                publisher.opened(user(i), "phone");
            }
            Thread.sleep(3_000);
        }

        Map<Integer, List<ConsumerRecord<byte[], byte[]>>> byPartition =
                all(topics.heartbeats()).stream().collect(Collectors.groupingBy(ConsumerRecord::partition));
        assertThat(byPartition).hasSize(PARTITIONS);
        byPartition.values().forEach(records -> {
            List<ConsumerRecord<byte[], byte[]>> beats =
                    records.stream().filter(record -> record.key() == null).toList();
            assertThat(records.get(0)).isSameAs(beats.get(0));
            assertThat(records.get(records.size() - 1)).isSameAs(beats.get(beats.size() - 1));
            assertThat(beats)
                    .extracting(record -> shardHeartbeat(record).session())
                    .containsOnly(shardHeartbeat(beats.get(0)).session());
            // Nine thirds of the lease, one more for the first open, and the end.
            assertThat(beats).hasSizeBetween(8, 12);
            assertThat(beats)
                    .filteredOn(record -> shardHeartbeat(record).ended())
                    .hasSize(1);
            for (int i = 1; i < beats.size(); i++) {
                assertThat(beats.get(i).timestamp() - beats.get(i - 1).timestamp())
                        .isLessThan(1_000);
            }
        });
    }

    @Test
    void shouldOpenAgainWhatIsConnectedWhenTheBrokerWasAwayForLongerThanTheLease() throws Exception {
        PresencePublisher publisher = publisher(Map.of());
        for (int i = 0; i < 50; i++) {
            publisher.opened(user(i), "phone", PresenceState.IDLE).get(20, TimeUnit.SECONDS);
        }
        Thread.sleep(500);
        int before = all(topics.heartbeats()).size();
        proxy.cut();
        Thread.sleep(1_500);
        proxy.mend();

        await().until(() -> all(topics.heartbeats()).stream()
                        .filter(record -> record.key() != null)
                        .count()
                >= 100);
        publisher.handOver();

        List<ConsumerRecord<byte[], byte[]>> records = all(topics.heartbeats());
        assertThat(records).hasSizeGreaterThan(before);
        assertThat(records.stream().filter(record -> record.key() != null))
                .hasSize(100)
                .allSatisfy(record -> {
                    Heartbeat beat = heartbeat(record);
                    assertThat(beat.state()).isEqualTo(PresenceState.IDLE);
                    assertThat(beat.connectionEnded()).isFalse();
                });
        assertThat(records.stream().filter(record -> record.key() == null))
                .noneMatch(record -> shardHeartbeat(record).ended());
    }

    @Test
    void shouldBeHeardInPartitionsThatAreAdded() throws Exception {
        try (PresencePublisher publisher = publisher(Map.of("metadata.max.age.ms", 500));
                Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrapServers()))) {
            for (int i = 0; i < 50; i++) {
                publisher.opened(user(i), "phone").get(20, TimeUnit.SECONDS);
            }
            admin.createPartitions(Map.of(topics.heartbeats().name(), NewPartitions.increaseTo(PARTITIONS + 2)))
                    .all()
                    .get();

            await().untilAsserted(() -> assertThat(all(topics.heartbeats()))
                    .filteredOn(record -> record.partition() >= PARTITIONS && record.key() == null)
                    .extracting(ConsumerRecord::partition)
                    .contains(PARTITIONS, PARTITIONS + 1));
            await().untilAsserted(() -> assertThat(all(topics.heartbeats()))
                    .filteredOn(record -> record.partition() >= PARTITIONS && record.key() != null)
                    .isNotEmpty()
                    .allSatisfy(record -> assertThat(record.partition())
                            .isEqualTo(Utils.toPositive(Utils.murmur2(record.key())) % (PARTITIONS + 2))));
        }
    }

    @Test
    void shouldFailAHundredCallsAsSoonAsOneWhenTheTopicIsMissing() throws Exception {
        topics = Topics.of(
                new TopicNames("missing", topics.statuses().name(), "missing-too", "presence", "dead", "routing"));
        PresencePublisher publisher = publisher(Map.of("max.block.ms", 1_000));
        try {
            List<CompletableFuture<Void>> futures = new ArrayList<>();
            long before = System.nanoTime();
            for (int i = 0; i < 100; i++) {
                futures.add(publisher.appearOffline(user(i), true));
                futures.add(publisher.opened(user(i), "phone"));
            }
            publisher.status(user(0), new StatusText("here", null)).get(20, TimeUnit.SECONDS);
            await().until(() -> futures.stream().allMatch(CompletableFuture::isCompletedExceptionally));

            assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(Duration.ofSeconds(10));
        } finally {
            publisher.close(Duration.ofMillis(100));
        }
    }

    @Test
    void shouldLoseNothingWhenTheBrokerIsSlow() throws Exception {
        Story story = new Story();
        proxy.delay(200);
        try (PresencePublisher publisher = publisher(Map.of())) {
            story.tell(publisher, 3_000);
            await().until(story::answered);
        }

        story.assertAllOfItArrived();
    }

    @Test
    void shouldLoseNothingAndQueueNoHeartbeatsWhenTheBrokerIsAwayAndComesBack() throws Exception {
        Story story = new Story();
        try (PresencePublisher publisher = publisher(Map.of())) {
            story.tell(publisher, 1_000);
            proxy.cut();
            story.tell(publisher, 1_000);
            int changes = publisher.pending();
            // Nine thirds of a lease: as many heartbeats in each partition, of which one at most may wait.
            Thread.sleep(3_000);
            assertThat(publisher.pending()).isBetween(500, changes + PARTITIONS);
            proxy.mend();
            await().until(story::answered);
        }

        story.assertAllOfItArrived();
    }

    @Test
    void shouldNotWaitAndLoseNothingWhenTheBrokerIsAwayFromTheStart() throws Exception {
        Story story = new Story();
        proxy.cut();
        try (PresencePublisher publisher = publisher(Map.of())) {
            long before = System.nanoTime();
            story.tell(publisher, 2_000);
            assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(Duration.ofSeconds(5));
            proxy.mend();
            await().until(story::answered);
        }

        story.assertAllOfItArrived();
    }

    @Test
    void shouldAnswerEachFutureTruthfullyWhenTheBrokerIsAwayForLongerThanTheDeliveryTimeout() throws Exception {
        Map<String, Object> briefTimeouts =
                Map.of("delivery.timeout.ms", 1_500, "request.timeout.ms", 1_000, "max.block.ms", 500);
        List<CompletableFuture<Void>> futures = new ArrayList<>();
        try (PresencePublisher publisher = publisher(briefTimeouts)) {
            publisher.status(user(0), new StatusText("before", null)).get(20, TimeUnit.SECONDS);
            proxy.cut();
            for (int i = 0; i < 100; i++) {
                futures.add(publisher.status(user(i), new StatusText("away", null)));
            }
            Thread.sleep(3_000);
            proxy.mend();
            await().until(() -> publisher.pending() == 0);
        }

        assertThat(futures).allSatisfy(future -> assertThat(future).isDone());
        long acknowledged = futures.stream()
                .filter(future -> !future.isCompletedExceptionally())
                .count();
        System.out.println("PublisherIT: acknowledged late " + acknowledged);
        assertThat(all(topics.statuses())).hasSizeGreaterThanOrEqualTo((int) (1 + acknowledged));
    }

    @Test
    void shouldEndInTimeAndFailTheRestWhenItIsClosedWhileTheBrokerIsAway() {
        proxy.cut();
        PresencePublisher publisher = publisher(Map.of());
        CompletableFuture<Void> opened = publisher.opened(user(0), "phone");

        long before = System.nanoTime();
        publisher.close(Duration.ofSeconds(1));

        assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(Duration.ofSeconds(5));
        await().until(opened::isCompletedExceptionally);
        await().until(() -> publisher.pending() == 0);
    }

    private static PresencePublisher publisher(Map<String, Object> more, PresencePublisher.Builder builder) {
        Map<String, Object> settings = new HashMap<>(more);
        settings.put("bootstrap.servers", bootstrapServers());
        settings.put("reconnect.backoff.max.ms", 200);
        return builder.start(settings);
    }

    private PresencePublisher publisher(Map<String, Object> more) {
        return publisher(
                more, PresencePublisher.forShard("shard-1").topics(topics).lease(Duration.ofSeconds(1)));
    }

    private static String bootstrapServers() {
        return "localhost:" + proxy.port();
    }

    private static UserId user(int number) {
        return UserId.of("@user" + number + ":example.org");
    }

    private Heartbeat heartbeat(ConsumerRecord<byte[], byte[]> record) {
        return ((Inbound.Beat) content(record)).heartbeat();
    }

    private ShardHeartbeat shardHeartbeat(ConsumerRecord<byte[], byte[]> record) {
        return ((Inbound.ShardBeat) content(record)).heartbeat();
    }

    private Inbound.Content content(ConsumerRecord<byte[], byte[]> record) {
        return topics.heartbeats()
                .values()
                .deserializer()
                .deserialize(record.topic(), record.value())
                .content();
    }

    /** A consumer of all there is on a topic, in order per partition. */
    private static List<ConsumerRecord<byte[], byte[]>> all(Topic<?, ?> topic) {
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", bootstrapServers()),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = consumer.partitionsFor(topic.name()).stream()
                    .map(partition -> new TopicPartition(topic.name(), partition.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
                consumer.poll(Duration.ofMillis(100)).forEach(records::add);
            }
        }
        return records;
    }

    /** Random states of some devices; what was accepted, in order per device. */
    private final class Story {
        private final Random random;
        private final Map<Integer, List<PresenceState>> emitted = new HashMap<>();
        private final List<CompletableFuture<Void>> futures = new ArrayList<>();

        Story() {
            long seed = System.nanoTime();
            System.out.println("PublisherIT seed " + seed);
            random = new Random(seed);
        }

        void tell(PresencePublisher publisher, int events) {
            for (int i = 0; i < events; i++) {
                int device = random.nextInt(DEVICES);
                PresenceState state = STATES.get(random.nextInt(3));
                List<PresenceState> before = emitted.computeIfAbsent(device, key -> new ArrayList<>());
                if (before.isEmpty()) {
                    futures.add(publisher.opened(user(device), "phone", state));
                    before.add(state);
                } else {
                    futures.add(publisher.state(user(device), "phone", state));
                    if (before.get(before.size() - 1) != state) {
                        before.add(state);
                    }
                }
            }
        }

        boolean answered() {
            return futures.stream().allMatch(CompletableFuture::isDone);
        }

        /** Each change once and in order, among opens that repeat the last state. */
        void assertAllOfItArrived() {
            assertThat(futures)
                    .allSatisfy(future -> assertThat(future).isCompleted().isNotCompletedExceptionally());
            Map<UserId, List<String>> arrived = new HashMap<>();
            for (ConsumerRecord<byte[], byte[]> record : all(topics.heartbeats())) {
                if (record.key() == null) {
                    continue; // the shard's own
                }
                Heartbeat beat = heartbeat(record);
                String event = beat.connectionEnded() ? "END" : String.valueOf(beat.state());
                List<String> events = arrived.computeIfAbsent(UserId.ofBytes(record.key()), key -> new ArrayList<>());
                if (events.isEmpty() || !events.get(events.size() - 1).equals(event)) {
                    events.add(event);
                }
            }
            assertThat(arrived).hasSameSizeAs(emitted);
            emitted.forEach((device, states) -> {
                List<String> expected =
                        new ArrayList<>(states.stream().map(PresenceState::name).toList());
                assertThat(arrived.get(user(device))).isEqualTo(expected);
            });
        }
    }
}
