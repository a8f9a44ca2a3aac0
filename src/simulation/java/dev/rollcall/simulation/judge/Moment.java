package dev.rollcall.simulation.judge;

/**
 * When a record counts from.
 *
 * @param lo on the partition's clock; lo and hi differ where the record was stamped by another partition's leader
 * @param stamp the same in the brokers' time
 * @param arrived on the partition's clock: when it was written there; later than {@code hi} if it was misrouted
 * @param arrivedStamp the same in the brokers' time
 */
record Moment(long lo, long hi, long stamp, long arrived, long arrivedStamp, boolean misrouted) {
    static Moment of(long time, long stamp) {
        return new Moment(time, time, stamp, time, stamp, false);
    }
}
