package dev.rollcall.simulate;

/**
 * What a simulation has sent so far.
 *
 * @param heartbeats how many heartbeats, the next two included
 * @param changes those that named a state
 * @param ends those that ended a connection
 * @param texts how many texts were set or cleared
 * @param flags how often somebody hid or came out again
 * @param acknowledged how many of all these records the brokers have
 * @param failed how many they don't
 */
public record Totals(long heartbeats, long changes, long ends, long texts, long flags, long acknowledged, long failed) {
    public long records() {
        return heartbeats + texts + flags;
    }
}
