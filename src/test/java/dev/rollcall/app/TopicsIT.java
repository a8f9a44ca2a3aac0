package dev.rollcall.app;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.rollcall.config.ConfigException;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.embedded.EmbeddedBroker;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.FeatureUpdate;
import org.apache.kafka.clients.admin.FeatureUpdate.UpgradeType;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.UpdateFeaturesOptions;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Topics with wrong settings are found at the start, and while Rollcall runs. */
@Timeout(120)
class TopicsIT {
    private static final Duration BETWEEN_CHECKS = Duration.ofMillis(200);
    private static final List<String> INPUTS = List.of("device-heartbeat", "status", "appear-offline");

    @TempDir
    private Path dir;

    @Test
    void shouldRefuseAllThatIsWrongAtOnceAndAlterNothingWhenTheClusterIsSomebodysOwn() throws Exception {
        try (EmbeddedBroker cluster = EmbeddedBroker.start(dir.resolve("cluster"), 0);
                Admin admin = admin(cluster.bootstrapServers())) {
            create(admin, "device-heartbeat", "cleanup.policy", "compact", "message.timestamp.type", "LogAppendTime");
            create(admin, "status", "cleanup.policy", "compact", "message.timestamp.type", "CreateTime");
            create(admin, "presence-dead-letters", "cleanup.policy", "compact");

            assertThatThrownBy(() -> Rollcall.start(joining(cluster)))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining("device-heartbeat has cleanup.policy=compact, and must have delete")
                    .hasMessageContaining("status has message.timestamp.type=CreateTime, and must have LogAppendTime")
                    .hasMessageContaining("presence-dead-letters has cleanup.policy=compact, and must have delete")
                    .hasMessageContaining("kafka-configs.sh --bootstrap-server " + cluster.bootstrapServers()
                            + " --alter --entity-type topics --entity-name status"
                            + " --add-config message.timestamp.type=LogAppendTime");
            assertThat(setting(admin, "status", "message.timestamp.type")).isEqualTo("CreateTime");

            // The commands in the message correct it.
            alter(admin, "device-heartbeat", "cleanup.policy", "delete");
            alter(admin, "status", "message.timestamp.type", "LogAppendTime");
            alter(admin, "presence-dead-letters", "cleanup.policy", "delete");
            try (Rollcall rollcall = Rollcall.start(joining(cluster))) {
                rollcall.awaitReady();
            }
        }
    }

    @Test
    void shouldRefuseInputsWithMorePartitionsThanWhatIsStored() throws Exception {
        try (EmbeddedBroker cluster = EmbeddedBroker.start(dir.resolve("cluster"), 0);
                Admin admin = admin(cluster.bootstrapServers())) {
            try (Rollcall rollcall = Rollcall.start(joining(cluster))) {
                rollcall.awaitReady();
            }
            for (String input : INPUTS) {
                admin.createPartitions(Map.of(input, NewPartitions.increaseTo(5)))
                        .all()
                        .get();
            }

            assertThatThrownBy(() -> Rollcall.start(joining(cluster)))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining("status has partitions=5, and must have 4")
                    .hasMessageContaining("application.id");
        }
    }

    @Test
    void shouldRefuseAClusterWhoseTransactionsAreOfTheOldProtocol() throws Exception {
        try (EmbeddedBroker cluster = EmbeddedBroker.start(dir.resolve("cluster"), 0);
                Admin admin = admin(cluster.bootstrapServers())) {
            setTransactionVersion(admin, 1, UpgradeType.SAFE_DOWNGRADE);

            assertThatThrownBy(() -> Rollcall.start(joining(cluster)))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining("the cluster has transaction.version=1, and must have 2")
                    .hasMessageContaining("kafka-features.sh --bootstrap-server " + cluster.bootstrapServers()
                            + " upgrade --feature transaction.version=2");

            setTransactionVersion(admin, 2, UpgradeType.UPGRADE); // as the command in the message does
            try (Rollcall rollcall = Rollcall.start(joining(cluster))) {
                rollcall.awaitReady();
            }
        }
    }

    private static void setTransactionVersion(Admin admin, int level, UpgradeType type) throws Exception {
        admin.updateFeatures(
                        Map.of("transaction.version", new FeatureUpdate((short) level, type)),
                        new UpdateFeaturesOptions())
                .all()
                .get();
    }

    @Test
    void shouldEndWithTheReasonWhenASettingIsChangedWhileItRuns() throws Exception {
        assertThat(reasonAfter(admin -> alter(admin, "appear-offline", "message.timestamp.type", "CreateTime")))
                .contains("appear-offline has message.timestamp.type=CreateTime, and must have LogAppendTime")
                .contains("kafka-configs.sh");
    }

    @Test
    void shouldEndWithTheReasonWhenPartitionsAreAddedWhileItRuns() throws Exception {
        assertThat(reasonAfter(admin -> admin.createPartitions(Map.of("status", NewPartitions.increaseTo(5)))
                        .all()
                        .get()))
                .contains("status has partitions=5, and must have 4")
                .contains("application.id");
    }

    @Test
    void shouldGoOnWhenWhatIsChangedIsOnlyUnwiseOrTheClusterIsAway() throws Exception {
        RollcallConfig config;
        int port;
        try (EmbeddedBroker cluster = EmbeddedBroker.start(dir.resolve("cluster"), 0)) {
            config = joining(cluster);
            port = cluster.port();
        }
        EmbeddedBroker cluster = EmbeddedBroker.start(dir.resolve("cluster"), port);
        try (Rollcall rollcall = Rollcall.start(config, BETWEEN_CHECKS)) {
            rollcall.awaitReady();
            try (Admin admin = admin(cluster.bootstrapServers())) {
                alter(admin, "presence", "cleanup.policy", "delete");
            }
            CompletableFuture<Throwable> end = endOf(rollcall);
            await().during(2, SECONDS).atMost(10, SECONDS).until(() -> !end.isDone());
            cluster.close();
            await().during(3, SECONDS).atMost(15, SECONDS).until(() -> !end.isDone());
        } finally {
            cluster.close();
        }
    }

    @Test
    void shouldAlterTheEmbeddedBrokersTopicsWhenAnOlderVersionMadeThem() throws Exception {
        try (EmbeddedBroker older = EmbeddedBroker.start(dir.resolve("data/kafka"), 0);
                Admin admin = admin(older.bootstrapServers())) {
            create(admin, "device-heartbeat", "cleanup.policy", "delete", "message.timestamp.type", "LogAppendTime");
            create(admin, "status", "cleanup.policy", "compact");
            create(admin, "appear-offline", "cleanup.policy", "compact");
            create(admin, "presence", "cleanup.policy", "compact");
        }

        try (Rollcall rollcall = Rollcall.start(config())) {
            rollcall.awaitReady();
            try (Admin admin = admin(rollcall.bootstrapServers())) {
                assertThat(setting(admin, "status", "message.timestamp.type")).isEqualTo("LogAppendTime");
                assertThat(setting(admin, "appear-offline", "message.timestamp.type"))
                        .isEqualTo("LogAppendTime");
            }
        }
    }

    private interface Change {
        void on(Admin admin) throws Exception;
    }

    /** The reason why Rollcall ended after a change of a topic that was right at the start. */
    private String reasonAfter(Change change) throws Exception {
        try (EmbeddedBroker cluster = EmbeddedBroker.start(dir.resolve("cluster"), 0);
                Admin admin = admin(cluster.bootstrapServers());
                Rollcall rollcall = Rollcall.start(joining(cluster), BETWEEN_CHECKS)) {
            rollcall.awaitReady();
            change.on(admin);
            return String.valueOf(endOf(rollcall).get(60, SECONDS));
        }
    }

    private static CompletableFuture<Throwable> endOf(Rollcall rollcall) {
        return CompletableFuture.supplyAsync(() -> {
            try {
                rollcall.awaitEnd();
                return new AssertionError("it was closed");
            } catch (ExecutionException e) {
                return e.getCause();
            } catch (InterruptedException e) {
                return e;
            }
        });
    }

    private RollcallConfig joining(EmbeddedBroker cluster) {
        return config("bootstrap.servers", cluster.bootstrapServers());
    }

    private RollcallConfig config(String... keysAndValues) {
        Map<String, String> settings = new HashMap<>(Map.of(
                "data.dir",
                dir.resolve("data").toString(),
                "embedded.kafka.port",
                "0",
                "http.port",
                "",
                "topic.partitions",
                "4"));
        for (int i = 0; i < keysAndValues.length; i += 2) {
            settings.put(keysAndValues[i], keysAndValues[i + 1]);
        }
        return RollcallConfig.of(settings);
    }

    private static Admin admin(String bootstrapServers) {
        return Admin.create(Map.of("bootstrap.servers", bootstrapServers));
    }

    private static void create(Admin admin, String topic, String... settings) throws Exception {
        Map<String, String> all = new HashMap<>();
        for (int i = 0; i < settings.length; i += 2) {
            all.put(settings[i], settings[i + 1]);
        }
        admin.createTopics(List.of(new NewTopic(topic, 4, (short) 1).configs(all)))
                .all()
                .get();
    }

    private static void alter(Admin admin, String topic, String setting, String value) throws Exception {
        Collection<AlterConfigOp> change =
                new ArrayList<>(List.of(new AlterConfigOp(new ConfigEntry(setting, value), AlterConfigOp.OpType.SET)));
        admin.incrementalAlterConfigs(Map.of(resource(topic), change)).all().get();
        await().atMost(10, SECONDS).until(() -> setting(admin, topic, setting).equals(value));
    }

    private static String setting(Admin admin, String topic, String setting) throws Exception {
        return admin.describeConfigs(List.of(resource(topic))).all().get().values().stream()
                .map(settings -> settings.get(setting).value())
                .findFirst()
                .orElseThrow();
    }

    private static ConfigResource resource(String topic) {
        return new ConfigResource(ConfigResource.Type.TOPIC, topic);
    }
}
