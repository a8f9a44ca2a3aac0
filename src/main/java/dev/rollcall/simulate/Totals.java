package dev.rollcall.simulate;

/**
 * Counts of what a simulation has sent so far.
 *
 * @param heartbeats how many heartbeats, the next two included
 * @param changes those that named a state
 * @param ends those that ended a connection
 * @param texts how many texts were set or cleared
 * @param flags how often the appear-offline flag changed
 * @param acknowledged how many of all these records the brokers acknowledged
 * @param failed how many were not
 */
public record Totals(long heartbeats, long changes, long ends, long texts, long flags, long acknowledged, long failed) {
    public long records() {
        return heartbeats + texts + flags;
    }
}
