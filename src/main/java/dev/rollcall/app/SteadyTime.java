package dev.rollcall.app;

import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.kafka.common.utils.Time;

/**
 * The clock of Kafka Streams: the machine's time at the start, plus the elapsed time. Streams punctuates by the time of day. If
 * that were set back by ten minutes, no clock tick would be written for ten minutes, and nobody would expire.
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
