package dev.rollcall.chaos.check;

/** How far the heartbeat partition has been read. */
final class Position {
    /** Of the last record; -1: none yet. */
    long offset = -1;

    /** The partition's time in ms; {@link Long#MIN_VALUE}: not known yet. */
    long time = Long.MIN_VALUE;

    /** Whether a task may have been taken over since the record before. */
    boolean disturbed;
}
