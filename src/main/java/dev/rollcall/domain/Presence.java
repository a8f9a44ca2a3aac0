package dev.rollcall.domain;

import org.jspecify.annotations.Nullable;

/**
 * What everybody may know of a user.
 *
 * @param previousState the state last emitted; null: nothing was emitted before
 * @param since when the state began, in ms since the epoch
 * @param lastActive the last heartbeat of an ONLINE device that others were allowed to see, in ms since the epoch
 * @param sequence 1 for the first, and exactly one more with each
 */
public record Presence(
        PresenceState state,
        @Nullable PresenceState previousState,
        @Nullable String status,
        long since,
        @Nullable Long lastActive,
        long sequence) {}
