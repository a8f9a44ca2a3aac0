package dev.rollcall.chaos.check;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * When one shard was heard from on one partition, and how long its devices are held therefore (rule 13). Heartbeats of
 * users who hide do not count, and when somebody hides is not certain, so a silence may be uncertain too.
 */
final class ShardLog {
    /** Nothing was heard from the one to the other, at that offset; perhaps, if users who hide were. */
    private record Silence(long start, long end, long endOffset, boolean uncertain) {}

    private static final long BEFORE_ALL = Long.MIN_VALUE / 2;

    private final long quietMs;
    private final long holdMs;
    private final Longs heardOffsets = new Longs();
    private final Longs heardTimes = new Longs();
    private final Longs perhapsOffsets = new Longs();
    private final List<Silence> silences = new ArrayList<>();
    private boolean perhapsSince;

    ShardLog(Settings settings) {
        this.quietMs = settings.shardSilenceMs();
        this.holdMs = settings.shardHoldMs();
    }

    void heard(long offset, long at, boolean certain) {
        if (!certain) {
            perhapsOffsets.add(offset);
            perhapsSince = true;
            return;
        }
        int last = heardTimes.size() - 1;
        long before = last < 0 ? BEFORE_ALL : heardTimes.get(last);
        if (at <= before) {
            return;
        }
        if (at - before >= quietMs && (last >= 0 || perhapsSince)) {
            silences.add(new Silence(before, at, offset, perhapsSince));
        }
        heardOffsets.add(offset);
        heardTimes.add(at);
        perhapsSince = false;
    }

    /**
     * When a device goes whose own deadline has come, as far as it can be known when the log is read up to that offset and
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
            if (silence.uncertain() && silence.start() + quietMs <= longest) {
                return null;
            }
            if (silence.start() + quietMs <= live) {
                live = Math.max(live, Math.min(longest, silence.end() + leaseMs));
            }
        }
        int last = heardOffsets.lastUpTo(offset);
        if (last < 0) {
            return null;
        }
        long lastHeard = heardTimes.get(last);
        if (now - lastHeard >= quietMs && lastHeard + quietMs <= live) {
            return perhapsBetween(heardOffsets.get(last), offset) ? null : (Long) longest;
        }
        return live;
    }

    /** Whether the shard may have been silent between a device's last record and now, in whatever way it was read. */
    boolean mayBeSilent(long lastRecord, long offset, long now) {
        int first = firstSilenceAfter(lastRecord);
        if (first < silences.size() && silences.get(first).endOffset() <= offset) {
            return true;
        }
        int last = heardOffsets.lastUpTo(offset);
        return last < 0 ? perhapsBetween(-1, offset) : now - heardTimes.get(last) >= quietMs;
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
