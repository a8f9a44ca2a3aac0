package dev.rollcall.chaos.check;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Times of disturbance, in order and without overlap. */
final class Windows {
    /** No such instant. */
    static final long NONE = Long.MIN_VALUE;

    private final List<Window> windows = new ArrayList<>();

    Windows(List<Window> all) {
        List<Window> sorted = new ArrayList<>(all);
        sorted.sort(Comparator.comparingLong(Window::from));
        for (Window window : sorted) {
            Window last = windows.isEmpty() ? null : windows.get(windows.size() - 1);
            if (last != null && window.from() <= last.to()) {
                windows.set(
                        windows.size() - 1,
                        new Window(
                                last.from(),
                                Math.max(last.to(), window.to()),
                                last.reach(),
                                last.takeOvers() + window.takeOvers()));
            } else {
                windows.add(window);
            }
        }
    }

    /** Whether that instant is disturbed. */
    boolean contains(long instant) {
        return lastWithin(instant, instant) != NONE;
    }

    /** Those of which a part is between the two, both included. */
    List<Window> overlapping(long from, long to) {
        return windows.stream()
                .filter(window -> window.to() >= from && window.from() <= to)
                .toList();
    }

    /** How often a partition may change hands in the disturbance that this instant is in; 0: it is in none. */
    int takeOvers(long instant) {
        for (Window window : windows) {
            if (window.from() <= instant && instant <= window.to()) {
                return Math.max(1, window.takeOvers());
            }
        }
        return 0;
    }

    /** The last disturbed instant between those two, both included; {@link #NONE}: there is none. */
    long lastWithin(long from, long to) {
        for (int i = windows.size() - 1; i >= 0; i--) {
            Window window = windows.get(i);
            if (window.from() <= to) {
                return window.to() >= from ? Math.min(window.to(), to) : NONE;
            }
        }
        return NONE;
    }

    /** How long it was from the one to the other, without the disturbances. */
    long undisturbedMs(long from, long to) {
        if (from >= to) {
            return 0;
        }
        long length = to - from;
        for (Window window : windows) {
            length -= Math.max(0, Math.min(to, window.to()) - Math.max(from, window.from()));
        }
        return length;
    }

    /** The earliest instant from which it is no longer than that to another one, without the disturbances. */
    long undisturbedBefore(long instant, long ms) {
        long earliest = instant;
        long left = ms;
        for (int i = windows.size() - 1; i >= 0; i--) {
            Window window = windows.get(i);
            if (window.from() >= earliest) {
                continue;
            }
            if (earliest > window.to()) {
                long between = earliest - window.to();
                if (between > left) {
                    break;
                }
                left -= between;
            }
            earliest = window.from();
        }
        return earliest - left;
    }
}
