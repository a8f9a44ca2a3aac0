package dev.rollcall.client.sending;

import java.time.Duration;

/**
 * What a publisher was configured with.
 *
 * @param shard the shard's name, in every heartbeat
 * @param lease how long a device lives after a heartbeat
 * @param keepAlive the longest time between two heartbeats that change nothing, if that is below a third of the lease
 * @param maxPending how many records may be unacknowledged
 */
public record PublisherSettings(String shard, Duration lease, Duration keepAlive, int maxPending) {
    /** How much longer the lease on the wire is: the time that a heartbeat may take to the broker. */
    public static final Duration TRAVEL = Duration.ofSeconds(1);

    long leaseMs() {
        return lease.toMillis();
    }

    /** The shortest time between two heartbeats of a device that change nothing. */
    long intervalMs() {
        return Math.min((leaseMs() + 2) / 3, keepAlive.toMillis());
    }
}
