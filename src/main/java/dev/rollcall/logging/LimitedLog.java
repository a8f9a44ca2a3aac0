package dev.rollcall.logging;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.regex.Pattern;
import org.slf4j.LoggerFactory;

/**
 * Standard error for slf4j-simple: of lines of one kind, at most 20 a minute; how many more there were is told. Lines are of one
 * kind if they differ in numbers and in the time only. A stack trace goes with its line. Kafka's clients have no bound of their
 * own: they wrote 64 000 lines in 30 s while an output topic was missing.
 */
public final class LimitedLog extends OutputStream {
    static final int PER_MINUTE = 20;
    private static final long MINUTE = Duration.ofMinutes(1).toNanos();

    /** More kinds are not told apart: the one that was seen first is forgotten. */
    private static final int MAX_KINDS = 1_000;

    /** A line of the log begins with its date; what does not goes with the line before it. */
    private static final Pattern BEGINNING = Pattern.compile("\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d\\.\\d{3} ");

    private static final Pattern NUMBERS = Pattern.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9]+");
    private static final int KIND_LENGTH = 120;

    private final PrintStream to;
    private final LongSupplier nanoTime;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private final Map<String, Kind> kinds = new LinkedHashMap<>();
    private boolean isLeftOut;

    private static final class Kind {
        private long since;
        private int count;

        private Kind(long since) {
            this.since = since;
        }
    }

    LimitedLog(PrintStream to, LongSupplier nanoTime) {
        this.to = to;
        this.nanoTime = nanoTime;
    }

    /** Bounds the standard error of this process, unless another binding of slf4j writes the log: that has filters of its own. */
    public static void install() {
        if (LoggerFactory.getILoggerFactory().getClass().getName().startsWith("org.slf4j.simple.")) {
            System.setErr(new PrintStream(new LimitedLog(System.err, System::nanoTime), true, UTF_8));
        }
    }

    @Override
    public synchronized void write(int one) {
        line.write(one);
        if (one == '\n') {
            end(line.toString(UTF_8));
            line.reset();
        }
    }

    @Override
    public synchronized void write(byte[] bytes, int from, int length) {
        for (int i = from; i < from + length; i++) {
            write(bytes[i]);
        }
    }

    /** What is no whole line yet may be a prompt, and is not held back. */
    @Override
    public synchronized void flush() {
        if (line.size() > 0 && !BEGINNING.matcher(line.toString(UTF_8)).lookingAt() && !isLeftOut) {
            to.print(line.toString(UTF_8));
            line.reset();
        }
        to.flush();
    }

    private void end(String text) {
        if (BEGINNING.matcher(text).lookingAt()) {
            isLeftOut = !isWritten(text);
        }
        if (!isLeftOut) {
            to.print(text);
        }
    }

    private boolean isWritten(String text) {
        long now = nanoTime.getAsLong();
        String name = kind(text);
        Kind kind = kinds.get(name);
        if (kind == null) {
            if (kinds.size() == MAX_KINDS) {
                kinds.remove(kinds.keySet().iterator().next());
            }
            kind = new Kind(now);
            kinds.put(name, kind);
        } else if (now - kind.since >= MINUTE) {
            if (kind.count > PER_MINUTE) {
                to.printf(
                        "%s… %,d more like the next line were left out%n",
                        text.substring(0, 24), kind.count - PER_MINUTE);
            }
            kind.since = now;
            kind.count = 0;
        }
        return ++kind.count <= PER_MINUTE;
    }

    private static String kind(String text) {
        String masked = NUMBERS.matcher(text.substring(24)).replaceAll("#").strip();
        return masked.length() <= KIND_LENGTH ? masked : masked.substring(0, KIND_LENGTH);
    }
}
