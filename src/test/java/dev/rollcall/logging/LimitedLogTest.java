package dev.rollcall.logging;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class LimitedLogTest {
    private static final String AT = "2026-11-30 04:22:54.123 ";

    private final ByteArrayOutputStream written = new ByteArrayOutputStream();
    private long now;
    private final PrintStream log =
            new PrintStream(new LimitedLog(new PrintStream(written, true, UTF_8), () -> now), true, UTF_8);

    @Test
    void shouldWriteTwentyOfAKindInAMinuteAndTellOfTheRest() {
        for (int i = 0; i < 64_000; i++) {
            log.println(AT + "WARN NetworkClient - [id=p-1] correlation id " + i + " : {presence=UNKNOWN}");
        }
        assertThat(lines()).hasSize(20);

        now = Duration.ofMinutes(1).toNanos();
        log.println(AT + "WARN NetworkClient - [id=p-1] correlation id 64000 : {presence=UNKNOWN}");
        assertThat(lines()).hasSize(22);
        assertThat(lines().get(20)).isEqualTo(AT + "… 63,980 more like the next line were left out");
    }

    @Test
    void shouldWriteEachKindWhenAnotherIsFrequent() {
        for (int i = 0; i < 100; i++) {
            log.println(AT + "WARN NetworkClient - lost " + i);
        }
        log.println(AT + "ERROR Rollcall - something else");

        assertThat(lines()).hasSize(21).last().asString().endsWith("something else");
    }

    @Test
    void shouldLeaveOutAStackTraceWithItsLine() {
        for (int i = 0; i < 30; i++) {
            log.println(AT + "ERROR Worker - it failed");
            new IllegalStateException("number " + i).printStackTrace(log);
        }

        assertThat(lines()).contains("java.lang.IllegalStateException: number 19");
        assertThat(written.toString(UTF_8)).doesNotContain("number 20");
    }

    @Test
    void shouldWriteWhatIsNoLogLineAtOnce() {
        log.print("password: ");
        log.flush();

        assertThat(written.toString(UTF_8)).isEqualTo("password: ");
    }

    private List<String> lines() {
        return written.toString(UTF_8).lines().toList();
    }
}
