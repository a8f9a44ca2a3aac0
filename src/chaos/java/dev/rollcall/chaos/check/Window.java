package dev.rollcall.chaos.check;

/**
 * A time of disturbance, both ends included, in ms since the epoch by a clock that is right: within it tasks may be taken
 * over at any record, and clock ticks may be missing. It begins before the first record that a new owner may read again, and
 * ends when all is read and answered.
 *
 * @param takeOvers how often a partition may change hands in it, one after the other: each time may put an end off by a lease
 */
public record Window(long from, long to, Reach reach, int takeOvers) {
    /** What is disturbed; each of them more than the one before. */
    public enum Reach {
        /** Processors alone: what was written while no processor read is read in the order of its stamps (rule 7). */
        PROCESSORS,
        /** No processor at all: what is written is read as a backlog, records of one user in the order of their stamps. */
        BACKLOG,
        /** Brokers, too: of two topics, one may be read long after the other. */
        BROKERS,
        /** The brokers' clocks as well: of two records on different partitions, their stamps do not tell the order. */
        CLOCKS
    }

    public Window {
        if (from > to) {
            throw new IllegalArgumentException("a window must not end before it begins: " + from + " to " + to);
        }
    }

    /** One in which a partition changes hands once. */
    public Window(long from, long to, Reach reach) {
        this(from, to, reach, 1);
    }

    /** Of processors and brokers. */
    public Window(long from, long to) {
        this(from, to, Reach.BROKERS);
    }
}
