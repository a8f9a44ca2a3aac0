package dev.rollcall.matrix;

import dev.rollcall.domain.PresenceState;
import org.jspecify.annotations.Nullable;

/**
 * A poll as the proxy mirrors it.
 *
 * @param requestId the proxy's; empty: it names none
 * @param address the client's, as the proxy writes it
 * @param timeoutMs how long it may wait
 * @param state null: it names none
 */
record Mirrored(
        String requestId,
        String token,
        String address,
        long timeoutMs,
        @Nullable PresenceState state) {}
