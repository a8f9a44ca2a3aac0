package dev.rollcall.domain;

import org.jspecify.annotations.Nullable;

/**
 * What is emitted of a user to everybody: a change of the visible state or text.
 *
 * @param at the instant of the change, in ms since the epoch
 * @param presence null: there has been nothing to say for so long that the user is forgotten (rule 11)
 */
public record PresenceUpdate(long at, @Nullable Presence presence) {}
