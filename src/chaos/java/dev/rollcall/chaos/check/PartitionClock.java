package dev.rollcall.chaos.check;

import java.util.List;

/**
 * The times of one partition's records, of which there are three as soon as stamps step (rule 7). All in ms.
 *
 * <ul>
 *   <li>the <em>stamp</em>, which the broker gave it, and which the output reports;
 *   <li>the partition's own <em>time</em>, by which leases and grace are measured: it goes on by as much as the stamps do,
 *       and stands still where they step back;
 *   <li>the <em>instant</em> at which it was written, as far as the stamps tell: the lowest stamp from there on, so that a
 *       clock that leapt ahead and returned has no part in it.
 * </ul>
 *
 * <p>Without a step the three are one.
 */
final class PartitionClock {
    private final SortedLongs offsets = new SortedLongs();
    private final SortedLongs times = new SortedLongs();
    private final SortedLongs instants = new SortedLongs();
    private final long[] shifts;
    private final long[] stepsBack;

    /** @param records of one partition, in its order */
    PartitionClock(List<Entry> records, long mostStepMs) {
        int count = records.size();
        shifts = new long[count];
        stepsBack = new long[count];
        long[] lowest = new long[count];
        long from = Long.MAX_VALUE;
        for (int i = count - 1; i >= 0; i--) {
            from = Math.min(from, records.get(i).timestamp());
            lowest[i] = from;
        }
        long shift = 0;
        long back = 0;
        for (int i = 0; i < count; i++) {
            long stamp = records.get(i).timestamp();
            long step = i == 0 ? 0 : times.get(i - 1) - (stamp + shift);
            if (step > 0) {
                shift += step;
                back += Math.min(step, mostStepMs);
            }
            offsets.add(records.get(i).offset());
            times.add(stamp + shift);
            instants.add(lowest[i]);
            shifts[i] = shift;
            stepsBack[i] = back;
        }
    }

    /** When the last record was written. */
    long lastInstant() {
        return instants.size() == 0 ? Long.MIN_VALUE : instants.get(instants.size() - 1);
    }

    /** Whether any stamp is lower than the one before. */
    boolean hasSteps() {
        return shifts.length > 0 && shifts[shifts.length - 1] > 0;
    }

    /** The partition's time with the record at that offset, which must be there. */
    long time(long offset) {
        return times.get(offsets.lastUpTo(offset));
    }

    /** When the record at that offset, which must be there, was written. */
    long instant(long offset) {
        return instants.get(offsets.lastUpTo(offset));
    }

    /** How far the partition's time is ahead of the stamps after the records up to that offset. */
    long shift(long offset) {
        int last = offsets.lastUpTo(offset);
        return last < 0 ? 0 : shifts[last];
    }

    /** The least that the partition's time was ahead of the stamps when it was that time. */
    long leastShiftAt(long time) {
        if (shifts.length == 0) {
            return 0;
        }
        int first = times.firstFrom(time);
        return shifts[Math.min(first, shifts.length - 1)];
    }

    /** The time of the first record that is not before then; {@link Long#MIN_VALUE}: there is none. */
    long firstTimeFrom(long time) {
        int first = times.firstFrom(time);
        return first < times.size() ? times.get(first) : Long.MIN_VALUE;
    }

    /** The length of all steps back between two offsets, the second one included, none counted for more than a limit. */
    long stepsBack(long after, long upTo) {
        int first = offsets.lastUpTo(after);
        int last = offsets.lastUpTo(upTo);
        return last < 0 ? 0 : stepsBack[last] - (first < 0 ? 0 : stepsBack[first]);
    }

    /** What the partition's time was at an instant. */
    long timeAt(long instant) {
        return translate(instant, instants, times);
    }

    private static long translate(long value, SortedLongs from, SortedLongs to) {
        if (from.size() == 0 || value == Long.MIN_VALUE || value == Long.MAX_VALUE) {
            return value;
        }
        int last = from.lastUpTo(value);
        if (last < 0) {
            return value + to.get(0) - from.get(0);
        }
        long translated = to.get(last) + (value - from.get(last));
        return last + 1 < to.size() ? Math.min(translated, to.get(last + 1)) : translated;
    }
}
