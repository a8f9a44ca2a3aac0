package dev.rollcall.time;

import org.jspecify.annotations.Nullable;

/**
 * When something was written to a partition, and so could be written to it. Devices are not to blame for their silence while
 * nothing could be (docs/guarantees.md, promises 3 and 4):
 *
 * <ul>
 *   <li>After a take-over, every heartbeat since the last commit is yet to be read, so a device was last heard no later than
 *       the first record read: its lease counts from there.
 *   <li>After a gap in which not even a clock tick was written, a device gets as long as the gap lasted, at most a lease, to be
 *       heard from again. Only a gap behind a tick, or behind the record where a processor took over, is such a gap: where
 *       nobody writes ticks, a few devices may well have nothing to say for a while. So one absence of the processors moves a
 *       deadline once, however many gaps there are in it.
 * </ul>
 *
 * Times in ms, of the {@link PartitionClock}.
 */
public final class LogActivity {
    private final long gapMs;

    /** The last record of the partition that does not come from a hidden user. */
    private long lastRecord = PartitionClock.UNKNOWN;

    /** When a processor was last known to write clock ticks, or not to need any. */
    private long lastTick = PartitionClock.UNKNOWN;

    /** The last gap since then; 0: there was none. */
    private long lastGapMs;

    /** @param gapMs from when on a partition in which nothing is written, not even a clock tick, counts as down */
    public LogActivity(long gapMs) {
        this.gapMs = gapMs;
    }

    /** What a record shows about the time before it. */
    public sealed interface Finding {
        /** It is the first since this processor took over. */
        record TakeOver(long at) implements Finding {}

        /** Nothing could be written in between. */
        record Gap(long from, long to) implements Finding {}
    }

    /**
     * Takes note of a record.
     *
     * @param ticksNeeded whether somebody but hidden users needs clock ticks
     * @return what it shows; null, as nearly always: nothing
     */
    public @Nullable Finding record(long at, boolean ticksNeeded) {
        long from = lastRecord;
        lastRecord = Math.max(lastRecord, at);
        if (from == PartitionClock.UNKNOWN) {
            lastTick = at;
            return new Finding.TakeOver(at);
        }
        if (!ticksNeeded) {
            lastTick = at;
        }
        long gap = at - from;
        boolean ticksWereWritten = from - lastTick < gapMs;
        boolean isMuchLonger = lastGapMs > 0 && gap >= 2 * lastGapMs; // it was away again before a tick got in
        if (gap < gapMs || !(ticksWereWritten || isMuchLonger)) {
            return null;
        }
        lastGapMs = gap;
        return new Finding.Gap(from, at);
    }

    /** As {@link #record}, for a clock tick. */
    public @Nullable Finding tick(long at, boolean ticksNeeded) {
        Finding finding = record(at, ticksNeeded);
        lastTick = at;
        lastGapMs = 0;
        return finding;
    }
}
