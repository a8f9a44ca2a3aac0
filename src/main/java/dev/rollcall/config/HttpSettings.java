package dev.rollcall.config;

import java.util.OptionalInt;
import java.util.Set;

/**
 * The settings of the HTTP edge.
 *
 * @param port 0: any free one; empty: no HTTP
 * @param portChosen whether the operator set the port; if not, and it is in use, any free one is taken
 * @param tokens the bearer tokens; if none are required, the host must be a loopback address
 * @param corsOrigins in lower case; empty if no tokens are required
 * @param simulation whether callers may start simulated shards
 * @param streamMaxMs how long an event stream lasts, in ms
 * @param limits what one client may use
 * @param health what the probes are told
 */
public record HttpSettings(
        String host,
        OptionalInt port,
        boolean portChosen,
        TokenSettings tokens,
        Set<String> corsOrigins,
        boolean simulation,
        int maxStreams,
        int maxStreamsPerUser,
        long streamMaxMs,
        HttpLimits limits,
        HealthSettings health) {}
