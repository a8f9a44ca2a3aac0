package dev.rollcall.domain;

import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * One device of one user, live as long as it is in its user's list. Times in ms: {@code since} is a stamp, all others are the
 * partition's (see {@link PartitionClock}).
 */
final class Device {
    final String id;

    // Nobody but PackedUser touches these from outside.
    PresenceState state;
    long since;
    long lastRecord;
    long leaseMs;
    boolean connectionEnded;

    @Nullable
    String shard;

    /** Its own deadline, and the {@code since} of what its expiry causes. */
    long deadline;

    /** Never before the deadline; after it where a silent shard holds the device (rule 13). */
    long heldUntil;

    long savedRecord = User.NEVER;
    long savedLeaseMs;

    /** A device that nobody knew: hitting the event stream means online (rule 2). */
    Device(String id, long since) {
        this.id = id;
        this.state = PresenceState.ONLINE;
        this.since = since;
    }

    static Device of(UserSnapshot.DeviceSnapshot snapshot) {
        Device device = new Device(snapshot.id(), snapshot.since());
        device.state = snapshot.state();
        device.lastRecord = snapshot.lastHeard();
        device.leaseMs = snapshot.leaseMs();
        device.shard = snapshot.shard();
        device.connectionEnded = snapshot.connectionEnded();
        device.expireAt(snapshot.deadline());
        device.savedRecord = snapshot.lastHeard();
        device.savedLeaseMs = snapshot.leaseMs();
        return device;
    }

    UserSnapshot.DeviceSnapshot save() {
        savedRecord = lastRecord;
        savedLeaseMs = leaseMs;
        return new UserSnapshot.DeviceSnapshot(id, state, since, lastRecord, leaseMs, connectionEnded, deadline, shard);
    }

    RoutingView.RoutedDevice routed(PartitionClock clock) {
        return new RoutingView.RoutedDevice(id, state, since, clock.stampOf(lastRecord), clock.stampOf(deadline));
    }

    /**
     * Whether a crash would now lose more than it may: another lease than the stored one (its device would be expired early,
     * or far too late), or a last-seen that is too far behind. Another shard may wait for the next reason.
     */
    boolean needsSaving(long lastSeenPersistMs) {
        return leaseMs != savedLeaseMs || lastRecord - savedRecord >= lastSeenPersistMs;
    }

    PresenceState state() {
        return state;
    }

    long since() {
        return since;
    }

    long lastRecord() {
        return lastRecord;
    }

    boolean connectionEnded() {
        return connectionEnded;
    }

    @Nullable
    String shard() {
        return shard;
    }

    long leaseMs() {
        return leaseMs;
    }

    long deadline() {
        return deadline;
    }

    long heldUntil() {
        return heldUntil;
    }

    void take(PresenceState newState, long at) {
        if (state != newState) {
            state = newState;
            since = at;
        }
    }

    /**
     * A heartbeat: a fresh lease, and a connection that ended is back (rules 4 and 5). One that names no lease never shortens
     * the one that runs.
     */
    void renew(long at, OptionalLong namedLeaseMs, long defaultLeaseMs) {
        long newLeaseMs = namedLeaseMs.orElse(defaultLeaseMs);
        boolean keepsLease = namedLeaseMs.isEmpty() && !connectionEnded && at + newLeaseMs < deadline;
        if (!keepsLease) {
            leaseMs = newLeaseMs;
            expireAt(at + newLeaseMs);
        }
        lastRecord = at;
        connectionEnded = false;
    }

    /** The connection ended, and the state holds until then (rule 5). */
    void end(long at, long until) {
        lastRecord = at;
        connectionEnded = true;
        expireAt(until);
    }

    /** Time during which nothing could be heard does not count: moves the deadline, never to an earlier time. */
    void deferTo(long time) {
        deadline = Math.max(deadline, time);
        heldUntil = Math.max(heldUntil, deadline);
    }

    /** A silent shard holds this device: it is live until then, but its own deadline stays. */
    void holdUntil(long time) {
        heldUntil = Math.max(heldUntil, time);
    }

    private void expireAt(long time) {
        deadline = time;
        heldUntil = time;
    }
}
