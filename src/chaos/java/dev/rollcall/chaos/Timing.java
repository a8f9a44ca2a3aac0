package dev.rollcall.chaos;

import dev.rollcall.chaos.check.Settings;
import java.time.Duration;
import java.util.Map;

/** Every time of the set-up: about a quarter of the defaults, so that a campaign fits into minutes. */
final class Timing {
    static final int PARTITIONS = 6;

    static final Duration LEASE = Duration.ofSeconds(8);
    static final Duration GRACE = Duration.ofSeconds(2);
    static final Duration PULSE = Duration.ofMillis(500);
    static final Duration SHARD_SILENCE = Duration.ofSeconds(4);
    static final Duration SHARD_HOLD = Duration.ofSeconds(12);
    static final Duration SHARD_LEASE = Duration.ofSeconds(6);
    static final Duration SHARD_RESUME = Duration.ofSeconds(4);

    /** How far the brokers' clocks are apart at most, but for one that leaps and returns. */
    static final Duration CLOCK_DIFFERENCE = LEASE.dividedBy(4);

    /** The same where a network's faults set them. */
    static final Duration FAR_CLOCK_DIFFERENCE = Duration.ofSeconds(10);

    static final Duration PROCESSOR_SESSION = Duration.ofSeconds(6);
    static final Duration TRANSACTION = Duration.ofSeconds(8);
    static final Duration BROKER_SESSION = Duration.ofSeconds(6);
    static final Duration REQUEST = Duration.ofMillis(7_500);

    /** How far records of different topics may be apart that are read together, on a busy machine without a fault. */
    private static final Duration SLACK = Duration.ofSeconds(5);

    private static final int MAX_DEVICES = 64;
    private static final Duration RETENTION = Duration.ofDays(30);

    private Timing() {}

    /** Rollcall's keys. */
    static Map<String, String> processor() {
        return Map.ofEntries(
                Map.entry("device.lease.ms", ms(LEASE)),
                Map.entry("disconnect.grace.ms", ms(GRACE)),
                Map.entry("pulse.interval.ms", ms(PULSE)),
                Map.entry("shard.quiet.ms", ms(SHARD_SILENCE)),
                Map.entry("shard.hold.ms", ms(SHARD_HOLD)),
                Map.entry("shard.lease.ms", ms(SHARD_LEASE)),
                Map.entry("shard.resume.ms", ms(SHARD_RESUME)),
                Map.entry("max.devices.per.user", String.valueOf(MAX_DEVICES)),
                Map.entry("user.retention.ms", ms(RETENTION)),
                Map.entry("topic.partitions", String.valueOf(PARTITIONS)),
                Map.entry("http.port", ""),
                Map.entry("topic.replication.factor", "3"),
                Map.entry("kafka.session.timeout.ms", ms(PROCESSOR_SESSION)),
                Map.entry("kafka.heartbeat.interval.ms", ms(PROCESSOR_SESSION.dividedBy(4))),
                Map.entry("kafka.transaction.timeout.ms", ms(TRANSACTION)),
                Map.entry("kafka.request.timeout.ms", ms(REQUEST)));
    }

    /** The same for the checker, with how far the brokers' clocks are apart at most. */
    static Settings checker(Duration clockDifference) {
        return new Settings(
                PARTITIONS,
                LEASE.toMillis(),
                GRACE.toMillis(),
                PULSE.toMillis(),
                SHARD_SILENCE.toMillis(),
                SHARD_HOLD.toMillis(),
                SHARD_LEASE.toMillis(),
                SHARD_RESUME.toMillis(),
                clockDifference.toMillis(),
                MAX_DEVICES,
                RETENTION.toMillis(),
                SLACK.toMillis());
    }

    private static String ms(Duration time) {
        return String.valueOf(time.toMillis());
    }
}
