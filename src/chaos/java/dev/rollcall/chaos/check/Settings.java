package dev.rollcall.chaos.check;

/**
 * What the processor was set to, and how much disorder is tolerated. All times in ms.
 *
 * @param partitions how many partitions each of the topics has
 * @param leaseMs how long a heartbeat that names no lease keeps its device alive
 * @param graceMs how long a state holds after its connection ended
 * @param tickMs how often a partition's clock ticks
 * @param shardSilenceMs from when on a shard that sends nothing counts as silent
 * @param shardHoldMs how long at most a silent shard's devices are held; 0: not at all
 * @param shardLeaseMs how long a shard's heartbeat that names no lease keeps its session alive
 * @param shardResumeMs how long the devices of a session are held that did not end by its silence
 * @param clockDifferenceMs how far the brokers' clocks may be apart where a disturbance reaches them
 * @param maxDevices how many live devices a user may have
 * @param retentionMs how long a user of whom there is nothing to keep is remembered
 * @param slackMs what the machine may take without any fault: how far apart in time two records of different topics may
 *     be that are read one after the other, how late a clock tick may come, and how much of the log's end may not be answered
 *     yet
 */
public record Settings(
        int partitions,
        long leaseMs,
        long graceMs,
        long tickMs,
        long shardSilenceMs,
        long shardHoldMs,
        long shardLeaseMs,
        long shardResumeMs,
        long clockDifferenceMs,
        int maxDevices,
        long retentionMs,
        long slackMs) {

    /** How many clock ticks have to be missing, with everything else, for a log to count as down. */
    private static final int PULSES_OF_SILENCE = 3;

    /** The defaults of {@code config/rollcall.properties}, and a slack of 5 s. */
    public static Settings defaults(int partitions) {
        return new Settings(
                partitions, 30_000, 5_000, 1_000, 15_000, 60_000, 30_000, 15_000, 0, 64, 2_592_000_000L, 5_000);
    }

    long logGapMs() {
        return PULSES_OF_SILENCE * tickMs;
    }
}
