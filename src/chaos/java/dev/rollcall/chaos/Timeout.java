package dev.rollcall.chaos;

import java.time.Duration;

/** A limit for a loop that waits for something. */
final class Timeout {
    private final String what;
    private final Duration limit;
    private final long deadline;

    Timeout(String what, Duration limit) {
        this.what = what;
        this.limit = limit;
        this.deadline = System.nanoTime() + limit.toNanos();
    }

    /**
     * Sleeps before the next check.
     *
     * @throws IllegalStateException when the limit has passed
     */
    void sleepOrFail(long ms) throws InterruptedException {
        sleepOrFail(ms, "");
    }

    /** The same; the message then names what is {@code missing}. */
    void sleepOrFail(long ms, Object missing) throws InterruptedException {
        if (System.nanoTime() > deadline) {
            throw new IllegalStateException("not within %d s: %s %s".formatted(limit.toSeconds(), what, missing));
        }
        Thread.sleep(ms);
    }
}
