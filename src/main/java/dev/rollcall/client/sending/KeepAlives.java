package dev.rollcall.client.sending;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Sends the keep-alives that are due, a bounded number per tick. For one thread. */
public final class KeepAlives {
    /** The time between two calls of {@link #tick}. */
    public static final Duration TICK = Duration.ofMillis(100);

    private static final Logger LOG = LoggerFactory.getLogger(KeepAlives.class);
    private static final long WARN_EVERY_MS = 10_000;

    /** How many times an even share of all keep-alives one tick may send. */
    private static final int MAX_SHARES_PER_TICK = 3;

    /** A tick may always send as many: they make no noticeable spike. */
    private static final int MIN_PER_TICK = 100;

    private final DeviceTracker devices;
    private final long intervalMs;

    /** Since the last warning. Also counted by the producer's thread. */
    private final AtomicLong failed = new AtomicLong();

    private long nextWarning = Long.MIN_VALUE;
    private @Nullable Throwable lastThrown;

    public KeepAlives(DeviceTracker devices, PublisherSettings settings) {
        this.devices = devices;
        this.intervalMs = settings.intervalMs();
    }

    /** Sends the keep-alives that are due at {@code now}, in ms, and forgets devices whose lease ran out. */
    public void tick(long now) {
        // After a stall everything is due at once. Without a budget it would stay bunched up for ever.
        long evenShare = devices.size() * TICK.toMillis() / intervalMs;
        long budget = Math.max(MIN_PER_TICK, MAX_SHARES_PER_TICK * evenShare);
        while (budget > 0) {
            TrackedDevice device = devices.pollDue(now);
            if (device == null) {
                break;
            }
            keepAlive(device, now);
            budget--;
        }
        warnOfFailures(now);
    }

    private void keepAlive(TrackedDevice device, long now) {
        try {
            var unused = devices.keepAlive(device, now).whenComplete((done, failure) -> {
                if (failure != null) {
                    failed.incrementAndGet();
                }
            });
        } catch (Throwable e) {
            devices.retryAt(device, now + TICK.toMillis());
            failed.incrementAndGet();
            lastThrown = e;
        }
    }

    /** One warning for all: no caller holds a keep-alive's future. */
    private void warnOfFailures(long now) {
        if (failed.get() > 0 && now >= nextWarning) {
            nextWarning = now + WARN_EVERY_MS;
            long count = failed.getAndSet(0);
            Throwable cause = lastThrown;
            lastThrown = null;
            if (cause == null) {
                LOG.warn("{} keep-alives could not be sent; are the brokers there?", count);
            } else {
                LOG.error("{} keep-alives failed here, and will be tried again; the last of them with", count, cause);
            }
        }
    }
}
