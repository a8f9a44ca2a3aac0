package dev.rollcall.real;

import static dev.rollcall.domain.PresenceState.ONLINE;
import static dev.rollcall.real.RealContext.await;
import static org.apache.kafka.common.acl.AclPermissionType.ALLOW;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rollcall.admin.TopicSetup;
import dev.rollcall.app.Rollcall;
import dev.rollcall.config.ConfigException;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.contract.Access;
import dev.rollcall.contract.Role;
import dev.rollcall.real.HttpContext.Answer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerInterceptor;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.test.KafkaClusterTestKit;
import org.apache.kafka.common.test.TestKitNodes;
import org.apache.kafka.metadata.bootstrap.BootstrapMetadata;
import org.apache.kafka.server.common.MetadataVersion;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the probes are told when something does not get on. */
@Timeout(300)
class HealthIT {
    private static final String USER = "edge";

    @TempDir
    private Path dir;

    @Test
    @SuppressWarnings("try") // the cluster's close may be interrupted
    void shouldNotBeReadyWhileTwoOfThreeBrokersAreAway() throws Exception {
        TestKitNodes nodes = new TestKitNodes.Builder()
                .setNumControllerNodes(1)
                .setNumBrokerNodes(3)
                .setBootstrapMetadata(BootstrapMetadata.fromVersions(
                        MetadataVersion.latestProduction(),
                        Map.of("group.version", (short) 1, "streams.version", (short) 1, "transaction.version", (short)
                                2),
                        "the test"))
                .build();
        try (KafkaClusterTestKit cluster = new KafkaClusterTestKit.Builder(nodes)
                .setConfigProp("offsets.topic.replication.factor", "3")
                .setConfigProp("offsets.topic.num.partitions", "4")
                .setConfigProp("transaction.state.log.replication.factor", "3")
                .setConfigProp("transaction.state.log.num.partitions", "4")
                .setConfigProp("default.replication.factor", "3")
                .setConfigProp("min.insync.replicas", "2")
                .setConfigProp("group.initial.rebalance.delay.ms", "0")
                .build()) {
            cluster.format();
            cluster.startup();
            cluster.waitForReadyBrokers();
            try (Rollcall rollcall = Rollcall.start(config(
                            "bootstrap.servers",
                            cluster.bootstrapServers(),
                            "topic.replication.factor",
                            "3",
                            "http.health.stall.ms",
                            "5000"));
                    RealContext context = new RealContext(cluster.bootstrapServers())) {
                HttpContext http = HttpContext.withoutToken(rollcall.httpUrl().orElseThrow());
                context.heartbeat("@alice:example.org", "phone");
                context.awaitState(List.of("@alice:example.org"), ONLINE);
                await().until(() -> http.get("/health/ready").status() == 200);

                List<Integer> away = new ArrayList<>(cluster.brokers().keySet()).subList(0, 2);
                for (int broker : away) {
                    cluster.brokers().get(broker).shutdown();
                }
                await().until(() -> http.get("/health/ready").status() == 503);
                assertThat(http.get("/health/ready").json().get("error").asText())
                        .matches(
                                "waits for .*(commits to go through|clock ticks of partition|of the topic of presence).*");
                assertThat(http.get("/health/live").status())
                        .as("a restart would not help")
                        .isEqualTo(200);

                for (int broker : away) {
                    cluster.brokers().get(broker).startup();
                }
                await().until(() -> http.get("/health/ready").status() == 200);
            }
        }
    }

    /** Stops the thread that polls, until it is let go. */
    public static final class Stopping implements ConsumerInterceptor<byte[], byte[]> {
        static volatile CountDownLatch gate = new CountDownLatch(0);

        @Override
        public ConsumerRecords<byte[], byte[]> onConsume(ConsumerRecords<byte[], byte[]> polled) {
            try {
                gate.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            return polled;
        }

        @Override
        public void onCommit(Map<TopicPartition, OffsetAndMetadata> offsets) {}

        @Override
        public void close() {}

        @Override
        public void configure(Map<String, ?> settings) {}
    }

    @Test
    void shouldNotLiveWhenAThreadOfTheProcessorIsStuck() throws Exception {
        try (Rollcall rollcall = Rollcall.start(config(
                        "kafka.main.consumer.interceptor.classes",
                        Stopping.class.getName(),
                        "http.health.stall.ms",
                        "2000",
                        "http.health.dead.ms",
                        "3000"));
                RealContext context = new RealContext(rollcall.bootstrapServers())) {
            HttpContext http = HttpContext.withoutToken(rollcall.httpUrl().orElseThrow());
            await().until(() -> http.get("/health/ready").status() == 200);
            assertThat(http.get("/health/ready").json().at("/processor/state").asText())
                    .isEqualTo("running");

            Stopping.gate = new CountDownLatch(1);
            try {
                context.heartbeat("@alice:example.org", "phone");
                await().until(() -> http.get("/health/live").status() == 503);
                assertThat(http.get("/health/live").json().get("error").asText())
                        .matches("the thread \\S+ has not come round for \\d+ s");
                assertThat(http.get("/health/ready").status()).isEqualTo(503);
            } finally {
                Stopping.gate.countDown();
            }
            await().until(() -> http.get("/health/live").status() == 200);
            await().until(() -> http.get("/health/ready").status() == 200);
        }
    }

    @Test
    void shouldReadAgainWhenTheFeedHasFailedAndEndWhenItKeepsFailing() throws Exception {
        try (SecuredBroker broker = SecuredBroker.start(dir, List.of(USER))) {
            Map<String, Object> asAdmin = new java.util.HashMap<>(broker.client(SecuredBroker.ADMIN));
            asAdmin.put("bootstrap.servers", broker.bootstrapServers());
            List<String> settings = new ArrayList<>(List.of("bootstrap.servers", broker.bootstrapServers()));
            broker.client(USER).forEach((key, value) -> settings.addAll(List.of("kafka." + key, value)));
            RollcallConfig config = config(settings.toArray(String[]::new));
            try (Admin admin = Admin.create(asAdmin)) {
                new TopicSetup(admin, config, broker.bootstrapServers())
                        .create(List.of(
                                "device-heartbeat", "status", "appear-offline", "presence", "presence-dead-letters"));
                Access.of(Role.EDGE, config, "")
                        .rights()
                        .forEach((resource, operations) ->
                                operations.forEach(operation -> grant(admin, resource, operation)));
                AclBinding reading = binding(
                        new ResourcePattern(ResourceType.TOPIC, "presence", PatternType.LITERAL), AclOperation.READ);
                AclBinding describing = binding(reading.pattern(), AclOperation.DESCRIBE);
                admin.createAcls(List.of(describing)).all().get();
                try (Rollcall edge = Rollcall.startEdge(config)) {
                    HttpContext http = HttpContext.withoutToken(edge.httpUrl().orElseThrow());
                    await().until(() -> http.get("/health/ready").status() == 200);

                    admin.deleteAcls(List.of(reading.toFilter())).all().get();
                    await().until(() -> http.get("/health/ready").status() == 503);
                    Answer refused = http.get("/health/ready");
                    assertThat(refused.json().get("error").asText())
                            .contains("presence to be read again: Not authorized");

                    admin.createAcls(List.of(reading)).all().get();
                    await().until(() -> http.get("/health/ready").status() == 200);

                    admin.deleteAcls(List.of(reading.toFilter())).all().get();
                    assertThatThrownBy(edge::awaitEnd)
                            .isInstanceOf(ExecutionException.class)
                            .cause()
                            .isInstanceOf(ConfigException.class)
                            .hasMessageContaining("User:" + USER)
                            .hasMessageContaining("Read or Write on the topic presence");
                }
            }
        }
    }

    private static void grant(Admin admin, ResourcePattern resource, AclOperation operation) {
        try {
            admin.createAcls(List.of(binding(resource, operation))).all().get();
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    private static AclBinding binding(ResourcePattern resource, AclOperation operation) {
        return new AclBinding(resource, new AccessControlEntry("User:" + USER, "*", operation, ALLOW));
    }

    private RollcallConfig config(String... keysAndValues) {
        List<String> all = new ArrayList<>(List.of("http.port", "0"));
        all.addAll(List.of(keysAndValues));
        return RollcallConfig.of(RealContext.settings(dir.resolve("data"), all.toArray(String[]::new)));
    }
}
