package dev.rollcall.time;

/**
 * The time of one partition, made of the stamps that its broker gave to the records (rule 7). All in ms.
 *
 * <p>There are two times, which differ only after stamps have stepped back:
 *
 * <ul>
 *   <li>A <b>stamp</b> is what the broker's clock said, in ms since the epoch. Whoever reads {@code since} sees stamps, and
 *       the end of a text is compared with them.
 *   <li>The partition's <b>time</b> never goes back: where a stamp is d below the one before (a new leader with another
 *       clock, a clock that was set right), all later stamps count d more. Leases are measured in it, so that each lasts as
 *       long as it says, and a later record is never the earlier one.
 * </ul>
 *
 * <p>A function of the stamps alone, so that the same log gives the same times. Where a stamp leaps ahead, time leaps with
 * it: nothing tells that from a partition that could not be written for so long.
 */
public final class PartitionClock {
    /** A time before all others, and far enough from the end of the numbers that it can be reckoned with. */
    public static final long UNKNOWN = Long.MIN_VALUE / 2;

    /**
     * What is stored may be so much newer than the first record that is read after a take-over, though no stamp has stepped back:
     * heartbeats are taken early out of a bundle, which spans no more, and the rest of it is read again.
     */
    public static final long TAKEN_EARLY_MS = 100;

    private boolean isRestored;
    private boolean isTakenOver;
    private long time = UNKNOWN;
    private long now = UNKNOWN;
    private long reached = UNKNOWN;

    /** By how much time is ahead of the stamps: never negative, and never less than before. */
    private long ahead;

    /**
     * Goes on where another processor's memory ends.
     *
     * @param earliest time goes on from no earlier than this
     * @param aheadMs what {@link #ahead} was then
     */
    public void startAt(long earliest, long aheadMs) {
        isRestored = true;
        time = Math.max(time, earliest);
        ahead = Math.max(ahead, aheadMs);
    }

    /** By how many ms time is ahead of the stamps, because they have stepped back. */
    public long ahead() {
        return ahead;
    }

    /** Takes the stamp of the next record, and returns the time of that record. */
    public long advance(long stamp) {
        long behind = time - (stamp + ahead);
        if (behind > (isRestored ? TAKEN_EARLY_MS : 0)) {
            ahead = time - stamp;
        }
        isRestored = false;
        time = stamp + ahead;
        reached = Math.max(reached, time);
        return time;
    }

    /** The first record was read that counts for all deadlines. */
    public void takenOver() {
        isTakenOver = true;
    }

    /** Whether {@link #takenOver}: before that, what is stored of a deadline may be old, and each has one lease more. */
    public boolean isTakenOver() {
        return isTakenOver;
    }

    /** Takes note of a stamp from another topic of the partition, which does not move the clock. */
    public void reach(long stamp) {
        reached = Math.max(reached, stamp + ahead);
    }

    /** As {@link #advance}, for a clock tick: the record's time is now. */
    public long tick(long stamp) {
        now = advance(stamp);
        return now;
    }

    /** The time of a record that must not move the clock, since nobody may notice that it was written. */
    public long timeOf(long stamp) {
        return Math.max(time, stamp + ahead);
    }

    /** The time of the last record that moved the clock. */
    public long time() {
        return time;
    }

    /** The time of the last clock tick. What ends by then has ended. */
    public long now() {
        return now;
    }

    /**
     * The latest time that any record has shown, where {@link #time} may lie long before a rest: good enough to tell what is
     * near from what is far. {@link #UNKNOWN}: there was none yet.
     */
    public long reached() {
        return reached;
    }

    /** What the broker's clock says at a time of the partition. */
    public long stampOf(long time) {
        return time - ahead;
    }

    /** The time at which the broker's clock will say that. */
    public long timeAt(long stamp) {
        return stamp > Long.MAX_VALUE - ahead ? Long.MAX_VALUE : stamp + ahead;
    }
}
