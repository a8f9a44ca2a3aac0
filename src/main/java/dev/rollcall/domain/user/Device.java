package dev.rollcall.domain.user;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.RoutingView;
import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.domain.UserSnapshot.DeviceSnapshot;
import dev.rollcall.session.Session;
import dev.rollcall.session.Sessions;
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

    /** What holds its connection, or did so when that ended (rule 14); null: the lease counts. */
    private @Nullable Session session;

    /** Its own deadline, and the {@code since} of what its expiry causes. */
    private long deadline;

    /** Never before the deadline; after it where a silent shard holds the device (rule 13). */
    private long heldUntil;

    private long storedRecord = UserSnapshot.NEVER;
    private long storedLeaseMs;
    private @Nullable Session storedSession;

    /** A device that was not known: hitting the event stream means online (rule 2). */
    Device(String id, long since) {
        this.id = id;
        this.state = PresenceState.ONLINE;
        this.since = since;
    }

    Device(DeviceSnapshot snapshot, Sessions sessions) {
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
        session = snapshot.session() == null ? null : sessions.get(snapshot.session());
        storedLeaseMs = leaseMs; // another one is stored at once
        storedSession = session;
    }

    DeviceSnapshot snapshot() {
        return new DeviceSnapshot(
                id,
                state,
                since,
                lastRecord,
                storedRecord,
                leaseMs,
                connectionEnded,
                deadline,
                ownHeldUntil(),
                shard,
                session == null ? null : session.id());
    }

    RoutingView.RoutedDevice routed(PartitionClock clock) {
        return new RoutingView.RoutedDevice(id, state, since, clock.stampOf(lastRecord), clock.stampOf(deadline()));
    }

    /**
     * Whether a crash would now lose more than it may: another lease or session than the stored one (the device would expire
     * early, or far too late), or a last record that is too far behind. Another shard may wait for the next reason.
     */
    boolean needsStoring(long lastSeenPersistMs) {
        return leaseMs != storedLeaseMs || session != storedSession || lastRecord - storedRecord >= lastSeenPersistMs;
    }

    void stored() {
        storedRecord = lastRecord;
        storedLeaseMs = leaseMs;
        storedSession = session;
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

    @Nullable
    Session session() {
        return session;
    }

    /** Its end, and the {@code since} of what that causes. */
    long deadline() {
        return session != null && isOpen() ? session.endsAt() : deadline;
    }

    /** Until when it is live. */
    long heldUntil() {
        return session != null && isOpen() ? session.heldUntil() : heldUntil;
    }

    /** As far as it is the device's own: {@link Long#MAX_VALUE} where a session decides. */
    long ownHeldUntil() {
        return isOpen() ? Long.MAX_VALUE : heldUntil;
    }

    /** Whether a session that was heard decides how long it lives. */
    boolean isOpen() {
        return session != null && !connectionEnded && session.decidesFor(heldUntil);
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

    // ---- rule 14 ----

    /** Whether that session of that shard holds it, or did until its connection ended. */
    boolean isHeldBy(@Nullable String shardName, String sessionName) {
        return session != null
                && session.id().session().equals(sessionName)
                && session.id().shard().equals(shardName);
    }

    /** Whether a heartbeat without a session leaves the device to the one that holds it; {@code now}: the last clock tick. */
    boolean staysInSession(Heartbeat heartbeat, long now) {
        return session != null
                && !connectionEnded
                && heartbeat.leaseMs().isEmpty()
                && (heartbeat.shard() == null
                        || heartbeat.shard().equals(session.id().shard()))
                && (session.isHeard() ? session.isAlive() : now < deadline);
    }

    /** A heartbeat with a session: that holds it from now on. Until it was heard, the device lives as long as if it had been. */
    void open(Session newSession, long at, PartitionScope scope) {
        if (newSession != session) {
            newSession.add();
            leaveSession(scope.sessions());
            session = newSession;
        }
        scope.shards().remove(shard);
        shard = null;
        lastRecord = at;
        connectionEnded = false;
        leaseMs = scope.rules().shardLeaseMs();
        expireAt(at + leaseMs);
        holdUntil(
                newSession.isHeard() ? Long.MAX_VALUE : deadline + scope.rules().shardHoldMs());
    }

    /** A heartbeat without a session that takes it over: its lease counts from now on. */
    void close(long at, PartitionScope scope) {
        if (session != null) {
            setShard(session.id().shard(), scope.shards());
            leaveSession(scope.sessions());
            expireAt(at);
        }
    }

    void leaveSession(Sessions sessions) {
        if (session != null) {
            sessions.remove(session);
            session = null;
        }
    }

    /** It was heard from, and nothing else changes. */
    void heard(long at) {
        lastRecord = at;
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
