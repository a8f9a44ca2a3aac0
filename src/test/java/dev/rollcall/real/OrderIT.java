package dev.rollcall.real;

import static dev.rollcall.domain.PresenceState.IDLE;
import static dev.rollcall.domain.PresenceState.OFFLINE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.Row;
import dev.rollcall.app.Rollcall;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.UserId;
import dev.rollcall.embedded.EmbeddedBroker;
import dev.rollcall.real.RealContext.Beating;
import dev.rollcall.real.RealContext.Emitted;
import dev.rollcall.wire.Inbound;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerInterceptor;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.test.KafkaClusterTestKit;
import org.apache.kafka.common.test.TestKitNodes;
import org.apache.kafka.metadata.bootstrap.BootstrapMetadata;
import org.apache.kafka.server.common.MetadataVersion;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What order records take effect in (rule 7), through real partitions, fetches and bundles. */
@Execution(ExecutionMode.CONCURRENT)
@Timeout(180)
class OrderIT {
    private static final int USERS = 60;

    @TempDir
    private Path dataDir;

    @Test
    @Row("L6")
    void shouldTakeEffectInTheOrderOfTheStampsWhenABacklogIsRead() throws Exception {
        List<String> hiding = RealContext.users("hiding", USERS);
        List<String> seen = RealContext.users("seen", USERS);
        try (EmbeddedBroker broker = EmbeddedBroker.start(dataDir.resolve("broker"), 0)) {
            start(broker).close(); // the topics are there now, and nobody reads them
            try (RealContext context = new RealContext(broker.bootstrapServers())) {
                Beating others = context.keepBeating(RealContext.users("other", 200), Duration.ofMillis(5));
                for (int i = 0; i < USERS; i++) {
                    context.hide(hiding.get(i));
                    context.heartbeat(seen.get(i), "phone", ONLINE);
                    RealContext.sleep(Duration.ofMillis(20));
                    context.heartbeat(hiding.get(i), "phone", ONLINE);
                    context.hide(seen.get(i));
                }
                others.stop();
                try (Rollcall rollcall = start(broker)) {
                    assertThat(rollcall.bootstrapServers()).isEqualTo(broker.bootstrapServers());
                    context.awaitState(seen, OFFLINE);

                    assertThat(context.spokenOf()).doesNotContainAnyElementsOf(hiding);
                    for (String user : seen) {
                        assertThat(context.emitted(user))
                                .as(user)
                                .extracting(Emitted::state)
                                .containsExactly(ONLINE, OFFLINE);
                    }
                    context.assertHistoriesAreWhole();
                }
            }
        }
    }

    /** Nobody can make a broker's clock step, so these heartbeats have their producer's stamps; the processor sees the same. */
    @Test
    void shouldApplyTheLaterRecordWhenTheStampsOfTheLogStepBack() throws Exception {
        try (EmbeddedBroker broker = EmbeddedBroker.start(dataDir.resolve("broker"), 0)) {
            start(broker).close();
            try (RealContext context = new RealContext(broker.bootstrapServers())) {
                stampedBy("CreateTime", broker);
                long now = System.currentTimeMillis();
                try (KafkaProducer<byte[], byte[]> producer = context.producer(Map.of())) {
                    write(producer, "@step:example.org", ONLINE, now);
                    write(producer, "@step:example.org", IDLE, now - 200);
                    write(producer, "@hour:example.org", ONLINE, now + 3_500_000); // a broker takes an hour
                    write(producer, "@hour:example.org", OFFLINE, now);
                }
                stampedBy("LogAppendTime", broker);
                try (Rollcall rollcall = start(broker.bootstrapServers(), "device.lease.ms", "6000")) {
                    assertThat(rollcall.bootstrapServers()).isEqualTo(broker.bootstrapServers());
                    context.awaitState(List.of("@hour:example.org"), OFFLINE);
                    context.awaitState(List.of("@step:example.org"), OFFLINE); // its lease is no hour long
                    assertThat(context.emitted("@step:example.org"))
                            .extracting(Emitted::state)
                            .containsExactly(ONLINE, IDLE, OFFLINE);
                    context.assertHistoriesAreWhole();
                }
            }
        }
    }

    /**
     * Heartbeats at one broker, flags at another, and a stream thread that is busy. Flags keep coming, so that the fetch for
     * them is answered when the thread begins to be busy; the one for heartbeats is answered while it is.
     */
    @ParameterizedTest
    @ValueSource(strings = {"classic", "streams"})
    @SuppressWarnings({"try", "FutureReturnValueIgnored"}) // the kit's close may be interrupted
    void shouldWaitForAFlagAtAnotherBrokerWhenTheProcessorIsBusy(String protocol) throws Exception {
        List<String> hiding = RealContext.users("hiding", 20);
        TestKitNodes nodes = new TestKitNodes.Builder()
                .setNumControllerNodes(1)
                .setNumBrokerNodes(2)
                .setCombined(true)
                .setBootstrapMetadata(BootstrapMetadata.fromVersions(
                        MetadataVersion.latestProduction(),
                        Map.of("group.version", (short) 1, "streams.version", (short) 1, "transaction.version", (short)
                                2),
                        "the test"))
                .build();
        try (KafkaClusterTestKit cluster = new KafkaClusterTestKit.Builder(nodes)
                .setConfigProp("offsets.topic.replication.factor", "1")
                .setConfigProp("transaction.state.log.replication.factor", "1")
                .setConfigProp("transaction.state.log.min.isr", "1")
                .build()) {
            cluster.format();
            cluster.startup();
            cluster.waitForReadyBrokers();
            try (Admin admin = Admin.create(Map.of("bootstrap.servers", cluster.bootstrapServers()))) {
                admin.createTopics(List.of(
                                topic(RealContext.TOPICS.heartbeats().name(), 0, "delete"),
                                topic(RealContext.TOPICS.appearOffline().name(), 1, "compact"),
                                topic(RealContext.TOPICS.statuses().name(), 1, "compact")))
                        .all()
                        .get();
            }
            try (Rollcall rollcall = start(
                            cluster.bootstrapServers(),
                            "kafka.group.protocol",
                            protocol,
                            "kafka.main.consumer.interceptor.classes",
                            Busy.class.getName());
                    RealContext context = new RealContext(rollcall.bootstrapServers())) {
                ScheduledExecutorService others = Executors.newSingleThreadScheduledExecutor();
                others.scheduleWithFixedDelay(() -> context.unhide("@other:example.org"), 0, 5, TimeUnit.MILLISECONDS);
                for (int i = 0; i < hiding.size(); i++) {
                    context.hide(hiding.get(i));
                    RealContext.sleep(Duration.ofMillis(110));
                    context.heartbeat(hiding.get(i), "phone", ONLINE);
                    RealContext.sleep(
                            Duration.ofMillis(300 + i * 23)); // at another point of the processor's turn each time
                }
                others.shutdownNow();
                context.heartbeat("@last:example.org", "phone", ONLINE);
                context.awaitState(List.of("@last:example.org"), ONLINE);
                RealContext.sleep(Busy.TURN.multipliedBy(3));
                assertThat(context.spokenOf()).containsExactly("@last:example.org");
            }
        }
    }

    /** Takes its time, as a stream thread does that has much to do. */
    public static final class Busy implements ConsumerInterceptor<byte[], byte[]> {
        static final Duration TURN = Duration.ofMillis(300);

        @Override
        public ConsumerRecords<byte[], byte[]> onConsume(ConsumerRecords<byte[], byte[]> polled) {
            LockSupport.parkNanos(TURN.toNanos());
            return polled;
        }

        @Override
        public void onCommit(Map<TopicPartition, OffsetAndMetadata> offsets) {}

        @Override
        public void close() {}

        @Override
        public void configure(Map<String, ?> settings) {}
    }

    private static NewTopic topic(String name, int broker, String cleanup) {
        Map<Integer, List<Integer>> replicas = new HashMap<>();
        for (int partition = 0; partition < RealContext.PARTITIONS; partition++) {
            replicas.put(partition, List.of(broker));
        }
        return new NewTopic(name, replicas)
                .configs(Map.of("cleanup.policy", cleanup, "message.timestamp.type", "LogAppendTime"));
    }

    private Rollcall start(EmbeddedBroker broker) throws Exception {
        return start(broker.bootstrapServers());
    }

    private Rollcall start(String bootstrapServers, String... more) throws Exception {
        Map<String, String> settings = RealContext.settings(dataDir.resolve("processor"), more);
        settings.put("bootstrap.servers", bootstrapServers);
        settings.putIfAbsent("device.lease.ms", "20000");
        settings.put("topic.replication.factor", "1");
        Rollcall rollcall = Rollcall.start(RollcallConfig.of(settings));
        rollcall.awaitReady();
        return rollcall;
    }

    private static void write(KafkaProducer<byte[], byte[]> producer, String user, PresenceState state, long stamp) {
        Heartbeat heartbeat = new Heartbeat("phone", state, false, OptionalLong.empty(), null);
        RealContext.acknowledged(producer.send(new ProducerRecord<>(
                RealContext.TOPICS.heartbeats().name(),
                null,
                stamp,
                UserId.of(user).bytes(),
                RealContext.bytes(RealContext.TOPICS.heartbeats(), new Inbound.Beat(heartbeat)))));
    }

    private static void stampedBy(String type, EmbeddedBroker broker) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrapServers()))) {
            ConfigResource topic = new ConfigResource(
                    ConfigResource.Type.TOPIC, RealContext.TOPICS.heartbeats().name());
            AlterConfigOp change =
                    new AlterConfigOp(new ConfigEntry("message.timestamp.type", type), AlterConfigOp.OpType.SET);
            admin.incrementalAlterConfigs(Map.of(topic, List.of(change))).all().get();
        }
    }
}
