package dev.rollcall.domain;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * When each homeserver shard was heard from on one partition, and from that, how long its devices are held: the silence
 * of a whole shard is not the silence of its devices (rule 13).
 */
final class Shards {
    private static final int REMEMBERED_SILENCES = 4;

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
            shard.heard(at);
        }
    }

    /**
     * Holds a device whose deadline has come, if its shard is silent or was so while the device was live.
     *
     * <p>A silence that has ended gives one more lease from its end. While one lasts the device is held, and is looked at
     * again after no more than the time that makes a silence, so that a shard need not remember more than its last few.
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
        for (Silence silence : shard.silences) {
            if (silence.end > device.lastRecord() && (silence.end <= live || silence.start + quietMs <= live)) {
                device.holdUntil(Math.min(longest, silence.end + device.leaseMs()));
                live = device.heldUntil();
            }
        }
        if (shard.isSilent(now, live)) {
            device.holdUntil(Math.min(longest, now + Math.min(device.leaseMs(), quietMs)));
        }
    }

    /** When a live device goes at the latest if it is not heard from again: at the end of its lease, held or not. */
    long latestEnd(Device device, long now) {
        Shard shard = device.shard() == null ? null : byName.get(device.shard());
        boolean held = device.heldUntil() > device.deadline();
        if (shard == null || !held) {
            return device.heldUntil();
        }
        if (shard.isSilent(now, device.heldUntil())) {
            return device.deadline() + holdMs; // how long the silence will last, nobody knows
        }
        hold(device, now);
        return device.heldUntil();
    }

    /** Drops the shards that have not been heard from for so long that no device can be held for them any more. */
    void forgetBefore(long time) {
        byName.values().removeIf(shard -> shard.lastHeard < time);
    }

    private record Silence(long start, long end) {}

    private final class Shard {
        private final Deque<Silence> silences = new ArrayDeque<>(0);
        private long lastHeard;

        private Shard(long at) {
            lastHeard = at;
        }

        private void heard(long at) {
            if (at - lastHeard >= quietMs) {
                if (silences.size() == REMEMBERED_SILENCES) {
                    silences.removeFirst();
                }
                silences.addLast(new Silence(lastHeard, at));
            }
            lastHeard = Math.max(lastHeard, at);
        }

        /** Whether it is silent now, and was so for long enough before a device that lives until then goes. */
        private boolean isSilent(long now, long liveUntil) {
            return now - lastHeard >= quietMs && lastHeard + quietMs <= liveUntil;
        }
    }
}
