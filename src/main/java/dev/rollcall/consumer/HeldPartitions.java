package dev.rollcall.consumer;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The partitions of inputs that wait, at a record that cannot be read yet and is not to be taken for garbage: its schema's
 * registry does not answer. One for all stream threads of a process, each with a {@link HoldingBack} of its own. Thread-safe.
 */
public final class HeldPartitions {
    private static final Logger LOG = LoggerFactory.getLogger(HeldPartitions.class);
    private static final Duration BETWEEN_WARNINGS = Duration.ofMinutes(1);

    /** A schema that is met for the first time is known sooner, and nobody need hear of it. */
    private static final Duration NOTABLE = Duration.ofSeconds(1);

    private final Function<byte @Nullable [], @Nullable String> waitsFor;
    private final LongSupplier nanoTime;
    private final Map<TopicPartition, Held> held = new ConcurrentHashMap<>();
    private final AtomicLong warnedAt;

    /** @param since in ns */
    private record Held(long offset, String waitsFor, long since) {}

    /**
     * Holds nothing yet.
     *
     * @param waitsFor what a value waits for, in words; null: nothing. It must not wait itself
     */
    public HeldPartitions(Function<byte @Nullable [], @Nullable String> waitsFor) {
        this(waitsFor, System::nanoTime);
    }

    HeldPartitions(Function<byte @Nullable [], @Nullable String> waitsFor, LongSupplier nanoTime) {
        this.waitsFor = waitsFor;
        this.nanoTime = nanoTime;
        warnedAt = new AtomicLong(nanoTime.getAsLong() - BETWEEN_WARNINGS.toNanos());
    }

    /** How many partitions have been waiting for a second or longer. */
    public int size() {
        return notable().size();
    }

    /** What they wait for, one sentence for each partition that has been waiting for a second or longer. */
    public List<String> waitsFor() {
        return notable().stream()
                .map(entry -> "%s, for which %s waits at offset %d, for %d s now"
                        .formatted(
                                entry.getValue().waitsFor,
                                entry.getKey(),
                                entry.getValue().offset,
                                secondsSince(entry.getValue().since)))
                .sorted()
                .toList();
    }

    private List<Map.Entry<TopicPartition, Held>> notable() {
        return held.entrySet().stream()
                .filter(entry -> isNotable(entry.getValue()))
                .toList();
    }

    private boolean isNotable(Held one) {
        return nanoTime.getAsLong() - one.since >= NOTABLE.toNanos();
    }

    @Nullable
    String waitsFor(byte @Nullable [] value) {
        return waitsFor.apply(value);
    }

    /** The partition waits at that offset; again, or from now on. Warns once a minute, of all that do. */
    void hold(TopicPartition partition, long offset, String reason) {
        long now = nanoTime.getAsLong();
        Held one = held.compute(
                partition,
                (any, before) ->
                        new Held(offset, reason, before == null || before.offset != offset ? now : before.since));
        long warned = warnedAt.get();
        if (isNotable(one) && now - warned >= BETWEEN_WARNINGS.toNanos() && warnedAt.compareAndSet(warned, now)) {
            LOG.warn("these partitions of inputs wait, and nothing of them is lost: {}", String.join("; ", waitsFor()));
        }
    }

    /** The partition goes on. */
    void release(TopicPartition partition) {
        Held one = held.remove(partition);
        if (one != null && isNotable(one)) {
            LOG.info("{} goes on at offset {}, after {} s", partition, one.offset, secondsSince(one.since));
        }
    }

    /** These are another thread's business now. */
    void forget(Collection<TopicPartition> partitions) {
        held.keySet().removeAll(partitions);
    }

    private long secondsSince(long nanos) {
        return TimeUnit.NANOSECONDS.toSeconds(nanoTime.getAsLong() - nanos);
    }
}
