package dev.rollcall.http.server;

import dev.rollcall.domain.UserId;
import java.time.Instant;
import java.util.Optional;

/** Who calls, and what they may do. */
public sealed interface Caller {
    /**
     * A user's device. It may act for itself.
     *
     * @param validUntil when its token ends
     */
    record Device(UserId user, String device, Instant validUntil) implements Caller {}

    /**
     * A homeserver shard. It may act for all users.
     *
     * @param token what tells its token from others
     * @param validUntil when its token ends
     */
    record Service(String token, Instant validUntil) implements Caller {}

    /** Any caller from this machine, where there are no tokens. It may act for all users. */
    record Local() implements Caller {}

    /** Refuses a caller who may not act for this user. */
    default void requireUser(UserId user) {
        if (this instanceof Device self && !self.user.equals(user)) {
            throw ApiException.insufficientToken("this token is another user's");
        }
    }

    /** Refuses a caller who may not act for this device. */
    default void requireDevice(UserId user, String device) {
        requireUser(user);
        if (this instanceof Device self && !self.device.equals(device)) {
            throw ApiException.insufficientToken("this token is another device's");
        }
    }

    /** Refuses a caller who may not act for all users. */
    default void requireAllUsers() {
        if (this instanceof Device) {
            throw ApiException.insufficientToken("this takes a service's token, with the scope service");
        }
    }

    /** When the caller's token ends; empty where there are no tokens. */
    default Optional<Instant> tokenEnd() {
        if (this instanceof Device device) {
            return Optional.of(device.validUntil);
        }
        return this instanceof Service service ? Optional.of(service.validUntil) : Optional.empty();
    }

    /** The calling device; empty if the caller is no single device. */
    default Optional<String> ownDevice() {
        return this instanceof Device self ? Optional.of(self.device) : Optional.empty();
    }
}
