package dev.rollcall.chaos.check;

/**
 * What is read to judge one user: their records, and what their partition's users share.
 *
 * @param until when the logs end, by the partition's time in ms
 */
record History(UserLog log, PartitionLog partition, Settings settings, Disturbances disturbances, long until) {
    PartitionClock clock() {
        return partition.clock;
    }
}
