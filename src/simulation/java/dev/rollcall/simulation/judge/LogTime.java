package dev.rollcall.simulation.judge;

import java.util.ArrayList;
import java.util.List;

/**
 * The time of a partition of device-heartbeat, which never goes back: where a stamp is d below the one before, d is added to all
 * later ones (rule 7, ADR 13). Leases, grace times and silences are measured in it. What is published is in the brokers' time.
 */
final class LogTime {
    /** A heartbeat that is handled early overtakes at most a bundle of others; so many are remembered to place those. */
    private static final int REMEMBERED = 4096;

    /** From this instant of the partition on, its time is the stamps plus {@code shift}. */
    private record Segment(long from, long shift) {}

    private final long[] offsets = new long[REMEMBERED];
    private final long[] stamps = new long[REMEMBERED];
    private final long[] shifts = new long[REMEMBERED];
    private final List<Segment> segments = new ArrayList<>(List.of(new Segment(Long.MIN_VALUE, 0)));
    private int count;
    private long lastOffset = -1;
    private long lastStamp = Long.MIN_VALUE;
    private long shift;
    private long now = Long.MIN_VALUE;

    /** Takes a record of device-heartbeat; the instant of the partition at which it lies. */
    long place(long offset, long stamp) {
        if (offset < lastOffset) {
            return placeOvertaken(offset, stamp);
        }
        if (stamp < lastStamp) {
            shift += lastStamp - stamp;
            segments.add(new Segment(now, shift));
        }
        lastOffset = offset;
        lastStamp = stamp;
        now = Math.max(now, stamp + shift);
        remember(offset, stamp, shift);
        return stamp + shift;
    }

    /** A record that others behind it were handled before: its time follows from the one before it in the log. */
    private long placeOvertaken(long offset, long stamp) {
        int before = -1;
        for (int i = 0; i < Math.min(count, REMEMBERED); i++) {
            if (offsets[i] < offset && (before < 0 || offsets[i] > offsets[before])) {
                before = i;
            }
        }
        long own = before < 0 ? shift : shifts[before];
        if (before >= 0 && stamp < stamps[before]) {
            own += stamps[before] - stamp;
        }
        remember(offset, stamp, own);
        return stamp + own;
    }

    private void remember(long offset, long stamp, long itsShift) {
        int slot = count++ & (REMEMBERED - 1);
        if (count < 0) {
            count = REMEMBERED;
        }
        offsets[slot] = offset;
        stamps[slot] = stamp;
        shifts[slot] = itsShift;
    }

    /** Whether a record at this offset lies before one that was handled already. */
    boolean isOvertaken(long offset) {
        return offset < lastOffset;
    }

    /** The latest instant that the partition has seen. */
    long now() {
        return now;
    }

    /** What is added to the brokers' stamps now. */
    long shift() {
        return shift;
    }

    /** An instant of the brokers' clocks as one of this partition. */
    long ofStamp(long stamp) {
        return stamp + shift;
    }

    /**
     * The earlier and the later of the two readings of an instant in the brokers' time: by the stamps of when it was, or by those
     * of now. They differ only where stamps have stepped back in between; ADR 13 names neither.
     */
    long earlierStamp(long instant) {
        return instant - Math.max(shift, shiftAt(instant));
    }

    long laterStamp(long instant) {
        return instant - Math.min(shift, shiftAt(instant));
    }

    private long shiftAt(long instant) {
        int last = segments.size() - 1;
        while (last > 0 && segments.get(last).from() > instant) {
            last--;
        }
        return segments.get(last).shift();
    }
}
