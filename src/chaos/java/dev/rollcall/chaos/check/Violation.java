package dev.rollcall.chaos.check;

/**
 * A promise that was broken.
 *
 * @param offset of the record on the output that breaks it; -1: it is the lack of one
 * @param message what was emitted, what was allowed, and the records around it
 */
public record Violation(Kind kind, String user, int partition, long offset, String message) {
    /** Which promise. */
    public enum Kind {
        /** A state below that of a device that was live all the time. */
        FALSE_STATE,
        /** A user who had been hidden by then. */
        HIDDEN_SHOWN,
        /** A sequence number is missing or comes twice, or a previous state is not the one before. */
        SEQUENCE,
        /** A change that must be emitted was not emitted, or a misrouted record was not sent on. */
        LOST,
        /** Something was emitted for which there is no reason in the logs, or something else than it should be. */
        UNEXPLAINED,
        /** What was emitted is right but for {@code since}, or the record's time. */
        WRONG_TIME,
        /** What was emitted is right but for {@code last_active}. */
        LAST_ACTIVE,
        /** A user was online or idle for longer than the stated bound. */
        GHOST,
        /** The last record, as a new consumer sees it, is not the last that was emitted. */
        FINAL_STATE,
        /** A record of the output that cannot be read, or is on another partition than its user. */
        MALFORMED
    }

    @Override
    public String toString() {
        return "%s: %s, presence-%d%s: %s"
                .formatted(kind, user, partition, offset < 0 ? "" : " offset " + offset, message);
    }
}
