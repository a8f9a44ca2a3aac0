package dev.rollcall.real;

import static dev.rollcall.real.RealContext.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/** An Apicurio Registry in a process of its own, whose schemas outlive it. */
@SuppressWarnings("try") // a test is not interrupted
final class Apicurio implements AutoCloseable {
    private static final Path HOME = Path.of("target", "apicurio");
    private static final Path JAVAS = Path.of("/usr/lib/jvm");

    /** What its classes are compiled for. */
    private static final int LEAST_JAVA = 21;

    private static final ObjectMapper JSON = new ObjectMapper();

    private final HttpClient client = HttpClient.newHttpClient();
    private final Path dir;
    private final int port;
    private Process process;

    private Apicurio(Path dir, int port) {
        this.dir = dir;
        this.port = port;
    }

    static Apicurio start(Path dir) throws Exception {
        assertThat(HOME.resolve("quarkus-run.jar"))
                .as("written by: mvn -Pregistry dependency:unpack@registry")
                .exists();
        Apicurio registry = new Apicurio(Files.createDirectories(dir), RealContext.freePort());
        registry.startAgain();
        return registry;
    }

    /** On the same port, with the same schemas. */
    void startAgain() throws Exception {
        Path log = dir.resolve("registry.log");
        process = new ProcessBuilder(
                        java().resolve("bin/java").toString(),
                        "-Xmx512m",
                        "-XX:TieredStopAtLevel=1",
                        "-XX:+UseSerialGC",
                        "-Dquarkus.http.host=127.0.0.1",
                        "-Dquarkus.http.port=" + port,
                        "-Dquarkus.management.port=" + RealContext.freePort(),
                        "-Dapicurio.datasource.url=jdbc:h2:file:"
                                + dir.resolve("schemas").toAbsolutePath(),
                        "-jar",
                        HOME.resolve("quarkus-run.jar").toString())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
        try {
            await().alias("the registry answers")
                    .ignoreExceptions()
                    .failFast("it has ended", () -> !process.isAlive())
                    .until(() -> get("/subjects").isArray());
        } catch (RuntimeException | Error e) {
            close();
            throw new AssertionError(Files.readString(log), e);
        }
    }

    /** Any that is new enough, this test's own first. */
    private static Path java() throws IOException {
        List<Path> javas;
        try (Stream<Path> installed = Files.isDirectory(JAVAS) ? Files.list(JAVAS) : Stream.empty()) {
            javas = Stream.concat(Stream.of(Path.of(System.getProperty("java.home"))), installed)
                    .filter(java -> Files.isExecutable(java.resolve("bin/java")))
                    .filter(java -> DistributionIT.release(java) >= LEAST_JAVA)
                    .toList();
        }
        assertThat(javas)
                .as("Apicurio Registry needs Java %d or later, and there is none in %s", LEAST_JAVA, JAVAS)
                .isNotEmpty();
        return javas.get(0);
    }

    /** The value of {@code schema.registry.url}. */
    String url() {
        return "http://127.0.0.1:%d/apis/ccompat/v7".formatted(port);
    }

    int register(String subject, String schema) throws Exception {
        JsonNode answer = JSON.readTree(client.send(
                        HttpRequest.newBuilder(URI.create(url() + "/subjects/" + subject + "/versions"))
                                .header("Content-Type", "application/vnd.schemaregistry.v1+json")
                                .POST(BodyPublishers.ofString(JSON.createObjectNode()
                                        .put("schema", schema)
                                        .toString()))
                                .build(),
                        BodyHandlers.ofString())
                .body());
        assertThat(answer.path("id").isInt()).as(answer.toString()).isTrue();
        return answer.path("id").asInt();
    }

    String schema(int id) throws Exception {
        return get("/schemas/ids/" + id).path("schema").asText();
    }

    JsonNode get(String path) throws Exception {
        return JSON.readTree(client.send(
                        HttpRequest.newBuilder(URI.create(url() + path))
                                .timeout(Duration.ofSeconds(10))
                                .build(),
                        BodyHandlers.ofString())
                .body());
    }

    void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    @Override
    public void close() throws InterruptedException {
        kill();
    }
}
