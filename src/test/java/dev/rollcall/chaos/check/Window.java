package dev.rollcall.chaos.check;

/**
 * A time of disturbance, both ends included, in ms since the epoch by the brokers' clock: within it tasks may be taken
 * over at any record, the topics may be read in any order, and pulses may be missing. It begins before the first record
 * that a new owner may read again, and ends when all is read and answered.
 */
public record Window(long from, long to) {
    public Window {
        if (from > to) {
            throw new IllegalArgumentException("a window must not end before it begins: " + from + " to " + to);
        }
    }
}
