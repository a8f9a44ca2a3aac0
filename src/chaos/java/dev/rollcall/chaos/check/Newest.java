package dev.rollcall.chaos.check;

import dev.rollcall.chaos.check.UserLog.Applies;

/**
 * The stamp of what holds: a user's text, flag or one of their devices. A record that was sent on from another partition
 * counts only if nothing newer was there before; any other one counts, since the log's own order is the truth (rule 7).
 */
final class Newest {
    private Span stamp = Span.NEVER;
    private long toleranceMs;

    /** Whether the next record in the log counts, which then may be what holds. */
    Applies next(long at, boolean sentOn, long tolerance) {
        Applies applies = sentOn ? judge(at, tolerance) : Applies.YES;
        if (applies == Applies.YES) {
            stamp = Span.at(at);
            toleranceMs = tolerance;
        } else if (applies == Applies.MAYBE) {
            stamp = stamp.join(stamp.or(Span.at(at)));
            toleranceMs = Math.max(toleranceMs, tolerance);
        }
        return applies;
    }

    /**
     * Whether a record counts that was sent on.
     *
     * @param tolerance how far stamps of different partitions may be apart without telling the order, in ms
     */
    Applies judge(long at, long tolerance) {
        if (stamp.equals(Span.NEVER)) {
            return Applies.YES;
        }
        long apart = Math.max(tolerance, toleranceMs);
        if (at - apart > stamp.hi()) {
            return Applies.YES;
        }
        return at + apart < stamp.lo() ? Applies.NO : Applies.MAYBE;
    }
}
