package dev.rollcall.app;

import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.kafka.common.utils.Time;

/**
 * What Kafka Streams takes for the time of day: this machine's at the start, and from then on what has really passed. Streams
 * punctuates by the time of day, so where that is set back by ten minutes no clock tick would be written for as long, and
 * nobody would expire.
 */
final class SteadyTime implements Time {
    private final long startMs = SYSTEM.milliseconds();
    private final long startNanos = SYSTEM.nanoseconds();

    @Override
    public long milliseconds() {
        return startMs + TimeUnit.NANOSECONDS.toMillis(SYSTEM.nanoseconds() - startNanos);
    }

    @Override
    public long nanoseconds() {
        return SYSTEM.nanoseconds();
    }

    @Override
    public void sleep(long ms) {
        SYSTEM.sleep(ms);
    }

    @Override
    public void waitObject(Object monitor, Supplier<Boolean> condition, long deadlineMs) throws InterruptedException {
        long leftMs = deadlineMs == Long.MAX_VALUE ? deadlineMs : deadlineMs - milliseconds();
        SYSTEM.waitObject(
                monitor, condition, Math.addExact(SYSTEM.milliseconds(), Math.min(leftMs, Integer.MAX_VALUE)));
    }
}
