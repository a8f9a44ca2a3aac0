package dev.rollcall.domain;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Everything about a user, for the operator's own services: also what a hidden user's devices do. All times in ms since the
 * epoch.
 *
 * @param state the true merged state, whether or not the user appears offline
 * @param sequence a count of its own: 1 for the first, and exactly one more with each
 */
public record RoutingView(
        PresenceState state,
        boolean appearOffline,
        @Nullable String text,
        List<RoutedDevice> devices,
        Reason reason,
        long sequence) {

    /** Why it was written. */
    public enum Reason {
        HEARTBEAT,
        CONNECTION_END,
        EXPIRY,
        STATUS,
        APPEAR_OFFLINE,
        FORGOTTEN
    }

    /** One live device. */
    public record RoutedDevice(String id, PresenceState state, long since, long lastActive, long leaseUntil) {}
}
