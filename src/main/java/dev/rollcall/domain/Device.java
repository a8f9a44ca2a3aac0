package dev.rollcall.domain;

import dev.rollcall.domain.UserSnapshot.DeviceSnapshot;
import dev.rollcall.time.PartitionClock;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * One device of one user, live as long as it is among its user's. Times in ms: {@code since} is a stamp, all others are the
 * partition's (see {@link PartitionClock}).
 */
final class Device {
    private final String id;
    private PresenceState state;
    private long since;
    private long lastRecord;
    private long leaseMs;
    private boolean connectionEnded;
    private @Nullable String shard;

    /** Its own deadline, and the {@code since} of what its expiry causes. */
    private long deadline;

    /** Never before the deadline; after it where a silent shard holds the device (rule 13). */
    private long heldUntil;

    private long storedRecord = UserSnapshot.NEVER;
    private long storedLeaseMs;

    /** A device that was not known: hitting the event stream means online (rule 2). */
    Device(String id, long since) {
        this.id = id;
        this.state = PresenceState.ONLINE;
        this.since = since;
    }

    Device(DeviceSnapshot snapshot) {
        id = snapshot.id();
        state = snapshot.state();
        since = snapshot.since();
        lastRecord = snapshot.lastRecord();
        leaseMs = snapshot.leaseMs();
        connectionEnded = snapshot.connectionEnded();
        shard = snapshot.shard();
        deadline = snapshot.deadline();
        heldUntil = snapshot.heldUntil();
        storedRecord = snapshot.storedRecord();
        storedLeaseMs = leaseMs; // another one is stored at once
    }

    DeviceSnapshot snapshot() {
        return new DeviceSnapshot(
                id, state, since, lastRecord, storedRecord, leaseMs, connectionEnded, deadline, heldUntil, shard);
    }

    RoutingView.RoutedDevice routed(PartitionClock clock) {
        return new RoutingView.RoutedDevice(id, state, since, clock.stampOf(lastRecord), clock.stampOf(deadline));
    }

    /**
     * Whether a crash would now lose more than it may: another lease than the stored one (the device would expire early, or far
     * too late), or a last record that is too far behind. Another shard may wait for the next reason.
     */
    boolean needsStoring(long lastSeenPersistMs) {
        return leaseMs != storedLeaseMs || lastRecord - storedRecord >= lastSeenPersistMs;
    }

    void stored() {
        storedRecord = lastRecord;
        storedLeaseMs = leaseMs;
    }

    String id() {
        return id;
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

    /** A heartbeat that names no shard leaves it as it was (rule 4). */
    void setShard(@Nullable String newShard, Shards shards) {
        if (newShard != null && !newShard.equals(shard)) {
            shards.remove(shard);
            shards.add(newShard);
            shard = newShard;
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

    /** Time during which nothing could be written does not count: moves the deadline, never to an earlier time. */
    void extendTo(long time) {
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
