package dev.rollcall.domain;

import dev.rollcall.session.SessionRules;

/**
 * The constants of the rules, all times in ms. Their meaning and defaults are in {@code config/rollcall.properties}.
 *
 * @param leaseMs how long a heartbeat that names no lease keeps its device alive
 * @param graceMs how long a state holds after its connection ended
 * @param retentionMs how long a user with nothing to say is remembered
 * @param maxDevices how many live devices a user may have
 * @param shardSilenceMs from when on a shard that is not heard from counts as silent
 * @param shardHoldMs how long at most a silent shard's devices are held beyond their own deadlines; 0: not at all
 * @param shardLeaseMs how long a shard's heartbeat that names no lease keeps its session alive (rule 14)
 * @param shardResumeMs how long the devices of a session are held that ended otherwise than by silence
 * @param lastSeenPersistMs how far the stored last-seen of a device may fall behind
 * @param logGapMs from when on a partition in which nothing is written, not even a clock tick, counts as down
 * @param sweepBudget how many users a single sweep may end something for
 * @param routing whether to tell the operator's own services of each device
 */
public record PresenceRules(
        long leaseMs,
        long graceMs,
        long retentionMs,
        int maxDevices,
        long shardSilenceMs,
        long shardHoldMs,
        long shardLeaseMs,
        long shardResumeMs,
        long lastSeenPersistMs,
        long logGapMs,
        int sweepBudget,
        boolean routing) {

    /**
     * How much all devices of a user may take together in what is stored of the user, in bytes: a broker takes records of
     * 1 MiB by default, and one that it refuses would end the processor.
     */
    public static final int MAX_DEVICES_BYTES = 768 << 10;

    /** What a device takes beside its id, at most, in bytes: the names of a shard and its session, 255 each, and the numbers. */
    public static final int DEVICE_BYTES = 600;

    /** The texts, what was last emitted, and the key, at most, with room to spare. */
    private static final int USER_BYTES = 8 << 10;

    public SessionRules sessions() {
        return new SessionRules(shardLeaseMs, shardHoldMs, shardResumeMs);
    }

    /** How large a record about one user can become at most, in bytes. */
    public int maxUserBytes() {
        long devices = (long) maxDevices * (Limits.MAX_ID_BYTES + DEVICE_BYTES);
        return (int) Math.min(devices, MAX_DEVICES_BYTES) + USER_BYTES;
    }
}
