package dev.rollcall.bench;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ReportTest {
    private final Map<String, Throughput.Figures> figures = new LinkedHashMap<>();

    ReportTest() {
        figures.put("noop", new Throughput.Figures(500, 400, 600, 400, 900, 0, 0));
        figures.put("textbook", new Throughput.Figures(50, 40, 60, 3200, 4000, 1, 60));
        figures.put("rollcall", new Throughput.Figures(400, 300, 450, 800, 1600, 0.0333, 3.97));
    }

    @Test
    void shouldSetRollcallAgainstEachOther() {
        Ratios ratios = Ratios.ofRollcall(figures);
        assertThat(ratios.ofRates()).isEqualTo(Map.of("rollcall/noop", 0.8, "rollcall/textbook", 8.0));
        assertThat(ratios.ofThreadTime()).isEqualTo(Map.of("rollcall/noop", 0.5, "rollcall/textbook", 4.0));
    }

    @Test
    void shouldHaveNoRatiosWhenRollcallDidNotRun() {
        figures.remove("rollcall");
        assertThat(Ratios.ofRollcall(figures).ofRates()).isEmpty();
    }

    @Test
    void shouldWriteWhatProgramsReadUnderTheAgreedNames(@TempDir Path directory) throws IOException {
        Options options = new Options();
        options.directory = directory;
        Report.throughput(options, Scenario.STEADY, "few & fast", figures, Ratios.ofRollcall(figures), List.of());

        JsonNode json = Json.LINE.readTree(directory.resolve("throughput.json").toFile());
        JsonNode rollcall = json.get("contestants").get("rollcall");
        assertThat(rollcall.get("records_per_second").doubleValue()).isEqualTo(400);
        assertThat(rollcall.get("changelog_records_per_heartbeat").doubleValue())
                .isEqualTo(0.0333);
        assertThat(rollcall.get("changelog_bytes_per_heartbeat").doubleValue()).isEqualTo(3.97);
        assertThat(json.get("ratios").get("rollcall/noop").doubleValue()).isEqualTo(0.8);
    }

    @Test
    void shouldSayWhetherATargetIsMet() {
        assertThat(Target.atLeast(0.8, "rollcall/noop", 0.8))
                .hasToString(line("rollcall/noop", "0.80", ">= 0.80: met"));
        assertThat(Target.atMost(250, "pause", 251.4).rounded(0)).hasToString(line("pause", "251", "<= 250: missed"));
    }

    private static String line(String name, String figure, String rest) {
        return "%-44s %s   (target: %s)".formatted(name, figure, rest);
    }
}
