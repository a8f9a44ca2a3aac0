package dev.rollcall.domain;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What of a user has to survive a crash. Times in ms since the epoch, as the brokers' clocks said; {@code lastHeard} and
 * {@code deadline} of a device are the partition's (see {@link PartitionClock}).
 *
 * @param hidden whether the user appears offline
 * @param emitted what was last emitted of the user; null: nothing yet
 * @param lastActive the last heartbeat of an ONLINE device that others were allowed to see, as of the last save
 * @param statusAt when the text that holds, or the lack of one, was written; null: never, or long forgotten
 * @param appearOfflineAt the same of the flag
 * @param leftOnline when a device last left ONLINE; null: never
 * @param leftIdle when a device last left IDLE; null: never
 * @param routingSequence the sequence of the last {@link RoutingView}; 0: there was none
 * @param clockAheadMs by how much the partition's time was ahead of the stamps as of the last save (see {@link
 *     PartitionClock}): the devices' times are the partition's
 * @param forgettableSince since when the user is OFFLINE with no text and not hidden, and something of them is remembered; null:
 *     is not
 */
public record UserSnapshot(
        List<DeviceSnapshot> devices,
        StatusText status,
        boolean hidden,
        PresenceUpdate.@Nullable Presence emitted,
        @Nullable Long lastActive,
        @Nullable Long forgettableSince,
        @Nullable Long statusAt,
        @Nullable Long appearOfflineAt,
        @Nullable Long leftOnline,
        @Nullable Long leftIdle,
        long routingSequence,
        long clockAheadMs) {

    /**
     * What of a device has to survive a crash.
     *
     * @param since when the device took its state
     * @param lastHeard its last heartbeat as of the last save: it may be {@code last.seen.persist.ms} older than the truth
     * @param leaseMs the lease that runs, in ms
     * @param connectionEnded whether the deadline is that of a connection's end, which is exact
     * @param deadline when the device expires, as of the last save
     */
    public record DeviceSnapshot(
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
