package dev.rollcall.domain;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What of a user has to survive a crash. All times in ms since the epoch.
 *
 * @param hidden whether the user appears offline
 * @param said what was last said of the user; null: nothing yet
 * @param lastActive the last heartbeat of an ONLINE device that others were allowed to see, as of the last save
 * @param leftOnline when a device last left ONLINE; null: never
 * @param leftIdle when a device last left IDLE; null: never
 * @param routingSequence the sequence of the last {@link RoutingView}; 0: there was none
 * @param quietSince since when the user is OFFLINE with no text and not hidden; null: is not
 */
public record UserFacts(
        List<DeviceFacts> devices,
        StatusText status,
        boolean hidden,
        Announcement.@Nullable Presence said,
        @Nullable Long lastActive,
        @Nullable Long quietSince,
        @Nullable Long leftOnline,
        @Nullable Long leftIdle,
        long routingSequence) {

    /**
     * What of a device has to survive a crash.
     *
     * @param since when the device took its state
     * @param lastHeard its last heartbeat as of the last save: it may be {@code last.seen.persist.ms} older than the truth
     * @param leaseMs the longest lease that the device has had since it was last saved, in ms
     * @param connectionEnded whether the deadline is that of a connection's end, which is exact
     * @param deadline when the device expires, as of the last save
     */
    public record DeviceFacts(
            String id,
            PresenceState state,
            long since,
            long lastHeard,
            long leaseMs,
            boolean connectionEnded,
            long deadline,
            @Nullable String shard) {}

    /** Whether there is something in here that the clock can end soon: a device, or a text that expires. */
    public boolean canExpire() {
        return !devices.isEmpty() || status.expiresAt() != null;
    }
}
