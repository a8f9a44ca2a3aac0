package dev.rollcall.client;

import dev.rollcall.domain.UserId;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One device that the publisher has heard from and that has not ended. To be changed by one thread at a time, except
 * for what says otherwise.
 */
final class TrackedDevice {
    /** A device is its user's: device ids are unique within a user only. */
    record Key(UserId user, String deviceId) {
        /** The same for the same device, on every shard, and spread evenly over 64 bits. */
        long hash() {
            // The finalizer of SplitMix64: String.hashCode gives neighbours to ids that count upwards.
            long mixed = 31L * user.hashCode() + deviceId.hashCode();
            mixed = (mixed ^ (mixed >>> 30)) * 0xBF58476D1CE4E5B9L;
            mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
            return mixed ^ (mixed >>> 31);
        }
    }

    final Key key;
    final HeartbeatThrottle throttle;

    /** How many of its heartbeats the brokers have yet to answer. From any thread. */
    final AtomicInteger unanswered = new AtomicInteger();

    /** How many connections it has open. 0: it is only heard from now and then, and is not kept alive. */
    int connections;

    /** When the shard last said something of it, in ms. */
    long lastHeard;

    /** When it is looked at next. {@link WakeUps}' own. */
    long wakeAt = Long.MAX_VALUE;

    TrackedDevice(Key key, long intervalMs) {
        this.key = key;
        this.throttle = new HeartbeatThrottle(intervalMs, 1 + Math.floorMod(key.hash(), intervalMs));
    }
}
