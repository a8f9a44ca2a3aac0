package dev.rollcall.real;

import static dev.rollcall.domain.PresenceState.OFFLINE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.rollcall.app.Rollcall;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.Presence;
import dev.rollcall.real.RealContext.Emitted;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.kafka.common.utils.Utils;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The example client in another language, against a running Rollcall: as a producer and as a consumer. */
@Tag("other-language")
@Timeout(300)
class NodeClientIT {
    private static final String USER = "@zoë:example.org";
    private static final String HELD = "@held:example.org";
    private static final long LEASE_MS = 2_000;
    private static final long HOLD_MS = 3_000;
    private static final String TEXT = "In a meeting ☕";

    private static Path client;
    private static Rollcall rollcall;
    private static RealContext context;

    @TempDir
    private static Path dataDir;

    @BeforeAll
    static void start() throws Exception {
        client = copyOfExamples().resolve("examples").resolve("node");
        run(Duration.ofMinutes(2), "npm", "ci", "--no-audit", "--no-fund").succeeded();
        Map<String, String> settings = new HashMap<>(RealContext.settings(dataDir));
        settings.put("shard.hold.ms", String.valueOf(HOLD_MS));
        rollcall = Rollcall.start(RollcallConfig.of(settings));
        rollcall.awaitReady();
        context = new RealContext(rollcall.bootstrapServers());
    }

    @AfterAll
    static void stop() {
        if (rollcall != null) {
            context.close();
            rollcall.close();
        }
    }

    @Test
    void shouldSpeakAndUnderstandWhenWrittenInAnotherLanguage() throws Exception {
        JsonNode written = produce("heartbeat", USER, "phone", "--state", "online", "--lease-ms", "60000");
        assertThat(written.get("topic").asText()).isEqualTo("device-heartbeat");
        assertThat(written.get("partition").asInt())
                .as("where the Java client puts this user")
                .isEqualTo(Utils.toPositive(Utils.murmur2(USER.getBytes(StandardCharsets.UTF_8)))
                        % RealContext.PARTITIONS);
        Emitted online = context.awaitEmitted(USER, 1);
        assertThat(online.presence())
                .isEqualTo(new Presence(ONLINE, null, null, online.timestamp(), online.timestamp(), 1));

        assertThat(produce("status", USER, TEXT).get("topic").asText()).isEqualTo("status");
        Presence withText = context.awaitEmitted(USER, 2).presence();
        assertThat(withText.status()).isEqualTo(TEXT);
        assertThat(produce("appear-offline", USER, "on").get("topic").asText()).isEqualTo("appear-offline");
        assertThat(context.awaitEmitted(USER, 3).state()).isEqualTo(OFFLINE);
        produce("status", USER, "-");
        assertThat(context.awaitEmitted(USER, 4).presence().status()).isNull();

        List<Emitted> emitted = context.emitted(USER);
        List<JsonNode> seen = consume(emitted.size());
        assertThat(seen).hasSameSizeAs(emitted);
        for (int i = 0; i < emitted.size(); i++) {
            Presence presence = emitted.get(i).presence();
            JsonNode line = seen.get(i);
            assertThat(line.get("user").asText()).isEqualTo(USER);
            assertThat(line.get("state").asText()).isEqualTo(presence.state().name());
            assertThat(line.get("previous_state").asText())
                    .isEqualTo(
                            presence.previousState() == null
                                    ? "null"
                                    : presence.previousState().name());
            assertThat(line.get("status").asText()).isEqualTo(String.valueOf(presence.status()));
            assertThat(line.get("since").asLong()).isEqualTo(presence.since());
            assertThat(line.get("last_active").asLong()).isEqualTo(presence.lastActive());
            assertThat(line.get("sequence").asLong()).isEqualTo(i + 1);
        }
    }

    @Test
    void shouldLiveAsLongAsItsShardSaysSoWhenAConnectionIsHeld() throws Exception {
        Process shard = new ProcessBuilder(
                        "node",
                        "hold.mjs",
                        "--bootstrap",
                        rollcall.bootstrapServers(),
                        "--lease-ms",
                        String.valueOf(LEASE_MS),
                        "node-shard",
                        HELD,
                        "socket")
                .directory(client.toFile())
                .inheritIO()
                .start();
        try {
            assertThat(context.awaitEmitted(HELD, 1).state()).isEqualTo(ONLINE);
            Thread.sleep(4 * LEASE_MS);
            assertThat(context.emitted(HELD)).as("while the shard is there").hasSize(1);
        } finally {
            shard.destroyForcibly();
        }
        long killedAt = System.currentTimeMillis();
        Emitted gone = context.awaitEmitted(HELD, 2);
        assertThat(gone.state()).isEqualTo(OFFLINE);
        assertThat(gone.presence().since())
                .as("a lease after the last sign of life")
                .isBetween(killedAt, killedAt + LEASE_MS);
    }

    private static JsonNode produce(String... arguments) throws Exception {
        List<String> command =
                new ArrayList<>(List.of("node", "produce.mjs", "--bootstrap", rollcall.bootstrapServers()));
        command.addAll(List.of(arguments));
        List<JsonNode> lines =
                run(Duration.ofSeconds(40), command.toArray(String[]::new)).succeeded();
        assertThat(lines).hasSize(1);
        return lines.get(0);
    }

    private static List<JsonNode> consume(int count) throws Exception {
        return run(
                        Duration.ofSeconds(60),
                        "node",
                        "consume.mjs",
                        "--bootstrap",
                        rollcall.bootstrapServers(),
                        "--count",
                        String.valueOf(count),
                        "--timeout-ms",
                        "30000")
                .succeeded();
    }

    /** What a command has printed and how it ended. */
    private record Outcome(String command, int exitCode, String out, String err) {
        /** The lines of JSON that it printed. */
        List<JsonNode> succeeded() throws IOException {
            assertThat(exitCode).as("%s%n%s%n%s", command, out, err).isZero();
            List<JsonNode> lines = new ArrayList<>();
            for (String line : out.lines().filter(line -> line.startsWith("{")).toList()) {
                lines.add(new ObjectMapper().readTree(line));
            }
            return lines;
        }
    }

    private static Outcome run(Duration timeout, String... command) throws Exception {
        Path out = Files.createTempFile(dataDir, "out", ".txt");
        Path err = Files.createTempFile(dataDir, "err", ".txt");
        Process process;
        try {
            process = new ProcessBuilder(command)
                    .directory(client.toFile())
                    .redirectOutput(out.toFile())
                    .redirectError(err.toFile())
                    .start();
        } catch (IOException e) {
            throw new AssertionError(
                    "cannot run %s: this test needs Node.js; install Node 20 or later with npm".formatted(command[0]),
                    e);
        }
        boolean ended = process.waitFor(timeout.toSeconds(), TimeUnit.SECONDS);
        if (!ended) {
            process.destroyForcibly();
        }
        String line = String.join(" ", command);
        assertThat(ended)
                .as("%s ends within %s%n%s%n%s", line, timeout, Files.readString(out), Files.readString(err))
                .isTrue();
        return new Outcome(line, process.exitValue(), Files.readString(out), Files.readString(err));
    }

    /** The client and the schemas that it reads, beside each other as in the repository, away from anybody's work. */
    private static Path copyOfExamples() throws IOException {
        Path copy = Path.of("target", "node-client").toAbsolutePath();
        if (Files.exists(copy)) {
            try (Stream<Path> old = Files.walk(copy)) {
                for (Path path : old.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(path);
                }
            }
        }
        for (Path source : List.of(Path.of("examples", "node"), Path.of("schemas"))) {
            try (Stream<Path> all = Files.walk(source)) {
                for (Path path : all.filter(one -> !one.toString().contains("node_modules"))
                        .toList()) {
                    Path target = copy.resolve(path);
                    Files.createDirectories(target.getParent());
                    Files.copy(path, target);
                }
            }
        }
        return copy;
    }
}
