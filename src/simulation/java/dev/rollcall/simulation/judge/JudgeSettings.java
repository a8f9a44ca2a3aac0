package dev.rollcall.simulation.judge;

/**
 * The configuration that the judged Rollcall runs with, in ms where not said otherwise; the names are those of
 * config/rollcall.properties.
 *
 * @param clockTickIntervalMs {@code pulse.interval.ms}
 * @param partitions of each of the three inputs
 */
public record JudgeSettings(
        long deviceLeaseMs,
        long disconnectGraceMs,
        long shardQuietMs,
        long shardHoldMs,
        long shardLeaseMs,
        long shardResumeMs,
        long userRetentionMs,
        long lastSeenPersistMs,
        int maxDevicesPerUser,
        long clockTickIntervalMs,
        int partitions) {

    /** What config/rollcall.properties has, with one partition. */
    public static JudgeSettings defaults() {
        return new JudgeSettings(30_000, 5_000, 15_000, 60_000, 30_000, 15_000, 2_592_000_000L, 300_000, 64, 1_000, 1);
    }

    /** A silence of the log is at least this long: three intervals of the clock's ticks. */
    long logSilenceMs() {
        return 3 * clockTickIntervalMs;
    }
}
