package dev.rollcall.simulation.judge;

import org.jspecify.annotations.Nullable;

/**
 * A record of presence that the rules demand. Its instants are the brokers', before what never goes back is held at what was
 * published last.
 *
 * @param stateChanged false: only the text did, and since stays as it was
 * @param textChanged false: only the state did, and the record is stamped with since
 * @param activeHi {@link Variant#NEVER}: no last_active; activeLo NEVER: there may be none
 * @param dueTick it has to be published before that clock tick of the partition; {@link #AT_ONCE}: before the next record
 */
record Expected(
        State state,
        @Nullable String text,
        boolean stateChanged,
        boolean textChanged,
        long sinceLo,
        long sinceHi,
        long activeLo,
        long activeHi,
        long timeLo,
        long timeHi,
        long dueTick,
        String why) {
    static final long AT_ONCE = -1;
}
