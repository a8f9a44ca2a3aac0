package dev.rollcall.real;

import static dev.rollcall.domain.PresenceState.OFFLINE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static dev.rollcall.real.RealContext.await;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rollcall.admin.TopicSetup;
import dev.rollcall.app.Rollcall;
import dev.rollcall.config.ConfigException;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.embedded.EmbeddedBroker;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What is stored of the users is lost, and the group's offsets are not: Rollcall does not start. */
@Timeout(180)
class LostStateIT {
    private static final String HIDDEN = "@hidden:example.org";
    private static final List<String> CHANGELOGS = List.of("rollcall-users-changelog", "rollcall-shards-changelog");

    @TempDir
    private Path brokerDir;

    @TempDir
    private Path dataDir;

    private EmbeddedBroker broker;
    private Admin admin;

    @BeforeEach
    void startBroker() {
        broker = EmbeddedBroker.start(brokerDir.resolve("kafka"), 0);
        admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrapServers()));
    }

    @AfterEach
    void stopBroker() {
        admin.close();
        broker.close();
    }

    @Test
    void shouldNotStartAndShowNobodyWhoHidesWhenTheChangelogIsLost() throws Exception {
        runWithAHiddenUser();
        admin.deleteTopics(CHANGELOGS).all().get();
        await().until(() -> admin.listTopics().names().get().stream().noneMatch(CHANGELOGS::contains));

        assertThatThrownBy(this::startAndBeat)
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("rollcall-users-changelog has records=none (there is no such topic)")
                .hasMessageContaining(
                        "kafka-streams-application-reset.sh --bootstrap-server " + broker.bootstrapServers());

        // As the command in the message does: the inputs are read again, and the flag with them.
        admin.deleteConsumerGroupOffsets("rollcall", committed()).all().get();
        try (Rollcall rollcall = Rollcall.start(
                        config("data.dir", dataDir.resolve("again").toString()));
                RealContext context = new RealContext(broker.bootstrapServers())) {
            rollcall.awaitReady();
            context.heartbeat("@seen:example.org", "phone");
            context.heartbeat(HIDDEN, "phone");
            context.awaitState(List.of("@seen:example.org"), ONLINE);
            context.heartbeat("@seen2:example.org", "phone");
            context.awaitState(List.of("@seen2:example.org"), ONLINE);
            assertThat(context.lastEmitted(HIDDEN).state()).isEqualTo(OFFLINE);
        }
    }

    @Test
    void shouldNotStartWhenRecordsWereDeletedFromAPartitionOfTheChangelog() throws Exception {
        int partition;
        try (Rollcall rollcall = Rollcall.start(config());
                RealContext context = new RealContext(broker.bootstrapServers())) {
            rollcall.awaitReady();
            context.heartbeat(HIDDEN, "phone");
            context.heartbeat("@somebody:example.org", "phone");
            context.awaitState(List.of(HIDDEN, "@somebody:example.org"), ONLINE);
            partition = partitionOfHidden();
            await().atMost(Duration.ofSeconds(40)).until(() -> hasCheckpoint(partition));
        }
        alter("cleanup.policy", "compact,delete"); // as retention deletes records, or somebody by hand
        admin.deleteRecords(Map.of(new TopicPartition(CHANGELOGS.get(0), partition), RecordsToDelete.beforeOffset(-1)))
                .all()
                .get();
        alter("cleanup.policy", "compact");

        assertThatThrownBy(this::startAndBeat)
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("rollcall-users-changelog has records=those from offset ")
                .hasMessageContaining(" of partition " + partition + " (it had them from 0)");
    }

    @Test
    void shouldNotStartWhenTheOutputWasGivenMorePartitions() throws Exception {
        runWithAHiddenUser();
        admin.createPartitions(Map.of("presence", NewPartitions.increaseTo(9)))
                .all()
                .get();
        assertThat(BuiltInPartitioner.partitionForKey(HIDDEN.getBytes(UTF_8), 9))
                .as("the hidden user's next record is elsewhere")
                .isNotEqualTo(partitionOfHidden());

        assertThatThrownBy(this::startAndBeat)
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("presence has partitions=9, and must have 4");

        // Without what earlier looks have stored, the records tell it.
        admin.deleteConsumerGroups(List.of("rollcall-checkpoint")).all().get();
        assertThatThrownBy(this::startAndBeat)
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(
                        "presence has partitions=9, and must have as many as when its records were written")
                .hasMessageContaining("rollcall check --accept-partitions");

        // As the command in the message does.
        TopicSetup topics = new TopicSetup(admin, config(), broker.bootstrapServers());
        assertThat(topics.acceptPartitions()).isEmpty();
        startAndBeat();
    }

    @Test
    void shouldStartAgainWhenNothingIsLost() throws Exception {
        runWithAHiddenUser();
        startAndBeat();
    }

    private void alter(String setting, String value) throws Exception {
        ConfigResource changelog = new ConfigResource(ConfigResource.Type.TOPIC, CHANGELOGS.get(0));
        AlterConfigOp change = new AlterConfigOp(new ConfigEntry(setting, value), AlterConfigOp.OpType.SET);
        admin.incrementalAlterConfigs(Map.of(changelog, List.of(change))).all().get();
    }

    private int partitionOfHidden() {
        return BuiltInPartitioner.partitionForKey(HIDDEN.getBytes(UTF_8), RealContext.PARTITIONS);
    }

    private boolean hasCheckpoint(int partition) throws Exception {
        @Nullable
        OffsetAndMetadata stored = admin.listConsumerGroupOffsets("rollcall-checkpoint")
                .partitionsToOffsetAndMetadata()
                .get()
                .get(new TopicPartition("device-heartbeat", partition));
        return stored != null && !stored.metadata().matches(".*users-changelog=\\S+:0:0.*");
    }

    private void runWithAHiddenUser() throws Exception {
        try (Rollcall rollcall = Rollcall.start(config());
                RealContext context = new RealContext(broker.bootstrapServers())) {
            rollcall.awaitReady();
            context.heartbeat(HIDDEN, "phone");
            context.awaitState(List.of(HIDDEN), ONLINE);
            context.hide(HIDDEN);
            context.awaitState(List.of(HIDDEN), OFFLINE);
        }
    }

    /** What showed the hidden user, before this was refused. */
    private void startAndBeat() throws Exception {
        try (Rollcall rollcall = Rollcall.start(config());
                RealContext context = new RealContext(broker.bootstrapServers())) {
            rollcall.awaitReady();
            context.heartbeat(HIDDEN, "phone");
            RealContext.sleep(Duration.ofSeconds(3));
            assertThat(context.lastEmitted(HIDDEN).state()).as("hidden").isEqualTo(OFFLINE);
        }
    }

    private java.util.Set<TopicPartition> committed() throws Exception {
        return admin.listConsumerGroupOffsets("rollcall")
                .partitionsToOffsetAndMetadata()
                .get()
                .keySet();
    }

    private RollcallConfig config(String... keysAndValues) {
        List<String> all = new ArrayList<>(List.of("bootstrap.servers", broker.bootstrapServers()));
        all.addAll(List.of(keysAndValues));
        return RollcallConfig.of(RealContext.settings(dataDir, all.toArray(String[]::new)));
    }
}
