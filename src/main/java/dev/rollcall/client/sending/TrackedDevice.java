package dev.rollcall.client.sending;

import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.UserId;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A device that is connected, or polls, or whose end has still to be sent. Changed by one thread at a time, except as noted. */
final class TrackedDevice {
    /** Device ids are unique within a user only. */
    record Key(UserId user, String deviceId) {
        /** The same for the same device on every shard, and spread evenly over 64 bits. */
        long hash() {
            // The finalizer of SplitMix64: String.hashCode gives consecutive ids consecutive hashes.
            long mixed = 31L * user.toString().hashCode() + deviceId.hashCode();
            mixed = (mixed ^ (mixed >>> 30)) * 0xBF58476D1CE4E5B9L;
            mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
            return mixed ^ (mixed >>> 31);
        }
    }

    /** What there is to know of a device without a connection. */
    static final class Polls {
        final HeartbeatThrottle throttle;

        /** How many heartbeats are not acknowledged. Thread-safe. */
        final AtomicInteger inFlight = new AtomicInteger();

        /** When the shard last reported it, in ms. */
        long lastCall;

        Polls(Key key, long intervalMs) {
            throttle = new HeartbeatThrottle(intervalMs, 1 + Math.floorMod(key.hash(), intervalMs));
        }
    }

    final Key key;

    /** How many connections are open. */
    int connections;

    /** The last state that was given while it had a connection; null: none was. */
    @Nullable
    PresenceState state;

    /** Null while it has a connection: the session holds it. */
    @Nullable
    Polls polls;

    /** Whether a record of its connection was not acknowledged, and is to be sent again. Set by any thread. */
    volatile boolean isMissing;

    TrackedDevice(Key key) {
        this.key = key;
    }

    /** Whether its last connection has closed, and the brokers do not know. */
    boolean isUnsentEnd() {
        return connections == 0 && polls == null;
    }
}
