package dev.rollcall.wire;

import dev.rollcall.domain.Printable;

/**
 * What is wrong with a record: why it went to the dead letters.
 *
 * @param detail one sentence for the person who looks at it
 */
public record Defect(Reason reason, String detail) {

    public Defect {
        detail = Printable.of(detail); // it is logged, printed and thrown, and may quote what came
    }

    /** The kinds of bad input (rule 12). The name in lower case is what the header says. */
    public enum Reason {
        /** The bytes are not what they say, or say nothing. */
        UNDECODABLE,
        /** Well-formed single-object encoding, of a schema that Rollcall does not know. */
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
