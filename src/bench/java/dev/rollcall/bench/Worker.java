package dev.rollcall.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * The main class of a JVM that does {@link Job}s: takes one per line on standard input, answers each with one line, and ends
 * when the input does.
 */
final class Worker {
    static final String OK = "ok ";
    static final String FAILED = "failed ";

    private Worker() {}

    public static void main(String[] arguments) throws IOException {
        Locale.setDefault(Locale.Category.FORMAT, Locale.US); // as the program does
        PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        System.setOut(System.err); // whatever else is printed is no answer
        BufferedReader orders = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = orders.readLine(); line != null; line = orders.readLine()) {
            answers.println(answer(line));
        }
        Runtime.getRuntime().halt(0); // nothing that a job has left running is of use to anybody
    }

    private static String answer(String line) throws IOException {
        try {
            int space = line.indexOf(' ');
            Class<? extends Job<?>> type = type(line.substring(0, space));
            return OK
                    + Json.LINE.writeValueAsString(
                            Json.LINE.readValue(line.substring(space), type).run());
        } catch (Throwable e) {
            StringWriter trace = new StringWriter();
            e.printStackTrace(new PrintWriter(trace));
            return FAILED + Json.LINE.writeValueAsString(trace.toString());
        }
    }

    @SuppressWarnings("unchecked") // asSubclass checks all that a class object knows
    private static Class<? extends Job<?>> type(String name) throws ClassNotFoundException {
        return (Class<? extends Job<?>>) Class.forName(name).asSubclass(Job.class);
    }
}
