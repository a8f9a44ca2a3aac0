package dev.rollcall.http;

import dev.rollcall.gateway.OwnState;
import dev.rollcall.gateway.PresenceFeed;
import dev.rollcall.gateway.PresenceWriter;

/** What the routes call. */
public record Backend(
        PresenceWriter writer, PresenceFeed feed, OwnState ownState, Simulation simulation, Health health) {}
