package dev.rollcall.chaos.check;

/**
 * How late an expiry was noticed that changed what was emitted. All times in ms since the epoch, by the brokers' clock.
 *
 * @param deadline the device's own deadline by its last heartbeat, or the text's; the log's silence counts in its favour
 * @param since the deadline that was emitted, later than its own after a take-over
 * @param latest the last moment at which it had to end, with all that may be in its favour
 * @param noticedAt the clock tick that ended it
 */
public record Lateness(String user, int partition, long deadline, long since, long latest, long noticedAt) {
    public long lateMs() {
        return noticedAt - deadline;
    }
}
