package dev.rollcall.wire;

import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.domain.UserSnapshot.DeviceSnapshot;
import dev.rollcall.domain.UserSnapshot.Emitted;
import dev.rollcall.session.Session;
import dev.rollcall.session.SessionId;
import dev.rollcall.session.StoredShard;
import dev.rollcall.session.StoredShard.StoredSession;
import dev.rollcall.store.v1.DeviceState;
import dev.rollcall.store.v1.Said;
import dev.rollcall.store.v1.SessionPhase;
import dev.rollcall.store.v1.SessionState;
import dev.rollcall.store.v1.ShardState;
import dev.rollcall.store.v1.StoredPresence;
import dev.rollcall.store.v1.UserState;
import org.jspecify.annotations.Nullable;

/** From the records of the stores to the domain's values and back; nobody but Rollcall writes or reads them. */
final class Stored {
    private Stored() {}

    static UserState toAvro(UserSnapshot snapshot) {
        return new UserState(
                snapshot.devices().stream().map(Stored::toAvro).toList(),
                snapshot.status().text(),
                snapshot.status().expiresAt(),
                snapshot.appearOffline(),
                snapshot.emitted() == null ? null : toAvro(snapshot.emitted()),
                orNull(snapshot.lastActive()),
                orNull(snapshot.forgettableSince()),
                orNull(snapshot.leftOnline()),
                orNull(snapshot.leftIdle()),
                snapshot.routingSequence(),
                snapshot.clockAheadMs(),
                orNull(snapshot.statusAt()),
                orNull(snapshot.appearOfflineAt()));
    }

    static UserSnapshot toDomain(UserState state) {
        return new UserSnapshot(
                state.getDevices().stream().map(Stored::toDomain).toList(),
                new StatusText(state.getText(), state.getTextExpiresAt()),
                state.getAppearOffline(),
                state.getSaid() == null ? null : toDomain(state.getSaid()),
                orNever(state.getLastActive()),
                orNever(state.getQuietSince()),
                orNever(state.getStatusAt()),
                orNever(state.getAppearOfflineAt()),
                orNever(state.getLeftOnline()),
                orNever(state.getLeftIdle()),
                state.getRoutingSequence(),
                state.getClockAheadMs());
    }

    static ShardState toAvro(StoredShard shard) {
        return new ShardState(
                shard.lastHeard(),
                shard.clockAheadMs(),
                shard.sessions().stream()
                        .map(session -> new SessionState(
                                session.session(),
                                session.life(),
                                SessionPhase.valueOf(session.state().name()),
                                session.startedAt(),
                                session.leaseMs(),
                                session.endsAt(),
                                session.heldUntil()))
                        .toList());
    }

    static StoredShard toDomain(ShardState state) {
        return new StoredShard(
                state.getLastHeard(),
                state.getClockAheadMs(),
                state.getSessions().stream()
                        .map(session -> new StoredSession(
                                session.getSession(),
                                session.getLife(),
                                Session.State.valueOf(session.getPhase().name()),
                                session.getStartedAt(),
                                session.getLeaseMs(),
                                session.getEndsAt(),
                                session.getHeldUntil()))
                        .toList());
    }

    private static DeviceState toAvro(DeviceSnapshot device) {
        SessionId session = device.session();
        return new DeviceState(
                device.id(),
                toStored(device.state()),
                device.since(),
                device.lastRecord(),
                device.leaseMs(),
                device.connectionEnded(),
                device.deadline(),
                session == null ? device.shard() : session.shard(),
                session == null ? null : session.session(),
                session == null ? 0 : session.life());
    }

    private static DeviceSnapshot toDomain(DeviceState device) {
        boolean isHeld = device.getShard() != null && device.getSession() != null;
        return DeviceSnapshot.stored(
                device.getDeviceId(),
                toDomain(device.getState()),
                device.getSince(),
                device.getLastHeard(),
                device.getLeaseMs(),
                device.getConnectionEnded(),
                device.getDeadline(),
                isHeld ? null : device.getShard(),
                isHeld ? new SessionId(device.getShard(), device.getSession(), device.getSessionLife()) : null);
    }

    private static Said toAvro(Emitted emitted) {
        return new Said(toStored(emitted.state()), emitted.since(), emitted.sequence());
    }

    private static Emitted toDomain(Said said) {
        return new Emitted(toDomain(said.getState()), said.getSince(), said.getSequence());
    }

    private static PresenceState toDomain(StoredPresence state) {
        return switch (state) {
            case OFFLINE -> PresenceState.OFFLINE;
            case IDLE -> PresenceState.IDLE;
            case ONLINE -> PresenceState.ONLINE;
        };
    }

    private static StoredPresence toStored(PresenceState state) {
        return switch (state) {
            case OFFLINE -> StoredPresence.OFFLINE;
            case IDLE -> StoredPresence.IDLE;
            case ONLINE -> StoredPresence.ONLINE;
        };
    }

    private static @Nullable Long orNull(long time) {
        return time == UserSnapshot.NEVER ? null : (Long) time;
    }

    private static long orNever(@Nullable Long time) {
        return time == null ? UserSnapshot.NEVER : time;
    }
}
