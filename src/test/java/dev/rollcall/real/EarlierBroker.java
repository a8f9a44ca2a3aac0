package dev.rollcall.real;

import static dev.rollcall.real.RealContext.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;

/** A broker of an earlier version, in a process with nothing but that version's own jars. */
@SuppressWarnings("try") // that they run is all, and a test is not interrupted
final class EarlierBroker implements AutoCloseable {
    private static final Path CLASS_PATH = Path.of("target", "oldest-broker.classpath");

    private final Process process;
    private final int port;

    private EarlierBroker(Process process, int port) {
        this.process = process;
        this.port = port;
    }

    /** Starts the oldest one that is promised. */
    static EarlierBroker oldest(Path dir) throws Exception {
        assertThat(CLASS_PATH).as("written by: mvn antrun:run@oldest-broker").exists();
        int port = RealContext.freePort();
        int controllerPort = RealContext.freePort();
        Properties settings = new Properties();
        settings.putAll(Map.of(
                "process.roles", "broker,controller",
                "node.id", "1",
                "log.dirs", dir.resolve("kafka").toString(),
                "controller.quorum.voters", "1@localhost:" + controllerPort,
                "controller.listener.names", "CONTROLLER",
                "listeners", "PLAINTEXT://localhost:%d,CONTROLLER://localhost:%d".formatted(port, controllerPort),
                "offsets.topic.replication.factor", "1",
                "transaction.state.log.replication.factor", "1",
                "transaction.state.log.min.isr", "1",
                "group.initial.rebalance.delay.ms", "0"));
        settings.put("log.cleaner.dedupe.buffer.size", "16777216");
        Path file = dir.resolve("server.properties");
        try (var out = Files.newBufferedWriter(file)) {
            settings.store(out, null);
        }
        Path log = dir.resolve("broker.log");
        Process format = java(
                        log, "kafka.tools.StorageTool", "format", "-t", "b2xkZXN0QnJva2VyMQ", "-c", file.toString())
                .start();
        assertThat(format.waitFor()).as("%s", Files.readString(log)).isZero();
        EarlierBroker broker =
                new EarlierBroker(java(log, "kafka.Kafka", file.toString()).start(), port);
        try {
            broker.awaitAnswer();
        } catch (RuntimeException | Error e) {
            broker.close();
            throw new AssertionError(Files.readString(log), e);
        }
        return broker;
    }

    /** It has no log, since its jars bring no binding for slf4j. */
    private void awaitAnswer() {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrapServers()))) {
            await().atMost(Duration.ofMinutes(1))
                    .ignoreExceptions()
                    .failFast("the broker has ended", () -> !process.isAlive())
                    .until(() -> !admin.describeCluster().nodes().get().isEmpty());
        }
    }

    String bootstrapServers() {
        return "localhost:" + port;
    }

    private static ProcessBuilder java(Path log, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-Xmx512m",
                "-cp",
                Files.readString(CLASS_PATH).strip()));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
    }

    @Override
    public void close() throws InterruptedException {
        process.destroy();
        if (!process.waitFor(10, TimeUnit.SECONDS)) {
            process.destroyForcibly().waitFor();
        }
    }
}
