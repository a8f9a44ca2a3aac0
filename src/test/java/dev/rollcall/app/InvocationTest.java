package dev.rollcall.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.config.RollcallConfig;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class InvocationTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "org.codehaus.plexus.classworlds.launcher.Launcher compile exec:java|mvn -q exec:java -Dexec.args=\"watch\"",
                "dev.rollcall.app.Main run|java -cp … dev.rollcall.app.Main watch",
                "/opt/rollcall.jar run|java -jar /opt/rollcall.jar watch",
                "/opt/rollcall/bin/rollcall|/opt/rollcall/bin/rollcall watch",
            })
    void shouldNameTheProgramAsItWasStarted(String started, String expected) {
        assertThat(new Invocation(started, List.of(), Map.of())
                        .client("watch", RollcallConfig.defaults(), "localhost:9092"))
                .isEqualTo(expected);
    }

    @Test
    void shouldNameTheScriptAsAShellTakesItWhenItsPathHasASpace() {
        assertThat(new Invocation(Invocation.quoted("/opt/roll call/bin/rollcall"), List.of(), Map.of())
                        .client("watch", RollcallConfig.defaults(), "localhost:9092"))
                .isEqualTo("'/opt/roll call/bin/rollcall' watch");
    }

    @Test
    void shouldRepeatWhatReachesTheSameBrokersAndNoSecret() {
        Map<String, String> overrides = new LinkedHashMap<>();
        overrides.put("embedded.kafka.port", "19092");
        overrides.put("topic.presence", "who");
        overrides.put("http.port", "8081");
        overrides.put("kafka.sasl.jaas.config", "secret");
        overrides.put("kafka.security.protocol", "SASL_SSL");
        overrides.put("schema.registry.url", "https://registry");
        overrides.put("schema.registry.user", "me");
        overrides.put("schema.registry.password", "secret");

        assertThat(new Invocation("rollcall", List.of(Path.of("own.properties")), overrides)
                        .client("watch", RollcallConfig.of(overrides), "localhost:19092"))
                .isEqualTo(
                        "rollcall watch --config own.properties --set embedded.kafka.port=19092 --set topic.presence=who"
                                + " --set kafka.sasl.jaas.config=… --set kafka.security.protocol=SASL_SSL"
                                + " --set schema.registry.url=https://registry --set schema.registry.user=me"
                                + " --set schema.registry.password=…");
    }

    @Test
    void shouldNameTheBrokersWhenAnyPortWasTaken() {
        Map<String, String> overrides = Map.of("embedded.kafka.port", "0");

        assertThat(new Invocation("rollcall", List.of(), overrides)
                        .client("watch", RollcallConfig.of(overrides), "localhost:34567"))
                .isEqualTo("rollcall watch --set embedded.kafka.port=0 --set bootstrap.servers=localhost:34567");
    }
}
