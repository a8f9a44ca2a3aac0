package dev.rollcall.chaos.check;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * When one shard sent to one partition, and so how long its devices are held (rule 13). Heartbeats of hidden users do
 * not count, and when a user hides is not certain, so a silence may be uncertain too.
 */
final class ShardLog {
    /** No record came between the two times; uncertain if one of a user who may be hidden did. */
    private record Silence(long start, long end, long endOffset, boolean uncertain) {}

    private static final long BEFORE_ALL = Long.MIN_VALUE / 2;

    private final long silenceMs;
    private final long holdMs;
    private final SortedLongs offsets = new SortedLongs();
    private final SortedLongs times = new SortedLongs();
    private final SortedLongs perhapsOffsets = new SortedLongs();
    private final List<Silence> silences = new ArrayList<>();
    private boolean perhapsSince;

    ShardLog(Settings settings) {
        this.silenceMs = settings.shardSilenceMs();
        this.holdMs = settings.shardHoldMs();
    }

    void record(long offset, long at, boolean certain) {
        if (!certain) {
            perhapsOffsets.add(offset);
            perhapsSince = true;
            return;
        }
        int last = times.size() - 1;
        long before = last < 0 ? BEFORE_ALL : times.get(last);
        if (at <= before) {
            return;
        }
        if (at - before >= silenceMs && (last >= 0 || perhapsSince)) {
            silences.add(new Silence(before, at, offset, perhapsSince));
        }
        offsets.add(offset);
        times.add(at);
        perhapsSince = false;
    }

    /**
     * When a device ends whose own deadline has come, as far as it can be known when the log is read up to that offset and
     * it is that time.
     *
     * @return null: it is not certain
     */
    @Nullable
    Long end(long deadline, long lastRecord, long leaseMs, long offset, long now) {
        long longest = deadline + holdMs;
        long live = deadline;
        for (int i = firstSilenceAfter(lastRecord); i < silences.size(); i++) {
            Silence silence = silences.get(i);
            if (silence.endOffset() > offset) {
                break;
            }
            if (silence.uncertain() && silence.start() + silenceMs <= longest) {
                return null;
            }
            if (silence.start() + silenceMs <= live) {
                live = Math.max(live, Math.min(longest, silence.end() + leaseMs));
            }
        }
        int last = offsets.lastUpTo(offset);
        if (last < 0) {
            return null;
        }
        long lastRecordAt = times.get(last);
        if (now - lastRecordAt >= silenceMs && lastRecordAt + silenceMs <= live) {
            return perhapsBetween(offsets.get(last), offset) ? null : (Long) longest;
        }
        return live;
    }

    /** Whether the shard may have been silent between a device's last record and now, in whatever way it was read. */
    boolean mayBeSilent(long lastRecord, long offset, long now) {
        int first = firstSilenceAfter(lastRecord);
        if (first < silences.size() && silences.get(first).endOffset() <= offset) {
            return true;
        }
        int last = offsets.lastUpTo(offset);
        return last < 0 ? perhapsBetween(-1, offset) : now - times.get(last) >= silenceMs;
    }

    private boolean perhapsBetween(long fromOffset, long toOffset) {
        int first = perhapsOffsets.firstFrom(fromOffset + 1);
        return first < perhapsOffsets.size() && perhapsOffsets.get(first) <= toOffset;
    }

    private int firstSilenceAfter(long time) {
        int i = silences.size();
        while (i > 0 && silences.get(i - 1).end() > time) {
            i--;
        }
        return i;
    }
}
