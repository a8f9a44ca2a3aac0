package dev.rollcall.simulation.judge;

import dev.rollcall.simulation.judge.Violation.Kind;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Whether a record of presence is the one that the rules demand. */
final class Fit {
    private Fit() {}

    /** What is wrong with it; null: nothing. */
    static @Nullable Kind misfit(Expected expected, Presence presence, @Nullable Presence before) {
        if (presence.state() != expected.state()) {
            return Kind.FALSE_STATE;
        }
        if (!Objects.equals(presence.text(), expected.text())) {
            return Kind.WRONG_TEXT;
        }
        if (!isSince(expected, presence, before)) {
            return Kind.WRONG_SINCE;
        }
        if (!isActive(expected, presence.lastActive(), before == null ? null : before.lastActive())) {
            return Kind.LAST_ACTIVE;
        }
        return isTime(expected, presence, before) ? null : Kind.WRONG_TIME;
    }

    /** Rule 10: the instant the state began. It never goes back. */
    private static boolean isSince(Expected expected, Presence presence, @Nullable Presence before) {
        if (!expected.stateChanged() && before != null) {
            return presence.since() == before.since();
        }
        long least = before == null ? Long.MIN_VALUE : before.since();
        return presence.since() >= Math.max(least, expected.sinceLo())
                && presence.since() <= Math.max(least, expected.sinceHi());
    }

    private static boolean isActive(Expected expected, @Nullable Long active, @Nullable Long before) {
        long least = before == null ? Variant.NEVER : before;
        long lo = Math.max(least, expected.activeLo());
        long hi = Math.max(least, expected.activeHi());
        return active == null ? lo == Variant.NEVER : lo <= active && active <= hi;
    }

    /** The instant of the change: since, where only the state did, the text's, or the later of both. Never before the last one. */
    private static boolean isTime(Expected expected, Presence presence, @Nullable Presence before) {
        long least = before == null ? Long.MIN_VALUE : before.timestamp();
        if (expected.stateChanged()) {
            least = Math.max(least, presence.since());
            if (!expected.textChanged()) {
                return presence.timestamp() == least;
            }
        }
        return presence.timestamp() >= Math.max(least, expected.timeLo())
                && presence.timestamp() <= Math.max(least, expected.timeHi());
    }

    static String said(Presence presence) {
        return presence.state() + " \"" + presence.text() + "\" since " + presence.since() + ", last_active "
                + presence.lastActive() + ", stamped " + presence.timestamp() + ", was published";
    }

    static String wanted(Expected expected) {
        return expected.state() + " \"" + expected.text() + "\" "
                + (expected.stateChanged()
                        ? "since " + range(expected.sinceLo(), expected.sinceHi())
                        : "since as before")
                + ", last_active " + range(expected.activeLo(), expected.activeHi()) + ", stamped "
                + range(expected.timeLo(), expected.timeHi()) + ", because " + expected.why();
    }

    private static String range(long lo, long hi) {
        return lo == hi ? value(lo) : value(lo) + " to " + value(hi);
    }

    private static String value(long instant) {
        return instant == Variant.NEVER ? "none" : Long.toString(instant);
    }
}
