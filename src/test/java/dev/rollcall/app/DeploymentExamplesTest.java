package dev.rollcall.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import dev.rollcall.app.operator.ExitCode;
import dev.rollcall.config.RollcallConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The examples of config/ agree with the settings that there are, and with what it takes to stop. */
class DeploymentExamplesTest {
    private static final Duration STOPS_WITHIN = Duration.ofSeconds(10);

    @TempDir
    private Path dir;

    @Test
    void shouldHaveTheSettingsThatThereAreWhenOnKubernetes() throws IOException {
        List<JsonNode> objects = kubernetes();
        JsonNode pod = one(objects, "StatefulSet").at("/spec/template/spec");
        JsonNode container = pod.at("/containers/0");
        Path key = Files.writeString(dir.resolve("key"), "0123456789".repeat(5));
        String text = one(objects, "ConfigMap").at("/data/rollcall.properties").asText();
        String secret = mountedAt(container, "secret") + "/http-jwt-key";
        assertThat(text).contains("http.jwt.key.file=" + secret + "\n");

        RollcallConfig config = RollcallConfig.load(
                List.of(Files.writeString(dir.resolve("settings"), text.replace(secret, key.toString()))),
                serviceLinks(objects),
                Map.of());

        assertThat(config.bootstrapServers()).isNotEmpty();
        assertThat(config.dataDir()).hasToString(mountedAt(container, "data"));
        assertThat(config.http().host()).isEqualTo("0.0.0.0");
        assertThat(config.http().port()).hasValue(port(container, "http"));
        assertThat(config.http().limits().healthPort()).hasValue(port(container, "health"));
        assertThat(container.get("args"))
                .extracting(JsonNode::asText)
                .containsExactly("run", "--config", mountedAt(container, "settings"));
        assertThat(container.at("/livenessProbe/httpGet").toString())
                .isEqualTo("{\"path\":\"/health/live\",\"port\":\"health\"}");
        assertThat(container.at("/readinessProbe/httpGet").toString())
                .isEqualTo("{\"path\":\"/health/ready\",\"port\":\"http\"}");
        assertThat(Duration.ofSeconds(pod.get("terminationGracePeriodSeconds").asLong()))
                .isGreaterThanOrEqualTo(stopsWithin(config));
    }

    @Test
    void shouldFindItsOwnPartsWhenOnKubernetes() throws IOException {
        List<JsonNode> objects = kubernetes();
        JsonNode set = one(objects, "StatefulSet");
        JsonNode labels = set.at("/spec/template/metadata/labels");

        assertThat(objects)
                .filteredOn(object -> object.get("kind").asText().equals("Service"))
                .hasSize(2)
                .allSatisfy(service -> assertThat(service.at("/spec/selector")).isEqualTo(labels))
                .anySatisfy(service -> assertThat(service.at("/metadata/name")).isEqualTo(set.at("/spec/serviceName")));
        assertThat(set.at("/spec/selector/matchLabels")).isEqualTo(labels);
        assertThat(one(objects, "PodDisruptionBudget").at("/spec/selector/matchLabels"))
                .isEqualTo(labels);
        List<String> volumes = Stream.of("/spec/template/spec/volumes", "/spec/volumeClaimTemplates")
                .flatMap(path -> stream(set.at(path)))
                .map(volume -> volume.has("name")
                        ? volume.get("name").asText()
                        : volume.at("/metadata/name").asText())
                .toList();
        assertThat(set.at("/spec/template/spec/containers/0/volumeMounts"))
                .extracting(mount -> mount.get("name").asText())
                .containsExactlyInAnyOrderElementsOf(volumes);
    }

    @Test
    void shouldStartAgainWhereThatHelpsWhenUnderSystemd() throws IOException {
        Map<String, String> unit = Files.readAllLines(Path.of("config/systemd/rollcall.service")).stream()
                .filter(line -> line.matches("[A-Z][A-Za-z]*=.*"))
                .map(line -> line.split("=", 2))
                .collect(Collectors.toMap(line -> line[0], line -> line[1]));

        assertThat(unit.get("Restart")).isEqualTo("on-failure");
        assertThat(unit.get("RestartPreventExitStatus"))
                .isEqualTo("%d %d".formatted(ExitCode.USAGE, ExitCode.CONFIGURATION));
        String[] variable = unit.getOrDefault("Environment", "").split("=", 2);
        RollcallConfig config = RollcallConfig.load(List.of(), Map.of(variable[0], variable[1]), Map.of());
        assertThat(config.dataDir()).hasToString("/var/lib/" + unit.get("StateDirectory"));
        assertThat(Duration.ofSeconds(Long.parseLong(unit.getOrDefault("TimeoutStopSec", "0"))))
                .isGreaterThanOrEqualTo(stopsWithin(config));
    }

    private static Duration stopsWithin(RollcallConfig config) {
        return Duration.ofMillis(config.http().limits().drainMs()).plus(STOPS_WITHIN);
    }

    private static List<JsonNode> kubernetes() throws IOException {
        try (var objects = new ObjectMapper()
                .readerFor(JsonNode.class)
                .with(new YAMLFactory())
                .<JsonNode>readValues(Path.of("config/kubernetes/rollcall.yaml").toFile())) {
            return objects.readAll();
        }
    }

    private static JsonNode one(List<JsonNode> objects, String kind) {
        return objects.stream()
                .filter(object -> object.get("kind").asText().equals(kind))
                .findFirst()
                .orElseThrow();
    }

    /** What Kubernetes adds to the environment of each container, unless enableServiceLinks is false. */
    private static Map<String, String> serviceLinks(List<JsonNode> objects) {
        Map<String, String> environment = new HashMap<>();
        for (JsonNode object : objects) {
            if (object.get("kind").asText().equals("Service")) {
                String name = object.at("/metadata/name")
                        .asText()
                        .toUpperCase(Locale.ROOT)
                        .replace('-', '_');
                environment.put(name + "_SERVICE_HOST", "10.0.0.1");
                environment.put(name + "_PORT", "tcp://10.0.0.1:8080");
                stream(object.at("/spec/ports")).forEach(port -> {
                    String number = port.get("port").asText();
                    environment.put(name + "_SERVICE_PORT", number);
                    environment.put(
                            name + "_SERVICE_PORT_" + port.get("name").asText().toUpperCase(Locale.ROOT), number);
                    environment.put(name + "_PORT_" + number + "_TCP", "tcp://10.0.0.1:" + number);
                    environment.put(name + "_PORT_" + number + "_TCP_PROTO", "tcp");
                    environment.put(name + "_PORT_" + number + "_TCP_PORT", number);
                    environment.put(name + "_PORT_" + number + "_TCP_ADDR", "10.0.0.1");
                });
            }
        }
        return environment;
    }

    private static String mountedAt(JsonNode container, String volume) {
        return stream(container.get("volumeMounts"))
                .filter(mount -> mount.get("name").asText().equals(volume))
                .map(mount -> mount.get("mountPath").asText())
                .findFirst()
                .orElseThrow();
    }

    private static int port(JsonNode container, String name) {
        return stream(container.get("ports"))
                .filter(port -> port.get("name").asText().equals(name))
                .mapToInt(port -> port.get("containerPort").asInt())
                .findFirst()
                .orElseThrow();
    }

    private static Stream<JsonNode> stream(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false);
    }
}
