package dev.rollcall.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** A seed is played byte for byte as before. */
class SimulationTest {
    private static final Pattern DIGEST = Pattern.compile("\"digest\": \"([0-9a-f]{16})\"");

    /** What is found does not matter here, so all of it is ignored. */
    private static final Map<String, String> RUN =
            Map.of("seed", "5", "years", "0.0005", "users", "40", "faults", "25", "ignore", "", "no-story", "");

    @Test
    void shouldTellTheSameWhenASeedIsPlayedTwice() throws IOException {
        assertThat(digestOf(RUN)).isEqualTo(digestOf(RUN));
    }

    private static String digestOf(Map<String, String> options) throws IOException {
        try (Build build = Build.with("test", List.of());
                PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream(), false, "UTF-8")) {
            Matcher digest = DIGEST.matcher((String) build.play(options, nowhere)[5]);
            assertThat(digest.find()).isTrue();
            return digest.group(1);
        }
    }
}
