package dev.rollcall.http.tokens;

import java.time.Instant;

/** What a valid token says. */
public sealed interface Token {
    /** The first instant at which it is refused. */
    Instant validUntil();

    /**
     * A device's.
     *
     * @param user {@code sub}, of which it is only known that it is text
     * @param device {@code device_id}, likewise
     */
    record OfDevice(String user, String device, Instant validUntil) implements Token {}

    /**
     * A service's, which may act for all users.
     *
     * @param id what tells it from other tokens; the same however the token is written down
     */
    record OfService(String id, Instant validUntil) implements Token {}
}
