package dev.rollcall.simulation.judge;

/** What all users of one partition share: its settings, its time and its shards. */
final class Ground {
    final JudgeSettings settings;
    final LogTime time = new LogTime();
    final Shards shards;
    /** The partition's time at its last clock tick: what has expired by then is gone (section Time). */
    long lastTick = Long.MIN_VALUE;
    /** How many clock ticks were handled. */
    long ticks;

    /** How many users the partition has ever heard of: no fewer than are stored. */
    int users;

    /** Another processor has the partition, and has read no record of device-heartbeat yet. */
    boolean isTakenOver;

    Ground(JudgeSettings settings) {
        this.settings = settings;
        this.shards = new Shards(settings);
    }
}
