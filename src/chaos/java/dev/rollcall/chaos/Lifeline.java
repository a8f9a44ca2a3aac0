package dev.rollcall.chaos;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.function.Consumer;

/** Ends this process with the one that started it: the other end of standard input goes with the campaign. */
final class Lifeline {
    private static final int ORPHANED = 3;

    private Lifeline() {}

    /** Watches in the background. */
    static void hold() {
        Thread thread = new Thread(() -> hold(line -> {}), "lifeline");
        thread.setDaemon(true);
        thread.start();
    }

    /** Hands each line from the campaign to the listener, and does not return. */
    static void hold(Consumer<String> listener) {
        try (BufferedReader in = new BufferedReader(new InputStreamReader(System.in, UTF_8))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                listener.accept(line);
            }
        } catch (IOException e) {
            // As good as its end.
        }
        Runtime.getRuntime().halt(ORPHANED);
    }
}
