package dev.rollcall.memory;

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
            PackedUser user, Heartbeat heartbeat, long at, long stamp, PartitionClock clock, PresenceRules rules) {
        long now = clock.now();
        if (heartbeat.connectionEnded() || heartbeat.session() != null || clock.timeAt(user.textExpiry()) <= now) {
            return false;
        }
        int found = NOT_FOUND;
        int device = user.firstDevice();
        for (int left = user.devices(); left > 0; left--) {
            if (user.heldUntil(device) <= now) {
                return false; // something ends first
            }
            if (found == NOT_FOUND && user.hasDeviceId(device, heartbeat.deviceId())) {
                found = device;
            }
            device = user.after(device);
        }
        if (found == NOT_FOUND) {
            return false;
        }
        long leaseMs = heartbeat.leaseMs().orElse(rules.leaseMs());
        long deadline = at + leaseMs;
        boolean keepsLease = heartbeat.leaseMs().isEmpty() && deadline < user.deadline(found); // rule 4
        boolean isRenewal = !user.hasSession(found)
                && (heartbeat.state() == null || user.hasState(found, heartbeat.state()))
                && !user.connectionEnded(found)
                && at >= user.lastRecord(found)
                && (keepsLease || leaseMs == user.leaseMs(found)) // another one is stored
                && at - user.storedRecord(found) < rules.lastSeenPersistMs()
                && (keepsLease || !user.hasHeldUntil(found)) // which goes with it
                && (keepsLease || deadline >= Deadlines.startOf(user.bucket()))
                && (heartbeat.shard() == null || user.hasShard(found, heartbeat.shard()));
        if (!isRenewal) {
            return false;
        }
        user.setLastRecord(found, at);
        if (!keepsLease) {
            user.setDeadline(found, deadline);
        }
        if (user.hasState(found, PresenceState.ONLINE) && !user.appearsOffline() && stamp >= user.appearOfflineAt()) {
            user.setLastActive(Math.max(user.lastActive(), stamp));
        }
        return true;
    }
}
