package dev.rollcall.domain;

/**
 * The constants of the rules, all times in ms. Their meaning and defaults are in {@code config/rollcall.properties}.
 *
 * @param leaseMs how long a heartbeat that names no lease keeps its device alive
 * @param graceMs how long a state holds after its connection ended
 * @param retentionMs how long a user with nothing to say is remembered
 * @param maxDevices how many live devices a user may have
 * @param shardQuietMs from when on a shard that is not heard from counts as silent
 * @param shardHoldMs how long at most a silent shard's devices are held beyond their own deadlines; 0: not at all
 * @param lastSeenPersistMs how far the stored last-seen of a device may fall behind
 * @param logQuietMs from when on a partition in which nothing is written, not even a pulse, counts as down
 * @param sweepBudget how many users a single sweep may end something for
 * @param routing whether to tell the operator's own services of each device
 */
public record PresenceRules(
        long leaseMs,
        long graceMs,
        long retentionMs,
        int maxDevices,
        long shardQuietMs,
        long shardHoldMs,
        long lastSeenPersistMs,
        long logQuietMs,
        int sweepBudget,
        boolean routing) {}
