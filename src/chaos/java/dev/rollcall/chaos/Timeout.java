package dev.rollcall.chaos;

import java.time.Duration;

/** Waiting for something, for so long and no longer. */
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
     * Waits a moment before the next look.
     *
     * @throws IllegalStateException when it has been too long
     */
    void sleep(long ms) throws InterruptedException {
        sleep(ms, "");
    }

    /** The same; {@code missing} is what there is to wait for. */
    void sleep(long ms, Object missing) throws InterruptedException {
        if (System.nanoTime() > deadline) {
            throw new IllegalStateException("not within %d s: %s %s".formatted(limit.toSeconds(), what, missing));
        }
        Thread.sleep(ms);
    }
}
