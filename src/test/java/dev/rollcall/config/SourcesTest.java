package dev.rollcall.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Settings where operators have them: in a container's environment, in files, with Kafka's providers. */
class SourcesTest {
    private static final String JAAS = "org.apache.kafka.common.security.plain.PlainLoginModule required"
            + " username=\"rollcall\" password=\"nobody-must-see-this\";";

    @TempDir
    private Path dir;

    @Test
    void shouldStartWhenAServiceOfKubernetesIsCalledRollcall() {
        Map<String, String> injected = Map.ofEntries(
                Map.entry("ROLLCALL_SERVICE_HOST", "10.96.0.7"),
                Map.entry("ROLLCALL_SERVICE_PORT", "8080"),
                Map.entry("ROLLCALL_SERVICE_PORT_HTTP", "8080"),
                Map.entry("ROLLCALL_PORT", "tcp://10.96.0.7:8080"),
                Map.entry("ROLLCALL_PORT_8080_TCP", "tcp://10.96.0.7:8080"),
                Map.entry("ROLLCALL_PORT_8080_TCP_PROTO", "tcp"),
                Map.entry("ROLLCALL_PORT_8080_TCP_PORT", "8080"),
                Map.entry("ROLLCALL_PORT_8080_TCP_ADDR", "10.96.0.7"),
                Map.entry("ROLLCALL_HTTP_SERVICE_HOST", "10.96.0.8"), // of a Service rollcall-http
                Map.entry("ROLLCALL_HTTP_SERVICE_PORT", "80"),
                Map.entry("ROLLCALL_HTTP_PORT", "tcp://10.96.0.8:80"),
                Map.entry("ROLLCALL_DEVICE_LEASE_MS", "2000"));

        RollcallConfig config = RollcallConfig.load(List.of(), injected, Map.of());

        assertThat(config.rules().leaseMs()).isEqualTo(2_000);
        assertThat(config.http().port()).hasValue(8080);
    }

    @ParameterizedTest
    @CsvSource({
        "ROLLCALL_PORT, 8080",
        "ROLLCALL_HTTPS_PORT, 8443",
        "ROLLCALL_SERVICE, 10.96.0.7",
        "ROLLCALL_DEVICE_LEASE, 1000",
    })
    void shouldRefuseAVariableWhenItIsNeitherAKeyNorAServices(String variable, String value) {
        assertThatThrownBy(() -> RollcallConfig.load(List.of(), Map.of(variable, value), Map.of()))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("unknown environment variable " + variable);
    }

    @Test
    void shouldSayWhichKeyWasMeantWhenAVariableIsMisspelt() {
        assertThatThrownBy(() -> RollcallConfig.load(List.of(), Map.of("ROLLCALL_DEVICE_LAESE_MS", "1"), Map.of()))
                .hasMessageContaining("did you mean device.lease.ms?");
    }

    @Test
    void shouldTakeASecretFromAFileWhenTheKeyNamesOne() throws IOException {
        Path key = Files.writeString(dir.resolve("key"), "a-key-that-is-long-enough-for-hs256-ok\n");
        Path jaas = Files.writeString(dir.resolve("jaas"), JAAS + "\n");

        RollcallConfig byKey = RollcallConfig.of(
                Map.of("http.jwt.key.file", key.toString(), "kafka.sasl.jaas.config.file", jaas.toString()));
        RollcallConfig byVariable = RollcallConfig.load(
                List.of(),
                Map.of(
                        "ROLLCALL_HTTP_JWT_KEY_FILE",
                        key.toString(),
                        "ROLLCALL_KAFKA_SASL_JAAS_CONFIG_FILE",
                        jaas.toString()),
                Map.of());

        assertThat(List.of(byKey, byVariable)).allSatisfy(config -> {
            assertThat(config.http().tokens().key().bytes())
                    .asString()
                    .isEqualTo("a-key-that-is-long-enough-for-hs256-ok");
            assertThat(config.kafka()).containsOnly(Map.entry("sasl.jaas.config", JAAS));
        });
    }

    @Test
    void shouldNotTakeAKeyForAFilesWhenItIsAKeyItself() {
        assertThat(RollcallConfig.of(Map.of("http.jwt.jwks.file", "keys.json"))
                        .http()
                        .tokens()
                        .jwksFile())
                .hasValue(Path.of("keys.json"));
    }

    @Test
    void shouldNameTheKeyAndTheFileWhenItCannotBeRead() {
        assertThatThrownBy(() -> RollcallConfig.of(Map.of("http.jwt.key.file", "/no/such/file")))
                .isInstanceOf(ConfigException.class)
                .hasMessageStartingWith("http.jwt.key.file: cannot read /no/such/file");
        assertThatThrownBy(() -> RollcallConfig.of(Map.of("http.jwt.key.file", "/no", "http.jwt.key", "x")))
                .hasMessageContaining("http.jwt.key and http.jwt.key.file are both given");
    }

    @Test
    void shouldLetALaterSourceWinWhenAnEarlierOneNamesAFile() throws IOException {
        Path id = Files.writeString(dir.resolve("id"), "from-a-file");

        assertThat(RollcallConfig.load(
                                List.of(),
                                Map.of("ROLLCALL_APPLICATION_ID_FILE", id.toString()),
                                Map.of("application.id", "from-the-command-line"))
                        .applicationId())
                .isEqualTo("from-the-command-line");
    }

    @Test
    void shouldAskKafkasProvidersWhenTheyAreSet() throws IOException {
        Path secrets = Files.writeString(dir.resolve("secrets.properties"), "password=from-the-vault\n");

        RollcallConfig config = RollcallConfig.of(Map.of(
                "kafka.config.providers",
                "file",
                "kafka.config.providers.file.class",
                "org.apache.kafka.common.config.provider.FileConfigProvider",
                "kafka.ssl.keystore.password",
                "${file:" + secrets + ":password}"));

        assertThat(config.kafka()).containsOnly(Map.entry("ssl.keystore.password", "from-the-vault"));
    }

    @Test
    void shouldSayWhatIsWrongWhenAProviderFails() {
        assertThatThrownBy(() -> RollcallConfig.of(Map.of(
                        "kafka.config.providers", "vault", "kafka.config.providers.vault.class", "no.such.Class")))
                .isInstanceOf(ConfigException.class)
                .hasMessageStartingWith("kafka.config.providers: ");
    }

    @ParameterizedTest
    @CsvSource({
        "sesion.timeout.ms, session.timeout.ms",
        "session_timeout_ms, session.timeout.ms",
        "num.stream.thread, num.stream.threads",
        "producer.bufer.memory, producer.buffer.memory",
        "consumers.max.poll.records, consumer.max.poll.records",
        "topic.min.insync.replica, topic.min.insync.replicas",
    })
    void shouldRefuseAKeyOfKafkaWhenItIsMisspelt(String key, String meant) {
        assertThatThrownBy(() -> RollcallConfig.of(Map.of("kafka." + key, "1")))
                .isInstanceOf(ConfigException.class)
                .hasMessage("unknown key kafka.%s (did you mean kafka.%s?)".formatted(key, meant));
    }

    @ParameterizedTest
    @CsvSource({"tracing.service.name", "consumer.tracing.service.name", "topic.retention.ms", "admin.retries"})
    void shouldPassAKeyOnWhenKafkaOrSomebodyElseMayKnowIt(String key) {
        assertThat(RollcallConfig.of(Map.of("kafka." + key, "1")).kafka()).containsKey(key);
    }

    @Test
    void shouldHideSecretsWhenTheConfigurationIsPrinted() {
        String printed = RollcallConfig.of(Map.of(
                        "kafka.sasl.jaas.config",
                        JAAS,
                        "kafka.producer.ssl.keystore.password",
                        "nobody-must-see-this",
                        "kafka.ssl.keystore.key",
                        "nobody-must-see-this",
                        "kafka.my.interceptors.login",
                        "nobody-must-see-this",
                        "kafka.security.protocol",
                        "SASL_SSL"))
                .toString();

        assertThat(printed).doesNotContain("nobody-must-see-this").contains("security.protocol=SASL_SSL");
    }
}
