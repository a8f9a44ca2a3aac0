package dev.rollcall.chaos.check;

/**
 * An expiry that changed the output, and how late it was noticed. All times in ms since the epoch, by the brokers' clock.
 *
 * @param deadline the device's own deadline by its last heartbeat, or the text's; a silence of the log extends it
 * @param since the deadline that was emitted, later than its own after a take-over
 * @param latest the last moment at which it had to end, with all extensions
 * @param noticedAt the clock tick that ended it
 */
public record Expiry(String user, int partition, long deadline, long since, long latest, long noticedAt) {
    public long lateMs() {
        return noticedAt - deadline;
    }
}
