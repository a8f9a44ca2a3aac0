package dev.rollcall.real;

import static dev.rollcall.real.RealContext.await;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.domain.PresenceState;
import dev.rollcall.embedded.EmbeddedBroker;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What an operator finds in the log of a process. */
@Timeout(240)
class LogIT {
    private static final String DATE = "\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d\\.\\d{3} ";

    @TempDir
    private Path dir;

    @Test
    void shouldWarnOfNothingAndHaveDatesWhenAllIsWell() throws Exception {
        Path output = dir.resolve("output");
        Map<String, String> settings = RealContext.settings(dir.resolve("data"), "http.port", "0");
        try (RollcallProcess process = new RollcallProcess(settings, output, asInProduction())) {
            process.awaitReady();
            await().until(() -> process.emitted().contains("the processor is RUNNING"));
        }

        List<String> log = Files.readAllLines(output).stream()
                .filter(line -> line.matches(".*\\b(INFO|WARN|ERROR)\\b.*"))
                .toList();
        assertThat(log).isNotEmpty().allMatch(line -> line.matches(DATE + ".*"));
        assertThat(log).noneMatch(line -> line.matches(DATE + "(WARN|ERROR) .*"));
    }

    @Test
    void shouldWriteFewLinesWhenTheOutputIsGone() throws Exception {
        Path output = dir.resolve("output");
        try (EmbeddedBroker broker = EmbeddedBroker.start(dir.resolve("broker"), 0);
                Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrapServers()))) {
            Map<String, String> settings =
                    RealContext.settings(dir.resolve("data"), "bootstrap.servers", broker.bootstrapServers());
            try (RollcallProcess process = RollcallProcess.ready(settings, output, asInProduction());
                    RealContext context = new RealContext(broker.bootstrapServers())) {
                admin.deleteTopics(List.of("presence")).all().get();
                context.heartbeats(RealContext.users("unheard", 500), PresenceState.ONLINE);
                await().until(() -> process.emitted().contains("UNKNOWN_TOPIC_OR_PARTITION"));
                RealContext.sleep(Duration.ofSeconds(10));

                Map<String, Long> kinds = Stream.of(process.emitted().split("\\n"))
                        .filter(line -> line.matches(DATE + ".*"))
                        .collect(Collectors.groupingBy(
                                line -> line.substring(24).replaceAll("[0-9]+", "#"), Collectors.counting()));
                assertThat(kinds)
                        .isNotEmpty()
                        .allSatisfy((kind, lines) -> assertThat(lines).as(kind).isLessThanOrEqualTo(20));
            }
        }
    }

    /** The tests' own settings of the log, which are found first, are not those of the program. */
    private static String[] asInProduction() throws IOException {
        Properties log = new Properties();
        try (var in = Files.newInputStream(Path.of("src/main/resources/simplelogger.properties"))) {
            log.load(in);
        }
        // A user's state does not belong into the system's temporary directory, but a test's does.
        log.put("org.slf4j.simpleLogger.log.org.apache.kafka.streams.processor.internals.StateDirectory", "error");
        return log.entrySet().stream()
                .map(one -> "-D%s=%s".formatted(one.getKey(), one.getValue()))
                .toArray(String[]::new);
    }
}
