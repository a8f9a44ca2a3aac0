package dev.rollcall.client.sending;

import java.time.Duration;

/**
 * What a publisher was configured with.
 *
 * @param shard the shard's name, in every heartbeat
 * @param lease how long the shard's session lives after a shard heartbeat, and a device that polls after a heartbeat of its own
 * @param maxPending how many records may be unacknowledged
 * @param maxWait how long a record may wait before it is handed to the producer; then it is not sent any more
 */
public record PublisherSettings(String shard, Duration lease, int maxPending, Duration maxWait) {
    /** The time between two looks at what is due. */
    public static final Duration TICK = Duration.ofMillis(100);

    /** How much longer a device's lease is on the wire: the time that a heartbeat may take to the broker. */
    public static final Duration TRAVEL = Duration.ofSeconds(1);

    long leaseMs() {
        return lease.toMillis();
    }

    /** The time between two shard heartbeats on a partition; the shortest between two of a device that change nothing. */
    long intervalMs() {
        return (leaseMs() + 2) / 3;
    }

    /** For what can wait: it leaves room for what somebody waits for. */
    int halfOfPending() {
        return maxPending / 2;
    }
}
