package dev.rollcall.client.reading;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** How often something that has failed is tried again: five times within ten minutes, after a second and then twice as long each. */
public final class Retries {
    public static final int TRIES = 5;
    public static final Duration WITHIN = Duration.ofMinutes(10);
    private static final long FIRST_PAUSE_MS = 1_000;

    private static final long SLICE = Duration.ofMillis(200).toNanos();

    private final Deque<Long> failures = new ArrayDeque<>();

    /** Counts a failure. {@code now}: of a monotonic clock, in ns. */
    public boolean mayTryAgain(long now) {
        while (!failures.isEmpty() && now - failures.peek() > WITHIN.toNanos()) {
            failures.remove();
        }
        failures.add(now);
        return failures.size() <= TRIES;
    }

    /** How long to wait before the next try, in ms. */
    long pauseMs() {
        return FIRST_PAUSE_MS << Math.max(0, failures.size() - 1);
    }

    /** Waits before the next try. {@code isOver}: whether there will be none. */
    public void pause(BooleanSupplier isOver) {
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(pauseMs());
        while (!isOver.getAsBoolean() && end - System.nanoTime() > 0) {
            LockSupport.parkNanos(SLICE);
        }
    }
}
