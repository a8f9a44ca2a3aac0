package dev.rollcall.wire.stored;

import static dev.rollcall.domain.UserSnapshot.NEVER;

import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.domain.UserSnapshot.DeviceSnapshot;
import dev.rollcall.domain.UserSnapshot.Emitted;
import dev.rollcall.domain.UserSnapshot.TakenEarly;
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
import dev.rollcall.wire.AvroWriter;
import org.jspecify.annotations.Nullable;

/** From the records of the stores to the domain's values and back; nobody but Rollcall writes or reads them. */
final class Stored {
    private static final ThreadLocal<AvroWriter> USER = AvroWriter.of(UserState.getClassSchema());

    private Stored() {}

    /** In the order of the fields of {@code schemas/store/UserState.avsc}. */
    static byte[] write(UserSnapshot user) {
        AvroWriter out = USER.get().begin();
        if (!user.devices().isEmpty()) {
            out.number(user.devices().size());
            user.devices().forEach(device -> write(device, out));
        }
        out.number(0); // no further block of devices
        out.textOrNull(user.status().text());
        out.numberOrNull(user.status().expiresAt());
        out.flag(user.appearOffline());
        Emitted emitted = user.emitted();
        out.isPresent(emitted != null);
        if (emitted != null) {
            out.state(emitted.state()).number(emitted.since()).number(emitted.sequence());
            out.numberUnless(emitted.since(), emitted.at());
        }
        out.numberUnless(NEVER, user.lastActive())
                .numberUnless(NEVER, user.forgettableSince())
                .numberUnless(NEVER, user.leftOnline())
                .numberUnless(NEVER, user.leftIdle())
                .number(user.routingSequence())
                .number(user.clockAheadMs())
                .numberUnless(NEVER, user.statusAt())
                .numberUnless(NEVER, user.appearOfflineAt());
        TakenEarly early = user.takenEarly();
        out.isPresent(early != null);
        if (early != null) {
            out.number(early.offset()).number(early.stamp());
        }
        return out.end();
    }

    private static void write(DeviceSnapshot device, AvroWriter out) {
        SessionId session = device.session();
        out.text(device.id())
                .state(device.state())
                .number(device.since())
                .number(device.lastRecord())
                .number(device.leaseMs())
                .flag(device.connectionEnded())
                .number(device.deadline())
                .textOrNull(session == null ? device.shard() : session.shard())
                .textOrNull(session == null ? null : session.session())
                .number(session == null ? 0 : session.life());
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
                state.getClockAheadMs(),
                toDomain(state.getTakenEarly()));
    }

    private static @Nullable TakenEarly toDomain(dev.rollcall.store.v1.@Nullable TakenEarly early) {
        return early == null ? null : new TakenEarly(early.getOffset(), early.getStamp());
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

    private static Emitted toDomain(Said said) {
        Long at = said.getAt();
        return new Emitted(
                toDomain(said.getState()),
                said.getSince(),
                at == null ? said.getSince() : (long) at,
                said.getSequence());
    }

    private static PresenceState toDomain(StoredPresence state) {
        return switch (state) {
            case OFFLINE -> PresenceState.OFFLINE;
            case IDLE -> PresenceState.IDLE;
            case ONLINE -> PresenceState.ONLINE;
        };
    }

    private static long orNever(@Nullable Long time) {
        return time == null ? NEVER : time;
    }
}
