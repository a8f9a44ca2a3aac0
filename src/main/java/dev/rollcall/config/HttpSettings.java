package dev.rollcall.config;

import java.util.OptionalInt;
import java.util.Set;

/**
 * What the HTTP edge is set to.
 *
 * @param port 0: any free one; empty: no HTTP
 * @param portChosen whether somebody asked for this very port: if not, any other does when it is taken
 * @param advertised the {@code host:port} at which other instances reach this one; empty: derived from the address
 * @param key signs bearer tokens; not set: there are none, and only the loopback address may be served
 * @param corsOrigins in lower case
 * @param streamMaxMs how long an event stream lasts, in ms
 */
public record HttpSettings(
        String host,
        OptionalInt port,
        boolean portChosen,
        String advertised,
        Secret key,
        Set<String> corsOrigins,
        int maxStreams,
        int maxStreamsPerUser,
        long streamMaxMs) {}
