package dev.rollcall.topology;

import dev.rollcall.domain.Rejection;
import dev.rollcall.domain.Rejection.Reason;
import dev.rollcall.domain.UserId;
import dev.rollcall.partition.PresencePartition;
import dev.rollcall.session.ShardHeartbeat;
import dev.rollcall.text.Printable;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.metrics.MeasurableStat;
import org.apache.kafka.common.metrics.Sensor;
import org.apache.kafka.common.metrics.stats.CumulativeSum;
import org.apache.kafka.common.metrics.stats.Value;
import org.apache.kafka.streams.StreamsMetrics;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What an operator sees of one task, beside Kafka Streams' own metrics and where those are: in the group {@code
 * stream-rollcall-metrics}, {@code presence-update-rate} and {@code -total}, {@code record-total} (what was
 * read from the inputs: Streams counts a bundle of heartbeats as one), {@code dead-letter-<reason>-rate} and {@code
 * -total}, {@code rerouted-rate} and {@code -total}, {@code stamp-step-back-rate} and {@code -total}, {@code
 * earlier-session-rate} and {@code -total} (rule 14), {@code users-in-memory}, {@code open-sessions}, {@code sweep-behind-ms}.
 */
final class ProcessorMetrics {
    private static final Logger LOG = LoggerFactory.getLogger(ProcessorMetrics.class);
    private static final String SCOPE = "rollcall";
    private static final String GROUP = "stream-rollcall-metrics";

    private final String task;
    private final StreamsMetrics metrics;
    private final Sensor records;
    private final Sensor updates;
    private final Sensor usersInMemory;
    private final Sensor openSessions;
    private final Sensor sweepBehind;
    private final Count rerouted;
    private final Count stepsBack;
    private final Count earlierSessions;
    private final Map<Reason, Count> deadLetters = new EnumMap<>(Reason.class);

    ProcessorMetrics(ProcessorContext<?, ?> context) {
        task = context.taskId().toString();
        metrics = context.metrics();
        records = sensor("record-total", "How many records of the inputs were read", new CumulativeSum());
        updates = rate("presence-update");
        rerouted = new Count(rate("rerouted"));
        stepsBack = new Count(rate("stamp-step-back"));
        earlierSessions = new Count(rate("earlier-session"));
        openSessions = sensor("open-sessions", "How many sessions of shards hold a device", new Value());
        usersInMemory = sensor("users-in-memory", "How many users have something that can expire", new Value());
        sweepBehind = sensor("sweep-behind-ms", "How far the expiry of silent devices is behind, in ms", new Value());
    }

    void read(int count) {
        records.record(count);
    }

    void emitted() {
        updates.record();
    }

    void state(PresencePartition partition) {
        usersInMemory.record(partition.size());
        openSessions.record(partition.openSessions());
        sweepBehind.record((double) partition.sweepBehindMs());
    }

    /** Counts every one, and tells of the first of its kind, the second, the fourth, and so on, so that no log drowns. */
    void deadLetter(Rejection rejection, RecordMetadata source) {
        String reason = name(rejection.reason());
        Count count = deadLetters.computeIfAbsent(rejection.reason(), any -> new Count(rate("dead-letter-" + reason)));
        if (Long.bitCount(count.next()) == 1) {
            LOG.warn(
                    "dead letter ({}) from {}-{} at offset {}: {} [number {} of its kind in task {}]",
                    reason,
                    source.topic(),
                    source.partition(),
                    source.offset(),
                    rejection.detail(),
                    count.total,
                    task);
        }
    }

    /** Counts each, and tells of some, as above. */
    void rerouted(UserId user, RecordMetadata source) {
        if (Long.bitCount(rerouted.next()) == 1) {
            LOG.warn(
                    "{} is on {}-{} (offset {}), where murmur2 of the key does not put it: sent it on. A producer uses another"
                            + " partitioner; librdkafka needs partitioner=murmur2_random [number {} in task {}]",
                    Printable.of(user),
                    source.topic(),
                    source.partition(),
                    source.offset(),
                    rerouted.total,
                    task);
        }
    }

    /** Counts each, and tells of some, as above. */
    void steppedBack(long ms, RecordMetadata source) {
        if (Long.bitCount(stepsBack.next()) == 1) {
            LOG.warn(
                    "the brokers' stamps on {}-{} step back by {} ms at offset {}: a new leader with another clock, or a clock"
                            + " that was set right. Nobody is lost by it; let the brokers' clocks be synchronized"
                            + " [number {} in task {}]",
                    source.topic(),
                    source.partition(),
                    ms,
                    source.offset(),
                    stepsBack.total,
                    task);
        }
    }

    /** Counts each, and tells of some, as above. */
    void earlierSession(ShardHeartbeat heartbeat, RecordMetadata source) {
        if (Long.bitCount(earlierSessions.next()) == 1) {
            LOG.warn(
                    "session {} of shard {} counts for nothing any more (a heartbeat on {}-{} at offset {}): another one that"
                            + " began later was heard. Either a process goes on that was replaced, or the clock of the shard"
                            + " was set back before it was started again [number {} in task {}]",
                    Printable.of(heartbeat.session()),
                    Printable.of(heartbeat.shard()),
                    source.topic(),
                    source.partition(),
                    source.offset(),
                    earlierSessions.total,
                    task);
        }
    }

    void close() {
        metrics.removeSensor(records);
        metrics.removeSensor(updates);
        metrics.removeSensor(rerouted.sensor);
        metrics.removeSensor(stepsBack.sensor);
        metrics.removeSensor(earlierSessions.sensor);
        metrics.removeSensor(openSessions);
        metrics.removeSensor(usersInMemory);
        metrics.removeSensor(sweepBehind);
        deadLetters.values().forEach(count -> metrics.removeSensor(count.sensor));
    }

    private Sensor rate(String what) {
        return metrics.addRateTotalSensor(SCOPE, task, what, Sensor.RecordingLevel.INFO);
    }

    private Sensor sensor(String name, String description, MeasurableStat stat) {
        Sensor sensor = metrics.addSensor("rollcall-" + task + "-" + name, Sensor.RecordingLevel.INFO);
        sensor.add(new MetricName(name, GROUP, description, Map.of("task-id", task)), stat);
        return sensor;
    }

    private static final class Count {
        private final Sensor sensor;
        private long total;

        private Count(Sensor sensor) {
            this.sensor = sensor;
        }

        private long next() {
            sensor.record();
            return ++total;
        }
    }

    private static String name(Reason reason) {
        return reason.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
