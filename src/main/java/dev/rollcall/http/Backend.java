package dev.rollcall.http;

import dev.rollcall.gateway.PresenceFeed;
import dev.rollcall.gateway.PresenceReader;
import dev.rollcall.gateway.PresenceWriter;
import java.util.List;
import java.util.function.Supplier;

/**
 * What the edge stands on.
 *
 * @param waitsFor what the processor waits for until it is ready; empty: nothing
 */
public record Backend(
        PresenceWriter writer,
        PresenceReader reader,
        PresenceFeed feed,
        Simulation simulation,
        Supplier<List<String>> waitsFor) {}
