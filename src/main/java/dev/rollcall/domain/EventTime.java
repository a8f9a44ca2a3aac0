package dev.rollcall.domain;

/** Which of the times that a record may carry is believed (rule 7). */
public final class EventTime {
    private EventTime() {}

    /**
     * The time of a record that its producer stamped: a stamp further ahead than the allowed skew counts as now plus that
     * skew, and a record without a stamp (negative) counts as now. All in ms since the epoch.
     */
    public static long ofProducerStamp(long stamp, long now, long maxSkewMs) {
        if (stamp < 0) {
            return now;
        }
        return Math.min(stamp, now + maxSkewMs);
    }
}
