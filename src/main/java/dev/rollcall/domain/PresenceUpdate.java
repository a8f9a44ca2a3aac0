package dev.rollcall.domain;

import org.jspecify.annotations.Nullable;

/** What is emitted of a user to everybody. */
public sealed interface PresenceUpdate {

    /** The instant of the change, in ms since the epoch. */
    long at();

    /**
     * A change of the visible state or text.
     *
     * @param previousState the state last emitted; null: nothing was emitted before
     * @param since when the state began, in ms since the epoch
     * @param lastActive the last heartbeat of an ONLINE device that others were allowed to see, in ms since the epoch
     * @param sequence 1 for the first, and exactly one more with each
     */
    record Presence(
            PresenceState state,
            @Nullable PresenceState previousState,
            @Nullable String status,
            long since,
            @Nullable Long lastActive,
            long sequence,
            long at)
            implements PresenceUpdate {

        /** The same, emitted at another instant: one that is read from a record gets the record's. */
        public Presence at(long instant) {
            return new Presence(state, previousState, status, since, lastActive, sequence, instant);
        }
    }

    /** There has been nothing to say for so long that the user is forgotten (rule 11). */
    record Forgotten(long at) implements PresenceUpdate {}
}
