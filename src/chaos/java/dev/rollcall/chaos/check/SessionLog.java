package dev.rollcall.chaos.check;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** When one partition heard one session (rule 14). Times in ms by the partition's time. */
final class SessionLog {
    /** How a session ends that cannot come back. */
    enum Ending {
        /** A later one was heard. */
        RESTART,
        /** It was told. */
        IN_GOOD_ORDER
    }

    final long startedAt;

    private final SortedLongs offsets = new SortedLongs();
    private final SortedLongs times = new SortedLongs();
    private final List<Long> leases = new ArrayList<>();

    /** Of the records after which no other one came for so long that devices may have ended. */
    private final SortedLongs offsetsBeforeSilences = new SortedLongs();

    private Ending ending = Ending.RESTART;
    private long endOffset = Long.MAX_VALUE;
    private long endTime = Long.MAX_VALUE;
    private long laterHeardAtOffset = Long.MAX_VALUE;

    /** When it was heard although a later one had been heard. */
    private final SortedLongs offsetsAsEarlier = new SortedLongs();

    private final SortedLongs timesAsEarlier = new SortedLongs();

    SessionLog(long startedAt) {
        this.startedAt = startedAt;
    }

    /** @param longestMs how long the silence after the record before may be without an end of any device */
    void hear(long offset, long at, long leaseMs, long longestMs) {
        int last = offsets.size() - 1;
        if (last >= 0 && at - times.get(last) >= longestMs) {
            offsetsBeforeSilences.add(offsets.get(last));
        }
        offsets.add(offset);
        times.add(at);
        leases.add(leaseMs);
    }

    /** It counts for nothing, but shows the devices that wait for this session that it is an earlier one. */
    void hearAsEarlier(long offset, long at) {
        laterHeardAtOffset = Math.min(laterHeardAtOffset, offset);
        offsetsAsEarlier.add(offset);
        timesAsEarlier.add(at);
    }

    void end(Ending how, long offset, long at) {
        if (how == Ending.RESTART) {
            laterHeardAtOffset = Math.min(laterHeardAtOffset, offset);
        }
        if (endOffset == Long.MAX_VALUE) {
            ending = how;
            endOffset = offset;
            endTime = at;
        }
    }

    /** Whether its records count for nothing from that offset on: a later one was heard before. */
    boolean isEarlierAt(long offset) {
        return laterHeardAtOffset < offset;
    }

    /** Whether it has ended before that offset, and not only by its silence. */
    boolean isOverAt(long offset) {
        return Math.min(endOffset, laterHeardAtOffset) < offset;
    }

    /** The first record after that offset that showed it to be an earlier one; null: none. */
    SessionBounds.@Nullable At firstAsEarlier(long offset) {
        int first = offsetsAsEarlier.firstFrom(offset + 1);
        return first == offsetsAsEarlier.size()
                ? null
                : new SessionBounds.At(offsetsAsEarlier.get(first), timesAsEarlier.get(first));
    }

    Ending ending() {
        return ending;
    }

    long endOffset() {
        return endOffset;
    }

    long endTime() {
        return endTime;
    }

    /** How many records it has, but for the one by which it ended. */
    int size() {
        return offsets.size();
    }

    /** The last record up to that offset; -1: none. */
    int lastUpTo(long offset) {
        return offsets.lastUpTo(offset);
    }

    /** The last record before that time; -1: none. */
    int lastBefore(long time) {
        return times.firstFrom(time) - 1;
    }

    long offset(int index) {
        return offsets.get(index);
    }

    long time(int index) {
        return times.get(index);
    }

    long leaseMs(int index) {
        return leases.get(index);
    }

    /** The first record after that offset, or from it on, that a silence follows; -1: there is none but the last one. */
    int firstBeforeSilence(long offset) {
        int first = offsetsBeforeSilences.firstFrom(offset);
        return first == offsetsBeforeSilences.size()
                ? offsets.size() - 1
                : offsets.lastUpTo(offsetsBeforeSilences.get(first));
    }
}
