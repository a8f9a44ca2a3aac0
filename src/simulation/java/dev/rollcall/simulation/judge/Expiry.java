package dev.rollcall.simulation.judge;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a clock tick ends: leases, grace times, holds and texts (rules 4, 5, 8, 13 and 14). */
final class Expiry {
    /**
     * An end that a tick noticed: of a device, or of the text where that is null. In the brokers' time.
     *
     * @param session the one that has ended the device, if that is what did
     */
    private record End(
            @Nullable Device device, @Nullable Session session, long sinceLo, long sinceHi, long timeLo, long timeHi) {
        boolean isOfOneSession(End other) {
            return session != null && session == other.session;
        }
    }

    private final Ground ground;

    Expiry(Ground ground) {
        this.ground = ground;
    }

    /** Whether a tick at this instant may end anything. */
    boolean isAnythingDue(Variant variant, long at) {
        if (variant.textEnds <= at) {
            return true;
        }
        for (Device device : variant.devices) {
            if (device.aliveAt != at && Ending.of(device, ground, at).endLo() <= at) {
                return true;
            }
        }
        return false;
    }

    void apply(Variant variant, long at, long dueTick, Choices choices) {
        List<End> ends = new ArrayList<>();
        Map<Session, Boolean> over = new HashMap<>();
        for (Device device : variant.devices) {
            if (device.aliveAt == at) {
                continue; // looked at already
            }
            Ending ending = Ending.of(device, ground, at);
            Session session = endedBy(device);
            if (session == null
                    ? isOver(ending, at, choices)
                    : over.computeIfAbsent(session, any -> isOver(ending, at, choices))) {
                ends.add(ended(device, ending, at));
            } else {
                device.aliveAt = at;
            }
        }
        if (variant.textEnds != Long.MAX_VALUE && isTextOver(variant, at, choices)) {
            long instant = variant.textEnds;
            ends.add(new End(null, null, instant, instant, instant, instant));
        }
        if (!ends.isEmpty()) {
            inOrder(variant, ends, dueTick, choices);
        }
    }

    private static boolean isOver(Ending ending, long at, Choices choices) {
        return choices.between(ending.endHi() <= at, ending.endLo() <= at);
    }

    /** Devices of a session that turned out to be an earlier one end "at once": with that record, before the next tick. */
    void applyDecided(Variant variant, long at, long dueTick) {
        List<End> ends = new ArrayList<>();
        for (Device device : variant.devices) {
            if (device.decided != null && device.decided.endHi() <= at) {
                ends.add(ended(device, device.decided, at));
            }
        }
        if (!ends.isEmpty()) {
            emit(variant, ends, dueTick, new Choices());
        }
    }

    /** {@code expires_at} is in the brokers' time; where stamps stepped back, the partition's time is beyond that. */
    private boolean isTextOver(Variant variant, long at, Choices choices) {
        return choices.between(variant.textEnds <= ground.time.earlierStamp(at), variant.textEnds <= at);
    }

    /** The session whose end is the device's: all that it holds end with it. */
    private static @Nullable Session endedBy(Device device) {
        return device.waiting || device.closed || device.decided != null ? null : device.session;
    }

    private End ended(Device device, Ending ending, long at) {
        LogTime time = ground.time;
        long earliest = Math.max(ending.endLo(), Math.min(device.aliveAt + 1, ending.endHi()));
        boolean sinceIsEnd = ending.sinceLo() == ending.endLo() && ending.sinceHi() == ending.endHi();
        long sinceLo = sinceIsEnd ? earliest : ending.sinceLo();
        return new End(
                device,
                endedBy(device),
                time.earlierStamp(sinceLo),
                time.laterStamp(Math.min(ending.sinceHi(), at)),
                time.earlierStamp(earliest),
                time.laterStamp(Math.min(ending.endHi(), at)));
    }

    /**
     * Rule 10: several instants are several records, in order; several ends at one instant are one record. The instant of a held
     * device is that at which its hold ends. Where that is not known to the millisecond, the order may be another one.
     */
    private static void inOrder(Variant variant, List<End> ends, long dueTick, Choices choices) {
        List<End> left = new ArrayList<>(ends);
        left.sort(Comparator.comparingLong(End::timeLo).thenComparingLong(End::timeHi));
        boolean isKnown = left.stream().allMatch(end -> end.timeLo() == end.timeHi());
        List<End> ordered = new ArrayList<>();
        while (!left.isEmpty()) {
            long first = left.stream().mapToLong(End::timeHi).min().orElseThrow();
            int next = 0;
            while (!isKnown
                    && next + 1 < left.size()
                    && left.get(next + 1).timeLo() <= first
                    && choices.either(false)) {
                next++;
            }
            End end = left.remove(next);
            ordered.add(end);
            left.stream().filter(end::isOfOneSession).forEach(ordered::add);
            left.removeIf(end::isOfOneSession);
        }
        emit(variant, ordered, dueTick, choices);
    }

    /** Whether the two end at one instant: surely, where both are known and the same, or possibly. */
    private static boolean isOneInstant(End one, End next, Choices choices) {
        if (one.isOfOneSession(next)) {
            return true;
        }
        boolean surely = one.timeLo() == one.timeHi() && next.timeLo() == one.timeLo() && next.timeHi() == one.timeHi();
        return choices.between(surely, next.timeLo() <= one.timeHi() && one.timeLo() <= next.timeHi());
    }

    private static void emit(Variant variant, List<End> ordered, long dueTick, Choices choices) {
        Iterator<End> ends = ordered.iterator();
        End end = ends.next();
        while (true) {
            remove(variant, end);
            End next = ends.hasNext() ? ends.next() : null;
            if (next == null || !isOneInstant(end, next, choices)) {
                variant.emit(
                        variant.beganAfterEnd(true),
                        variant.beganAfterEnd(false),
                        end.timeLo(),
                        end.timeHi(),
                        dueTick,
                        end.device() == null
                                ? "the text's end is reached (rule 8)"
                                : "a device is over (rules 4, 5, 13, 14)");
            }
            if (next == null) {
                return;
            }
            end = next;
        }
    }

    private static void remove(Variant variant, End end) {
        Device device = end.device();
        if (device == null) {
            variant.text = null;
            variant.textEnds = Long.MAX_VALUE;
            return;
        }
        variant.devices.remove(device);
        variant.leaves(device.state, end.sinceLo(), end.sinceHi());
        variant.quietHi = Math.max(variant.quietHi, end.timeHi());
    }

    /** The earliest instant at which the next tick may end something. */
    long nextLook(Variant variant, long at) {
        long next = variant.textEnds == Long.MAX_VALUE ? Long.MAX_VALUE : Math.max(variant.textEnds, at + 1);
        for (Device device : variant.devices) {
            next = Math.min(next, Ending.nextLook(device, ground, at));
        }
        return next;
    }
}
