package dev.rollcall.partition;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceRules;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.time.PartitionClock;

/**
 * A heartbeat that changes nothing but how long its device lives, applied to a {@link PackedUser} as it is: most are such, and
 * to unpack the user for them would cost ten times as much. A shortcut, not a rule: what it does is what {@link
 * dev.rollcall.domain.user.User#heartbeat} would have done (see {@code RenewalTest}), and whatever may be more is left to that.
 */
final class Renewal {
    private static final int NOT_FOUND = -1;

    private Renewal() {}

    /**
     * Applies the heartbeat.
     *
     * @param at its time on the partition, in ms
     * @param stamp what the broker's clock said then, in ms since the epoch
     * @return false: it may be more than a renewal, and nothing has happened
     */
    static boolean apply(
            byte[] packed, Heartbeat heartbeat, long at, long stamp, PartitionClock clock, PresenceRules rules) {
        long now = clock.now();
        if (heartbeat.connectionEnded()
                || heartbeat.session() != null
                || clock.timeAt(PackedUser.textExpiry(packed)) <= now) {
            return false;
        }
        int found = NOT_FOUND;
        int device = PackedUser.firstDevice(packed);
        for (int left = PackedUser.devices(packed); left > 0; left--) {
            if (PackedUser.heldUntil(packed, device) <= now) {
                return false; // something ends first
            }
            if (found == NOT_FOUND && PackedUser.hasDeviceId(packed, device, heartbeat.deviceId())) {
                found = device;
            }
            device = PackedUser.after(packed, device);
        }
        if (found == NOT_FOUND) {
            return false;
        }
        long leaseMs = heartbeat.leaseMs().orElse(rules.leaseMs());
        long deadline = at + leaseMs;
        boolean keepsLease = heartbeat.leaseMs().isEmpty() && deadline < PackedUser.deadline(packed, found); // rule 4
        boolean isRenewal = !PackedUser.hasSession(packed, found)
                && (heartbeat.state() == null || PackedUser.hasState(packed, found, heartbeat.state()))
                && !PackedUser.connectionEnded(packed, found)
                && at >= PackedUser.lastRecord(packed, found)
                && (keepsLease || leaseMs == PackedUser.leaseMs(packed, found)) // another one is stored
                && at - PackedUser.storedRecord(packed, found) < rules.lastSeenPersistMs()
                && (keepsLease || deadline >= Deadlines.startOf(PackedUser.bucket(packed)))
                && (heartbeat.shard() == null || PackedUser.hasShard(packed, found, heartbeat.shard()));
        if (!isRenewal) {
            return false;
        }
        PackedUser.setLastRecord(packed, found, at);
        if (!keepsLease) {
            PackedUser.setDeadline(packed, found, deadline);
        }
        if (PackedUser.hasState(packed, found, PresenceState.ONLINE)
                && !PackedUser.appearsOffline(packed)
                && stamp >= PackedUser.appearOfflineAt(packed)) {
            PackedUser.setLastActive(packed, Math.max(PackedUser.lastActive(packed), stamp));
        }
        return true;
    }
}
