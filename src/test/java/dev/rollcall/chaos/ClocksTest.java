package dev.rollcall.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClocksTest {
    private static final Duration LIMIT = Duration.ofSeconds(30);

    @TempDir
    private Path directory;

    /** Prints how far its clock is ahead of another one, in s, for each line that it reads. */
    static final class Shower {
        private Shower() {}

        public static void main(String[] arguments) {
            Lifeline.hold(line -> System.out.printf(
                    "%d s ahead of %s%n", Math.round((System.currentTimeMillis() - Long.parseLong(line)) / 1e3), line));
        }
    }

    @Test
    void shouldShiftTheClockOfARunningProcessWhenItIsSet() throws Exception {
        Clocks clocks = new Clocks(directory);
        if (!clocks.canBeSet()) {
            assertThat(clocks.environment("it")).isEmpty(); // there is no C compiler, and the campaign says so
            return;
        }
        clocks.set("it", Duration.ofMinutes(-10));

        try (Child child = Child.start(
                "it", directory.resolve("log"), 32, clocks.environment("it"), List.of(), Shower.class, List.of())) {
            assertThat(shown(child)).isBetween(-600, -540); // the rest is what the machine takes

            clocks.set("it", Duration.ofHours(1));

            assertThat(shown(child)).isBetween(3_600, 3_660);
        }
    }

    private static int shown(Child child) throws InterruptedException {
        String now = String.valueOf(System.currentTimeMillis());
        child.tell(now);
        child.awaitPrinted("ahead of " + now, LIMIT);
        String printed = child.printed().substring(0, child.printed().indexOf(" s ahead of " + now));
        return Integer.parseInt(printed.substring(printed.lastIndexOf('\n') + 1));
    }
}
