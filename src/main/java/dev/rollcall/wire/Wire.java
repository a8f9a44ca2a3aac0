package dev.rollcall.wire;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.Limits;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.Rejection.Reason;
import dev.rollcall.domain.RoutingView;
import dev.rollcall.domain.StatusText;
import dev.rollcall.session.ShardHeartbeat;
import dev.rollcall.text.Unicode;
import dev.rollcall.v1.AppearOffline;
import dev.rollcall.v1.ClockPulse;
import dev.rollcall.v1.ConnectionPhase;
import dev.rollcall.v1.DeviceHeartbeat;
import dev.rollcall.v1.RoutingDevice;
import dev.rollcall.v1.RoutingReason;
import dev.rollcall.v1.UserPresence;
import dev.rollcall.v1.UserStatus;
import dev.rollcall.wire.Inbound.ClockTick;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** From the records of the contract to the domain's values and back; fields out of their range are refused (rule 12). */
final class Wire {
    private static final ThreadLocal<AvroWriter> PRESENCE = AvroWriter.of(UserPresence.getClassSchema());

    private Wire() {}

    static Heartbeat toDomain(DeviceHeartbeat value) throws UnreadableException {
        requireId("device_id", value.getDeviceId());
        if (value.getShard() != null) {
            requireId("shard", value.getShard());
        }
        if (value.getSession() != null) {
            requireId("session", value.getSession());
            if (value.getShard() == null) {
                throw new UnreadableException(
                        Reason.INVALID_FIELD, "session needs the shard that it is of: shard is null");
            }
        }
        return new Heartbeat(
                value.getDeviceId(),
                value.getState() == null ? null : toDomain(value.getState()),
                value.getConnection() == ConnectionPhase.CLOSED,
                lease(value.getLeaseMs(), Limits.MAX_LEASE_MS),
                value.getShard(),
                value.getSession());
    }

    /** Refuses what UTF-8 cannot write as it is, with an {@link IllegalArgumentException}. */
    static DeviceHeartbeat toAvro(Heartbeat value) {
        Unicode.requireWellFormed("device_id", value.deviceId());
        if (value.shard() != null) {
            Unicode.requireWellFormed("shard", value.shard());
        }
        if (value.session() != null) {
            Unicode.requireWellFormed("session", value.session());
        }
        return new DeviceHeartbeat(
                value.deviceId(),
                value.state() == null ? null : toAvro(value.state()),
                value.connectionEnded() ? ConnectionPhase.CLOSED : ConnectionPhase.OPEN,
                orNull(value.leaseMs()),
                value.shard(),
                value.session());
    }

    static ShardHeartbeat toDomain(dev.rollcall.v1.ShardHeartbeat value) throws UnreadableException {
        requireId("shard", value.getShard());
        requireId("session", value.getSession());
        return new ShardHeartbeat(
                value.getShard(),
                value.getSession(),
                value.getStartedAt().toEpochMilli(),
                lease(value.getLeaseMs(), Limits.MAX_SHARD_LEASE_MS),
                value.getEnded());
    }

    /** As for a {@link Heartbeat}. */
    static dev.rollcall.v1.ShardHeartbeat toAvro(ShardHeartbeat value) {
        Unicode.requireWellFormed("shard", value.shard());
        Unicode.requireWellFormed("session", value.session());
        return new dev.rollcall.v1.ShardHeartbeat(
                value.shard(),
                value.session(),
                Instant.ofEpochMilli(value.startedAt()),
                orNull(value.leaseMs()),
                value.ended());
    }

    static StatusText toDomain(UserStatus value) throws UnreadableException {
        String text = value.getText();
        requireWellFormed("text", text);
        if (text != null && bytes(text) > Limits.MAX_TEXT_BYTES) {
            throw new UnreadableException(
                    Reason.INVALID_FIELD,
                    "text must be at most %d bytes: it is %d".formatted(Limits.MAX_TEXT_BYTES, bytes(text)));
        }
        return new StatusText(text, millis(value.getExpiresAt()));
    }

    static UserStatus toAvro(StatusText value) {
        return new UserStatus(value.text(), instant(value.expiresAt()));
    }

    static AppearOffline toAvro(boolean appearOffline) {
        return new AppearOffline(appearOffline);
    }

    static ClockTick toDomain(ClockPulse value) throws UnreadableException {
        requireWellFormed("instance", value.getInstance());
        return new ClockTick(value.getInstance());
    }

    static ClockPulse tick(String instance) {
        return new ClockPulse(instance);
    }

    /** In the order of the fields of {@code schemas/UserPresence.avsc}. */
    static byte[] write(Presence value) {
        return PRESENCE.get()
                .begin()
                .state(value.state())
                .stateOrNull(value.previousState())
                .textOrNull(value.status())
                .number(value.since())
                .numberOrNull(value.lastActive())
                .number(value.sequence())
                .end();
    }

    static Presence toDomain(UserPresence value) throws UnreadableException {
        requireWellFormed("status", value.getStatus());
        return new Presence(
                toDomain(value.getState()),
                value.getPreviousState() == null ? null : toDomain(value.getPreviousState()),
                value.getStatus(),
                value.getSince().toEpochMilli(),
                millis(value.getLastActive()),
                value.getSequence());
    }

    static dev.rollcall.v1.RoutingView toAvro(RoutingView view) {
        return new dev.rollcall.v1.RoutingView(
                toAvro(view.state()),
                view.appearOffline(),
                view.text(),
                view.devices().stream()
                        .map(device -> new RoutingDevice(
                                device.id(),
                                toAvro(device.state()),
                                Instant.ofEpochMilli(device.since()),
                                Instant.ofEpochMilli(device.lastActive()),
                                Instant.ofEpochMilli(device.leaseUntil())))
                        .toList(),
                RoutingReason.valueOf(view.reason().name()),
                view.sequence());
    }

    static RoutingView toDomain(dev.rollcall.v1.RoutingView value) throws UnreadableException {
        requireWellFormed("text", value.getText());
        for (RoutingDevice device : value.getDevices()) {
            requireWellFormed("device_id", device.getDeviceId());
        }
        return new RoutingView(
                toDomain(value.getState()),
                value.getAppearOffline(),
                value.getText(),
                value.getDevices().stream()
                        .map(device -> new RoutingView.RoutedDevice(
                                device.getDeviceId(),
                                toDomain(device.getState()),
                                device.getSince().toEpochMilli(),
                                device.getLastActive().toEpochMilli(),
                                device.getLeaseUntil().toEpochMilli()))
                        .toList(),
                RoutingView.Reason.valueOf(value.getReason().name()),
                value.getSequence());
    }

    private static PresenceState toDomain(dev.rollcall.v1.PresenceState state) {
        return switch (state) {
            case OFFLINE -> PresenceState.OFFLINE;
            case IDLE -> PresenceState.IDLE;
            case ONLINE -> PresenceState.ONLINE;
        };
    }

    private static dev.rollcall.v1.PresenceState toAvro(PresenceState state) {
        return switch (state) {
            case OFFLINE -> dev.rollcall.v1.PresenceState.OFFLINE;
            case IDLE -> dev.rollcall.v1.PresenceState.IDLE;
            case ONLINE -> dev.rollcall.v1.PresenceState.ONLINE;
        };
    }

    private static OptionalLong lease(@Nullable Long leaseMs, long atMost) throws UnreadableException {
        if (leaseMs != null && (leaseMs <= 0 || leaseMs > atMost)) {
            throw new UnreadableException(
                    Reason.INVALID_FIELD, "lease_ms must be 1 to %d: it is %d".formatted(atMost, leaseMs));
        }
        return leaseMs == null ? OptionalLong.empty() : OptionalLong.of(leaseMs);
    }

    private static void requireWellFormed(String field, @Nullable String text) throws UnreadableException {
        if (text != null && !Unicode.isWellFormed(text)) {
            throw new UnreadableException(Reason.INVALID_FIELD, field + " must be well-formed UTF-8: it is not");
        }
    }

    private static void requireId(String field, String id) throws UnreadableException {
        requireWellFormed(field, id);
        // No character takes more than 3 bytes per char, so most ids need no counting.
        if (id.isEmpty() || (id.length() * 3 > Limits.MAX_ID_BYTES && bytes(id) > Limits.MAX_ID_BYTES)) {
            throw new UnreadableException(
                    Reason.INVALID_FIELD,
                    "%s must be 1 to %d bytes: it is %d".formatted(field, Limits.MAX_ID_BYTES, bytes(id)));
        }
    }

    private static int bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8).length;
    }

    private static @Nullable Long millis(@Nullable Instant instant) {
        return instant == null ? null : (Long) instant.toEpochMilli();
    }

    private static @Nullable Instant instant(@Nullable Long millis) {
        return millis == null ? null : Instant.ofEpochMilli(millis);
    }

    private static @Nullable Long orNull(OptionalLong value) {
        return value.isPresent() ? (Long) value.getAsLong() : null;
    }
}
