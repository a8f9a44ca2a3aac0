package dev.rollcall.http;

import dev.rollcall.domain.UserId;
import java.util.Optional;

/** Who calls, and so what they may do. */
sealed interface Caller {
    /** A user's device: acts for itself. */
    record Device(UserId user, String device) implements Caller {}

    /** A homeserver shard, or another instance: acts for everybody. */
    record Service() implements Caller {}

    /** Whoever is on this machine, where there are no tokens: acts for everybody. */
    record Local() implements Caller {}

    /** Refuses what this caller may not do for this user. */
    default void requireUser(UserId user) {
        if (this instanceof Device self && !self.user.equals(user)) {
            throw ApiException.forbidden("this token is another user's");
        }
    }

    /** Refuses what this caller may not do for this device. */
    default void requireDevice(UserId user, String device) {
        requireUser(user);
        if (this instanceof Device self && !self.device.equals(device)) {
            throw ApiException.forbidden("this token is another device's");
        }
    }

    /** Refuses who may not act for everybody. */
    default void requireEverybody() {
        if (this instanceof Device) {
            throw ApiException.forbidden("this takes a service's token");
        }
    }

    /** The device that the caller is; empty: it is none in particular. */
    default Optional<String> ownDevice() {
        return this instanceof Device self ? Optional.of(self.device) : Optional.empty();
    }
}
