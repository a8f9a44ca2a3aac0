package dev.rollcall.health;

import java.util.List;

/** What is seen of the processor's threads. */
@FunctionalInterface
public interface Threads {
    /**
     * One thread.
     *
     * @param hasTasks whether it has partitions; without, it has nothing to commit
     * @param commits how often it has committed
     * @param pollAgeMs how long ago it last asked for records, in ms; 0: it has not yet
     */
    record Observed(String name, boolean hasTasks, double commits, long pollAgeMs) {}

    List<Observed> observe();
}
