package dev.rollcall.domain.user;

import dev.rollcall.domain.PresenceRules;
import dev.rollcall.domain.UserSnapshot;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * When each homeserver shard was heard from on one partition, and from that, how long its devices are held: the silence
 * of a whole shard is not the silence of its devices (rule 13).
 *
 * <p>Only shards that a live device names are remembered, so there are no more of them than devices. Nothing is lost by
 * that: a silence only counts for a device if it began after the device's last heartbeat. Nor does it show which shards the
 * devices of hidden users name, of whom nothing is heard here (rule 9).
 */
public final class Shards {
    private static final int REMEMBERED_SILENCES = 4;

    private final long silenceMs;
    private final long holdMs;
    private final Map<String, Shard> byName = new HashMap<>();

    /** Those that were heard at the time of the last record and that no live device named then; one may with this record. */
    private final Set<String> heardJustNow = new HashSet<>();

    private long justNow = UserSnapshot.NEVER;

    public Shards(PresenceRules rules) {
        this.silenceMs = rules.shardSilenceMs();
        this.holdMs = rules.shardHoldMs();
    }

    /** One more live device names this shard. */
    void add(@Nullable String name) {
        if (name != null && holdMs > 0) {
            byName.computeIfAbsent(name, any -> new Shard(heardJustNow.contains(name) ? justNow : UserSnapshot.NEVER))
                    .devices++;
        }
    }

    /** One live device less does. */
    void remove(@Nullable String name) {
        Shard shard = name == null ? null : byName.get(name);
        if (shard != null && --shard.devices == 0) {
            byName.remove(name);
        }
    }

    /** A record of this shard was read; it is only remembered for longer than its own time if a live device names the shard. */
    public void recordActivity(@Nullable String name, long at) {
        if (name == null) {
            return;
        }
        Shard shard = byName.get(name);
        if (shard != null) {
            shard.recordActivity(at);
            return;
        }
        if (at != justNow) {
            justNow = at;
            heardJustNow.clear();
        }
        heardJustNow.add(name);
    }

    public int size() {
        return byName.size();
    }

    /** How many are silent, so that their devices are held. */
    public int silent(long now) {
        return (int) byName.values().stream()
                .filter(shard -> shard.lastRecord != UserSnapshot.NEVER && now - shard.lastRecord >= silenceMs)
                .count();
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
            if (silence.start >= device.lastRecord() && (silence.end <= live || silence.start + silenceMs <= live)) {
                device.holdUntil(Math.min(longest, silence.end + device.leaseMs()));
                live = device.heldUntil();
            }
        }
        if (shard.isSilent(device, now)) {
            device.holdUntil(Math.min(longest, now + Math.min(device.leaseMs(), silenceMs)));
        }
    }

    /** When a live device goes at the latest if it is not heard from again: at the end of its lease, held or not. */
    long latestEnd(Device device, long now) {
        Shard shard = device.shard() == null ? null : byName.get(device.shard());
        boolean held = device.heldUntil() > device.deadline();
        if (shard == null || !held) {
            return device.heldUntil();
        }
        if (shard.isSilent(device, now)) {
            return device.deadline() + holdMs; // how long the silence will last, nobody knows
        }
        hold(device, now);
        return device.heldUntil();
    }

    private record Silence(long start, long end) {}

    private final class Shard {
        private final Deque<Silence> silences = new ArrayDeque<>(0);
        private long lastRecord;
        private int devices;

        private Shard(long lastRecord) {
            this.lastRecord = lastRecord;
        }

        private void recordActivity(long at) {
            if (lastRecord != UserSnapshot.NEVER && at - lastRecord >= silenceMs) {
                if (silences.size() == REMEMBERED_SILENCES) {
                    silences.removeFirst();
                }
                silences.addLast(new Silence(lastRecord, at));
            }
            lastRecord = Math.max(lastRecord, at);
        }

        /** Whether it is silent now, and was so for long enough before a device that lives until then goes. */
        private boolean isSilent(Device device, long now) {
            return lastRecord >= device.lastRecord()
                    && now - lastRecord >= silenceMs
                    && lastRecord + silenceMs <= device.heldUntil();
        }
    }
}
