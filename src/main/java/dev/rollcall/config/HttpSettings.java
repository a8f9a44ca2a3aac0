package dev.rollcall.config;

import java.util.OptionalInt;
import java.util.Set;

/**
 * The settings of the HTTP edge.
 *
 * @param port 0: any free one; empty: no HTTP
 * @param portChosen whether the operator set the port; if not, and it is in use, any free one is taken
 * @param key signs bearer tokens; not set: there are none, and the host must be a loopback address
 * @param corsOrigins in lower case
 * @param streamMaxMs how long an event stream lasts, in ms
 * @param limits what one client may use
 */
public record HttpSettings(
        String host,
        OptionalInt port,
        boolean portChosen,
        Secret key,
        Set<String> corsOrigins,
        int maxStreams,
        int maxStreamsPerUser,
        long streamMaxMs,
        HttpLimits limits) {}
