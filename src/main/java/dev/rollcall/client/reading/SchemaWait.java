package dev.rollcall.client.reading;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.apache.kafka.common.errors.RetriableException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A record that cannot be read yet, since a registry has not said what its schema is: it is tried again each second, and that is
 * logged each minute. For one thread, except for {@link #waitsFor}; times of a monotonic clock, in ns.
 */
public final class SchemaWait {
    private static final Logger LOG = LoggerFactory.getLogger(SchemaWait.class);
    private static final long BETWEEN_TRIES = Duration.ofSeconds(1).toNanos();
    private static final long BETWEEN_WARNINGS = Duration.ofMinutes(1).toNanos();

    private static final long SLICE = Duration.ofMillis(200).toNanos();

    private final String topic;
    private long tryAt;
    private long warnAt;
    private boolean hasWarned;
    private volatile @Nullable String reason;

    public SchemaWait(String topic) {
        this.topic = topic;
    }

    /** It could not be read, for that reason. */
    public void failed(@Nullable String why, long now) {
        reason = why;
        tryAt = now + BETWEEN_TRIES;
        if (!hasWarned || now - warnAt >= 0) {
            LOG.warn("{} is not read on: {}", topic, why);
            hasWarned = true;
            warnAt = now + BETWEEN_WARNINGS;
        }
    }

    /**
     * Reads, and tries again until that succeeds: what is skipped would be missing for good.
     *
     * @param reading fails with Kafka's {@link RetriableException} while a schema is not known
     * @param waiting told of each try that fails, in words
     * @param isOver whether to give up
     */
    public void read(Runnable reading, Consumer<String> waiting, BooleanSupplier isOver) {
        while (!isOver.getAsBoolean()) {
            try {
                reading.run();
                succeeded();
                return;
            } catch (RetriableException e) {
                failed(e.getMessage(), System.nanoTime());
                waiting.accept("%s to be read on: %s".formatted(topic, e.getMessage()));
                while (!isOver.getAsBoolean() && !left(System.nanoTime()).isZero()) {
                    LockSupport.parkNanos(SLICE);
                }
            }
        }
    }

    /** It was read. */
    public void succeeded() {
        reason = null;
    }

    /** How long to wait until the next try; zero: not at all. */
    public Duration left(long now) {
        return reason == null ? Duration.ZERO : Duration.ofNanos(Math.max(0, tryAt - now));
    }

    /** What is waited for, in words; null: nothing. Thread-safe. */
    public @Nullable String waitsFor() {
        return reason;
    }
}
