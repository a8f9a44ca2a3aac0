package dev.rollcall.simulation.judge;

import org.jspecify.annotations.Nullable;

/**
 * A record of presence as it was read.
 *
 * @param lastActive null: there was none
 * @param timestamp the record's own
 */
record Presence(
        State state,
        @Nullable State previousState,
        @Nullable String text,
        long since,
        @Nullable Long lastActive,
        long sequence,
        long timestamp) {}
