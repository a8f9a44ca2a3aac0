package dev.rollcall.bench;

import java.io.PrintStream;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;
import java.util.Locale;

/** What the person who waits sees. */
final class Progress {
    private static final PrintStream OUT = System.out;

    private Progress() {}

    static void print(String format, Object... values) {
        OUT.println(LocalTime.now(ZoneId.systemDefault()).truncatedTo(ChronoUnit.SECONDS) + "  "
                + String.format(Locale.ROOT, format, values));
    }

    static void print(String text) {
        OUT.println(text);
    }
}
