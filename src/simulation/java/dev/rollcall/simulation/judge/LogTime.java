package dev.rollcall.simulation.judge;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;

/**
 * The time of a partition of device-heartbeat, which never goes back: where a stamp is d below the one before, d is added to all
 * later ones (rule 7, ADR 13). Leases, grace times and silences are measured in it. What is published is in the brokers' time.
 */
final class LogTime {
    private static final long UNNOTICED_MS = 100;

    /** From this instant of the partition on, its time is the stamps plus {@code shift}. */
    private record Segment(long from, long shift) {}

    /** Records that were handled early, by their offsets. */
    private final TreeMap<Long, Long> yetToCome = new TreeMap<>();

    private final List<Segment> segments = new ArrayList<>(List.of(new Segment(Long.MIN_VALUE, 0)));
    private boolean isTakenOver;
    private long lastStamp = Long.MIN_VALUE / 2;
    private long shift;
    private long now = Long.MIN_VALUE;

    /** Takes a record of device-heartbeat; the instant of the partition at which it lies. */
    long place(long offset, long stamp) {
        while (!yetToCome.isEmpty() && yetToCome.firstKey() < offset) {
            move(Objects.requireNonNull(yetToCome.pollFirstEntry()).getValue());
        }
        return move(stamp);
    }

    private long move(long stamp) {
        // "One of up to 100 ms that falls together with a take-over is not noticed" (ADR 13).
        if (lastStamp - stamp > (isTakenOver ? UNNOTICED_MS : 0)) {
            shift += lastStamp - stamp;
            segments.add(new Segment(now, shift));
        }
        isTakenOver = false;
        lastStamp = stamp;
        now = stamp + shift;
        return now;
    }

    /** Another processor reads on; what was handled early is read again. */
    void takenOver() {
        isTakenOver = true;
        yetToCome.clear();
    }

    /** The instant of a record that does not move the time: one that is handled early, or that nobody may notice. */
    long beside(long stamp) {
        return Math.max(now, stamp + shift);
    }

    /** A record that was handled early moves the time at its place in the log. */
    void isYetToCome(long offset, long stamp) {
        yetToCome.put(offset, stamp);
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
