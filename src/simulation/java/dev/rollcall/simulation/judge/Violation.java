package dev.rollcall.simulation.judge;

import org.jspecify.annotations.Nullable;

/**
 * Something that Rollcall did against the rules.
 *
 * @param user the user id, or null where no user is concerned
 * @param time the time of the partition when it was noticed, in ms since the epoch
 * @param sentence what happened, and what should have been, by which rule
 */
public record Violation(Kind kind, int partition, @Nullable String user, long time, String sentence) {

    /** What sort of promise was broken. */
    public enum Kind {
        /** A state was published that no device has (promise 1, rules 1 to 6). */
        FALSE_STATE,
        /** Something was published although nothing had changed (rule 10). */
        UNEXPLAINED,
        /** A change was not published (promise 2). */
        LOST,
        /** A device, session or text that is over was not noticed in time (promise 4). */
        GHOST,
        /** The sequence, or the state before, does not follow the record before (rule 10). */
        SEQUENCE,
        /** A hidden user was shown (rule 9). */
        HIDDEN_SHOWN,
        /** The text is not the user's (rule 8). */
        WRONG_TEXT,
        /** {@code since} is not when the state began (rule 10). */
        WRONG_SINCE,
        /** {@code last_active} is not the last visible heartbeat of an ONLINE device (rules 9 and 10). */
        LAST_ACTIVE,
        /** The record's timestamp is not the instant of the change (rule 10). */
        WRONG_TIME,
        /** Records took effect in an order that rule 7 forbids. */
        ORDER,
        /** A misrouted record was not sent on, or not to the right partition, or another one was (rule 7). */
        REROUTE,
        /** Bad input was not refused, or refused for a wrong reason, or good input was refused (rule 12). */
        DEAD_LETTER,
        /** A user was forgotten too early, or with a wrong timestamp (rule 11). */
        WRONGLY_FORGOTTEN,
        /** A user was not forgotten in time (rule 11). */
        NOT_FORGOTTEN,
        /** The last record of a user is not the user's present state (promise 5). */
        NOT_CONVERGED,
        /** A record of presence that nobody can read. */
        UNREADABLE
    }
}
