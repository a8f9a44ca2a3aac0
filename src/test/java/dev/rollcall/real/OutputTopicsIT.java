package dev.rollcall.real;

import static dev.rollcall.domain.PresenceState.OFFLINE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rollcall.app.Rollcall;
import dev.rollcall.config.ConfigException;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.embedded.EmbeddedBroker;
import dev.rollcall.real.RealContext.Emitted;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** Outputs that bound what they take: lifted where they are Rollcall's own, kept to where they are somebody else's. */
@Execution(ExecutionMode.CONCURRENT)
@Timeout(180)
class OutputTopicsIT {
    private static final String CHANGELOG = "rollcall-users-changelog";
    private static final String ANY = Long.toString(Long.MAX_VALUE);

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
    void shouldTakeAnyTimestampWhereRollcallMadeTheTopic() throws Exception {
        // As an earlier version made it.
        create(CHANGELOG, Map.of("cleanup.policy", "compact"));
        try (Rollcall rollcall = Rollcall.start(config("routing.enabled", "true"))) {
            rollcall.awaitReady();
            for (String topic : List.of("presence", "presence-routing", CHANGELOG)) {
                assertThat(setting(topic, "message.timestamp.after.max.ms"))
                        .as(topic)
                        .isEqualTo(ANY);
                assertThat(setting(topic, "message.timestamp.before.max.ms"))
                        .as(topic)
                        .isEqualTo(ANY);
            }
        }
    }

    @Test
    void shouldTakeAnyTimestampWhereKafkaStreamsMadeTheTopic() throws Exception {
        try (Rollcall rollcall = Rollcall.start(config())) {
            rollcall.awaitReady();
            assertThat(setting(CHANGELOG, "message.timestamp.after.max.ms")).isEqualTo(ANY);
        }
    }

    /** A held device's end is noticed long after it: the instant of the change is older than this topic takes. */
    @Test
    void shouldKeepToTheBoundsOfATopicThatSomebodyElseMade() throws Exception {
        create("presence", Map.of("cleanup.policy", "compact", "message.timestamp.before.max.ms", "6000"));
        try (Rollcall rollcall = Rollcall.start(config(
                        "device.lease.ms",
                        "1000",
                        "shard.quiet.ms",
                        "500",
                        "shard.hold.ms",
                        "12000",
                        // Three clock ticks that are missed are an outage, which extends the lease: not on a busy
                        // machine.
                        "pulse.interval.ms",
                        "1000"));
                RealContext context = new RealContext(broker.bootstrapServers())) {
            rollcall.awaitReady();
            long at = context.heartbeat(
                    "@held:example.org", new Heartbeat("phone", ONLINE, false, OptionalLong.empty(), "shard-1"));
            context.awaitState(List.of("@held:example.org"), OFFLINE);

            Emitted offline = context.awaitEmitted("@held:example.org", 2);
            assertThat(offline.presence().since()).isEqualTo(at + 1_000);
            assertThat(offline.timestamp()).isGreaterThan(at + 5_000);
        }
    }

    @Test
    void shouldRefuseToStartWhenATopicTakesTooLittle() throws Exception {
        create("presence-dead-letters", Map.of("max.message.bytes", "10000"));
        assertThatThrownBy(() -> Rollcall.start(config()).close())
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("presence-dead-letters")
                .hasMessageContaining("max.message.bytes");
    }

    @Test
    void shouldRefuseToStartWhenTheProducerSendsTooLittle() {
        assertThatThrownBy(() -> Rollcall.start(
                                config("kafka.producer.max.request.size", "500000", "max.devices.per.user", "10000"))
                        .close())
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(CHANGELOG)
                .hasMessageContaining("max.devices.per.user");
    }

    private RollcallConfig config(String... keysAndValues) {
        Map<String, String> settings = RealContext.settings(dataDir, keysAndValues);
        settings.put("bootstrap.servers", broker.bootstrapServers());
        return RollcallConfig.of(settings);
    }

    private void create(String topic, Map<String, String> settings) throws Exception {
        admin.createTopics(List.of(new NewTopic(topic, RealContext.PARTITIONS, (short) 1).configs(settings)))
                .all()
                .get();
    }

    private String setting(String topic, String key) throws Exception {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        return admin.describeConfigs(List.of(resource))
                .all()
                .get()
                .get(resource)
                .get(key)
                .value();
    }
}
