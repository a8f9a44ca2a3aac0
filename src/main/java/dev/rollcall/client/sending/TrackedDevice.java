package dev.rollcall.client.sending;

import dev.rollcall.domain.UserId;
import java.util.concurrent.atomic.AtomicInteger;

/** A device that called and has not ended. Changed by one thread at a time, except for {@link #inFlight}. */
final class TrackedDevice {
    /** Device ids are unique within a user only. */
    record Key(UserId user, String deviceId) {
        /** The same for the same device on every shard, and spread evenly over 64 bits. */
        long hash() {
            // The finalizer of SplitMix64: String.hashCode gives consecutive ids consecutive hashes.
            long mixed = 31L * user.hashCode() + deviceId.hashCode();
            mixed = (mixed ^ (mixed >>> 30)) * 0xBF58476D1CE4E5B9L;
            mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
            return mixed ^ (mixed >>> 31);
        }
    }

    /** {@link #scheduledAt} of a device that is not in the schedule. */
    static final long NEVER = Long.MAX_VALUE;

    final Key key;
    final HeartbeatThrottle throttle;

    /** How many of its heartbeats are not acknowledged. Thread-safe. */
    final AtomicInteger inFlight = new AtomicInteger();

    /** How many connections are open. Without one the device is not kept alive. */
    int connections;

    /** When the shard last reported it, in ms. */
    long lastCall;

    /** When it is due, in ms. Belongs to {@link DeviceSchedule}. */
    long scheduledAt = NEVER;

    TrackedDevice(Key key, long intervalMs) {
        this.key = key;
        this.throttle = new HeartbeatThrottle(intervalMs, 1 + Math.floorMod(key.hash(), intervalMs));
    }
}
