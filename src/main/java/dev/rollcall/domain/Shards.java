package dev.rollcall.domain;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * When each homeserver shard was heard from on one partition, and from that, how long its devices are held: the silence
 * of a whole shard is not the silence of its devices (rule 13).
 */
final class Shards {
    private final long quietMs;
    private final long holdMs;
    private final Map<String, Shard> byName = new HashMap<>();

    Shards(PresenceRules rules) {
        this.quietMs = rules.shardQuietMs();
        this.holdMs = rules.shardHoldMs();
    }

    void heard(@Nullable String name, long at) {
        if (name == null || holdMs == 0) {
            return;
        }
        Shard shard = byName.get(name);
        if (shard == null) {
            byName.put(name, new Shard(at));
        } else {
            shard.heard(at, quietMs);
        }
    }

    /**
     * Holds a device whose deadline has come, if its shard is silent or was so while the device was live.
     *
     * <p>A silence that has ended gives one more lease from its end. While one lasts the device is held, and is looked at
     * again before a second silence could have begun and ended unseen: a shard remembers only its last one.
     */
    void hold(Device device, long now) {
        if (device.shard() == null || device.connectionEnded() || holdMs == 0) {
            return;
        }
        Shard shard = byName.get(device.shard());
        if (shard == null) {
            return;
        }
        long longest = device.deadline() + holdMs;
        long live = device.heldUntil();
        if (shard.silenceEnd > device.lastRecord()
                && (shard.silenceEnd <= live || shard.silenceStart + quietMs <= live)) {
            device.holdUntil(Math.min(longest, shard.silenceEnd + device.leaseMs()));
        }
        if (now - shard.lastHeard >= quietMs && shard.lastHeard + quietMs <= live) {
            device.holdUntil(Math.min(longest, now + Math.min(device.leaseMs(), quietMs)));
        }
    }

    /** Drops the shards that have not been heard from for so long that no device can be held for them any more. */
    void forgetBefore(long time) {
        byName.values().removeIf(shard -> shard.lastHeard < time);
    }

    private static final class Shard {
        private long lastHeard;
        private long silenceStart = Long.MIN_VALUE;
        private long silenceEnd = Long.MIN_VALUE;

        private Shard(long at) {
            lastHeard = at;
        }

        private void heard(long at, long quietMs) {
            if (at - lastHeard >= quietMs) {
                silenceStart = lastHeard;
                silenceEnd = at;
            }
            lastHeard = Math.max(lastHeard, at);
        }
    }
}
