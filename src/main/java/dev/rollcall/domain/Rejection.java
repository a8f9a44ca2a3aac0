package dev.rollcall.domain;

import dev.rollcall.text.Printable;

/**
 * Why a record was refused, and went to the dead letters (rule 12).
 *
 * @param detail one sentence for the person who looks at it
 */
public record Rejection(Reason reason, String detail) {

    public static final Rejection TOO_MANY_DEVICES = new Rejection(
            Reason.TOO_MANY_DEVICES,
            "the user has as many live devices already as max.devices.per.user allows, or as can be stored");

    public Rejection {
        detail = Printable.of(detail); // it is logged, printed and thrown, and may quote what came
    }

    /** The kinds of bad input. The name in lower case is what the dead letter's header says. */
    public enum Reason {
        /** The bytes are not in a format that is read, or not of the schema that they name. */
        UNDECODABLE,
        /** A well-formed value of a schema that Rollcall, or the schema registry, does not know, or has no use for. */
        UNKNOWN_SCHEMA,
        /** A record of Rollcall's that belongs on another topic. */
        WRONG_TOPIC,
        /** There is no key, so no user. */
        NULL_KEY,
        /** The key is not 1 to 255 bytes of UTF-8. */
        INVALID_KEY,
        /** A heartbeat without a value. */
        NULL_HEARTBEAT,
        /** A field is out of its range. */
        INVALID_FIELD,
        /** The user has as many live devices as are allowed, in number or in bytes, and this is one more. */
        TOO_MANY_DEVICES
    }
}
