package dev.rollcall.health;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongSupplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.streams.processor.StateRestoreListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How far the stores are restored from their changelogs, and how fast that goes; logged every ten seconds. Thread-safe. */
public final class Restoration implements StateRestoreListener {
    private static final Logger LOG = LoggerFactory.getLogger(Restoration.class);
    private static final Duration BETWEEN_LINES = Duration.ofSeconds(10);
    private static final double NANOS = 1e9;

    private final LongSupplier nanoTime;
    private final Map<String, Store> stores = new LinkedHashMap<>();
    private long startedAt;
    private long nextLine;

    /** What was restored of stores that are complete, in this round. */
    private long done;

    public Restoration() {
        this(System::nanoTime);
    }

    Restoration(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    /**
     * Of all stores that are restored at the same time.
     *
     * @param restored in offsets, not all of which are records
     * @param total in offsets
     * @param perSecond offsets per second, since the first of them began
     */
    public record Progress(int stores, long restored, long total, double perSecond) {
        public long remaining() {
            return total - restored;
        }

        public int percent() {
            return total == 0 ? 100 : (int) (100 * restored / total);
        }

        /** -1: nothing was restored yet, so nobody knows. */
        public long secondsLeft() {
            return perSecond <= 0 ? -1 : (long) Math.ceil(remaining() / perSecond);
        }

        @Override
        public String toString() {
            return "%d %% (%,d of %,d records of %d stores, %,.0f/s%s)"
                    .formatted(
                            percent(),
                            restored,
                            total,
                            stores,
                            perSecond,
                            secondsLeft() < 0 ? "" : ", %d s left".formatted(secondsLeft()));
        }
    }

    private static final class Store {
        private final long start;
        private final long total;
        private long restored;

        private Store(long start, long end) {
            this.start = start;
            this.total = Math.max(0, end - start);
        }
    }

    /** Nothing is restored: a progress without stores. */
    public synchronized Progress progress() {
        long restored =
                done + stores.values().stream().mapToLong(one -> one.restored).sum();
        long total = done + stores.values().stream().mapToLong(one -> one.total).sum();
        double seconds = (nanoTime.getAsLong() - startedAt) / NANOS;
        return new Progress(stores.size(), restored, total, seconds <= 0 ? 0 : restored / seconds);
    }

    @Override
    public synchronized void onRestoreStart(TopicPartition partition, String store, long start, long end) {
        if (stores.isEmpty()) {
            startedAt = nanoTime.getAsLong();
            nextLine = startedAt + BETWEEN_LINES.toNanos();
            done = 0;
        }
        stores.put(partition.toString(), new Store(start, end));
    }

    @Override
    public synchronized void onBatchRestored(TopicPartition partition, String store, long batchEnd, long records) {
        Store restoring = stores.get(partition.toString());
        if (restoring == null) {
            return;
        }
        restoring.restored = Math.min(restoring.total, Math.max(restoring.restored, batchEnd + 1 - restoring.start));
        if (nanoTime.getAsLong() - nextLine >= 0) {
            nextLine = nanoTime.getAsLong() + BETWEEN_LINES.toNanos();
            LOG.info("restoring what is stored of the users: {}", progress());
        }
    }

    @Override
    public synchronized void onRestoreEnd(TopicPartition partition, String store, long records) {
        Store restored = stores.remove(partition.toString());
        done += restored == null ? 0 : restored.total;
        if (stores.isEmpty() && done > 0) {
            LOG.info(
                    "restored what is stored of the users: {} records in {} s",
                    String.format("%,d", done),
                    String.format("%.1f", (nanoTime.getAsLong() - startedAt) / NANOS));
        }
    }

    @Override
    public synchronized void onRestoreSuspended(TopicPartition partition, String store, long records) {
        stores.remove(partition.toString()); // its partition goes to somebody else
    }
}
