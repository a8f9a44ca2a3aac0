package dev.rollcall.simulation.judge;

import java.util.ArrayList;
import java.util.List;

/**
 * Enumerates the ways in which a step may go where the rules leave more than one: the step is made once for each sequence of
 * answers, on a copy of the state each time. The first sequence has the preferred answer everywhere.
 */
final class Choices {
    /** More than this are not enumerated; the preferred answer stands. Reached by no rule in practice. */
    private static final int MAX = 8;

    private final List<Boolean> turned = new ArrayList<>();
    private int next;

    /** Where both answers are allowed: the preferred one first, the other one in a later pass. */
    boolean either(boolean preferred) {
        if (next == MAX) {
            return preferred;
        }
        if (next == turned.size()) {
            turned.add(false);
        }
        return preferred ^ turned.get(next++);
    }

    /** The one answer where both ends of an interval agree, else either. */
    boolean between(boolean surely, boolean possibly) {
        return surely == possibly ? surely : either(surely);
    }

    /** Goes on to the next sequence of answers; false when there is none. */
    boolean advance() {
        next = 0;
        while (!turned.isEmpty() && turned.get(turned.size() - 1)) {
            turned.remove(turned.size() - 1);
        }
        if (turned.isEmpty()) {
            return false;
        }
        turned.set(turned.size() - 1, true);
        return true;
    }
}
