package dev.rollcall.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rollcall.wire.TopicNames;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RollcallConfigTest {
    @Test
    void shouldHaveTheContractsDefaultsWhenNothingIsSet() {
        RollcallConfig config = RollcallConfig.defaults();

        assertThat(config.rules().leaseMs()).isEqualTo(30_000);
        assertThat(config.rules().graceMs()).isEqualTo(5_000);
        assertThat(config.rules().retentionMs()).isEqualTo(30L * 86_400_000);
        assertThat(config.rules().maxDevices()).isEqualTo(64);
        assertThat(config.rules().shardSilenceMs()).isEqualTo(15_000);
        assertThat(config.rules().shardHoldMs()).isEqualTo(60_000);
        assertThat(config.rules().lastSeenPersistMs()).isEqualTo(300_000);
        assertThat(config.tickIntervalMs()).isEqualTo(1_000);
        assertThat(config.bootstrapServers()).isEmpty();
        assertThat(config.embeddedKafkaPort()).isEqualTo(9092);
        assertThat(config.http().host()).isEqualTo("127.0.0.1");
        assertThat(config.http().port()).hasValue(8080);
        assertThat(config.http().tokens().areRequired()).isFalse();
        assertThat(config.http().corsOrigins()).isEmpty();
        assertThat(config.topics())
                .isEqualTo(new TopicNames(
                        "device-heartbeat",
                        "status",
                        "appear-offline",
                        "presence",
                        "presence-dead-letters",
                        "presence-routing"));
        assertThat(config.kafka()).isEmpty();
    }

    @Test
    void shouldLetTheCommandLineWinOverTheEnvironmentAndThatOverTheFile(@TempDir Path dir) throws IOException {
        Path file = Files.writeString(
                dir.resolve("own.properties"), "device.lease.ms=1000\ndisconnect.grace.ms=100\npulse.interval.ms=50\n");
        Map<String, String> environment =
                Map.of("ROLLCALL_DEVICE_LEASE_MS", "2000", "ROLLCALL_DISCONNECT_GRACE_MS", "200", "PATH", "/bin");

        RollcallConfig config = RollcallConfig.load(List.of(file), environment, Map.of("device.lease.ms", "3000"));

        assertThat(config.rules().leaseMs()).isEqualTo(3000);
        assertThat(config.rules().graceMs()).isEqualTo(200);
        assertThat(config.tickIntervalMs()).isEqualTo(50);
    }

    @Test
    void shouldPassOnToKafkaWhateverBeginsWithKafka() {
        RollcallConfig config = RollcallConfig.load(
                List.of(), Map.of("ROLLCALL_KAFKA_NUM_STREAM_THREADS", "2"), Map.of("kafka.group.protocol", "streams"));

        assertThat(config.kafka())
                .containsOnly(Map.entry("num.stream.threads", "2"), Map.entry("group.protocol", "streams"));
    }

    @Test
    void shouldTakeAKeyWithAHyphenFromTheEnvironment() {
        assertThat(RollcallConfig.load(List.of(), Map.of("ROLLCALL_TOPIC_DEVICE_HEARTBEAT", "beats"), Map.of())
                        .topics()
                        .deviceHeartbeat())
                .isEqualTo("beats");
    }

    @ParameterizedTest
    @CsvSource({
        "device.lease.ms, 0",
        "device.lease.ms, 86400001",
        "device.lease.ms, soon",
        "device.lease.ms, ''",
        "disconnect.grace.ms, -1",
        "max.devices.per.user, 0",
        "user.retention.ms, 0",
        "shard.quiet.ms, 0",
        "shard.hold.ms, -1",
        "pulse.interval.ms, 9",
        "last.seen.persist.ms, -1",
        "embedded.kafka.port, 65536",
        "http.port, -1",
        "http.jwt.key, tooshort",
        "http.cors.origins, example.org",
        "http.max.streams, 0",
        "http.max.streams.per.user, 0",
        "http.stream.max.ms, 999",
        "matrix.port, 65536",
        "matrix.syslog.port, -1",
        "matrix.host, ''",
        "matrix.homeserver, ''",
        "matrix.homeserver, 127.0.0.1:8008",
        "matrix.homeserver, ftp://homeserver",
        "matrix.homeserver, http://homeserver/_matrix",
        "matrix.homeserver, http://user:password@homeserver",
        "matrix.homeserver, http://home server",
        "matrix.shard, ''",
        "matrix.lookups.per.s, 0",
        "topic.partitions, 0",
        "topic.replication.factor, 0",
        "http.simulation.enabled, maybe",
        "routing.enabled, maybe",
        "topic.status, no spaces",
        "application.id, ''",
    })
    void shouldNameTheKeyWhenAValueIsOutOfRange(String key, String value) {
        assertThatThrownBy(() -> RollcallConfig.of(Map.of(key, value)))
                .isInstanceOf(ConfigException.class)
                .hasMessageStartingWith(key + " must");
    }

    @ParameterizedTest
    @CsvSource({
        "device.lease, (did you mean device.lease.ms?)",
        "nonsense, unknown key nonsense",
        "kafka., unknown key kafka."
    })
    void shouldNameTheKeyWhenItIsUnknown(String key, String expected) {
        assertThatThrownBy(() -> RollcallConfig.of(Map.of(key, "1")))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("unknown key " + key)
                .hasMessageContaining(expected);
    }

    @Test
    void shouldNameTheVariableWhenItIsUnknown() {
        assertThatThrownBy(() -> RollcallConfig.load(List.of(), Map.of("ROLLCALL_LEASE", "1"), Map.of()))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("ROLLCALL_LEASE");
    }

    @Test
    void shouldKeepTheKeyToItselfWhenTheConfigurationIsPrinted() {
        String key = "a-key-that-nobody-must-ever-see-in-a-log";

        RollcallConfig config = RollcallConfig.of(Map.of("http.jwt.key", key));

        assertThat(config.http().tokens().key().bytes()).asString().isEqualTo(key);
        assertThat(config.toString()).doesNotContain(key);
        assertThatThrownBy(() -> RollcallConfig.of(Map.of("http.jwt.key", "hush")))
                .hasMessageNotContaining("hush");
    }

    @ParameterizedTest
    @CsvSource({"http.cors.origins, https://chat.example.org", "http.jwt.issuer, me", "http.jwt.audience, rollcall"})
    void shouldRefuseWhatIsForOthersWhenThereAreNoTokens(String key, String value) {
        assertThatThrownBy(() -> RollcallConfig.of(Map.of(key, value)))
                .isInstanceOf(ConfigException.class)
                .hasMessageStartingWith(key + " must be empty while http.jwt.key and http.jwt.jwks.file are");
        assertThat(RollcallConfig.of(Map.of(key, value, "http.jwt.jwks.file", "keys.json"))
                        .http()
                        .tokens()
                        .areRequired())
                .isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        "'', '', true",
        "'', false, false",
        "'', true, true",
        "kafka:9092, '', false",
        "kafka:9092, false, false",
        "kafka:9092, true, true"
    })
    void shouldSimulateInItsOwnBrokerOnlyWhenNobodySaysOtherwise(String servers, String setting, boolean expected) {
        assertThat(RollcallConfig.of(Map.of("bootstrap.servers", servers, "http.simulation.enabled", setting))
                        .http()
                        .simulation())
                .isEqualTo(expected);
    }

    @Test
    void shouldHaveNoHttpWhenThePortIsEmpty() {
        assertThat(RollcallConfig.of(Map.of("http.port", "")).http().port()).isEmpty();
    }

    @Test
    void shouldKnowWhetherAnybodyChoseThePort() {
        assertThat(RollcallConfig.defaults().http().portChosen()).isFalse();
        assertThat(RollcallConfig.of(Map.of("http.port", "8080")).http().portChosen())
                .isTrue();
    }

    @Test
    void shouldRefuseTwoTopicsOfOneName() {
        assertThatThrownBy(() -> RollcallConfig.of(Map.of("topic.presence", "status")))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("two are called \"status\"");
    }

    @Test
    void shouldHaveALineOnEachKeyInTheOneFile() throws IOException {
        List<String> lines = Files.readAllLines(Path.of("config/rollcall.properties"));
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            if (line.contains("=") && !line.startsWith("#") && !line.startsWith("topic.")) {
                String before = lines.get(i - 1);
                assertThat(before.startsWith("#"))
                        .as("a comment before %s", line)
                        .isTrue();
            }
        }
    }
}
