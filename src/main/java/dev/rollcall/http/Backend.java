package dev.rollcall.http;

import dev.rollcall.gateway.OwnState;
import dev.rollcall.gateway.PresenceFeed;
import dev.rollcall.gateway.PresenceWriter;
import java.util.List;
import java.util.function.Supplier;

/**
 * What the routes call.
 *
 * @param waitsFor what the processor waits for, in words; an empty list once it is ready
 */
public record Backend(
        PresenceWriter writer,
        PresenceFeed feed,
        OwnState ownState,
        Simulation simulation,
        Supplier<List<String>> waitsFor) {}
