package dev.rollcall.topology;

import dev.rollcall.domain.PresenceUpdate;
import dev.rollcall.domain.Rejection;
import dev.rollcall.domain.Rejection.Reason;
import dev.rollcall.domain.UserId;
import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.partition.PresencePartition;
import dev.rollcall.session.ShardHeartbeat;
import dev.rollcall.text.Printable;
import dev.rollcall.topology.meters.ClockTicks;
import dev.rollcall.topology.meters.ProcessorMeters;
import dev.rollcall.topology.meters.TaskMeters;
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
 * What one task counts: as {@link ProcessorMeters} for Prometheus, and some of it over JMX, beside what Kafka Streams counts itself,
 * under {@code kafka.streams:type=stream-rollcall-metrics}: {@code record-total} (Streams' own count takes a bundle of heartbeats
 * for one), {@code presence-update-rate} and {@code -total}, {@code users-in-memory}.
 */
final class ProcessorMetrics {
    private static final Logger LOG = LoggerFactory.getLogger(ProcessorMetrics.class);
    private static final String SCOPE = "rollcall";
    private static final String GROUP = "stream-rollcall-metrics";

    private final String task;
    private final StreamsMetrics metrics;
    private final ProcessorMeters meters;
    private final TaskMeters own;
    private final ClockTicks.Task ticks;
    private final Sensor records;
    private final Sensor updates;
    private final Sensor usersInMemory;
    private final Map<Reason, Integer> deadLetters = new EnumMap<>(Reason.class);
    private int rerouted;
    private int stepsBack;
    private int earlierSessions;

    ProcessorMetrics(ProcessorContext<?, ?> context, ProcessorMeters meters) {
        task = context.taskId().toString();
        metrics = context.metrics();
        this.meters = meters;
        own = meters.open();
        ticks = meters.clockTicks().open(context.taskId().partition());
        records = sensor("record-total", "How many records of the inputs were read", new CumulativeSum());
        updates = metrics.addRateTotalSensor(SCOPE, task, "presence-update", Sensor.RecordingLevel.INFO);
        usersInMemory = sensor("users-in-memory", "How many users have something that can expire", new Value());
    }

    void read(int count) {
        records.record(count);
        meters.read(count);
    }

    void restored(UserSnapshot user) {
        own.restored(user);
    }

    void emitted(PresenceUpdate update) {
        updates.record();
        meters.emitted(update);
        own.emitted(update.presence());
    }

    /** Something has ended by itself, and was noticed so many ms later. */
    void late(long ms) {
        meters.late(ms);
    }

    void hid(boolean before, boolean after) {
        own.hid(before, after);
    }

    void wroteTick() {
        ticks.wrote();
    }

    void tickCameBack() {
        ticks.cameBack();
    }

    void state(PresencePartition partition) {
        usersInMemory.record(partition.size());
        own.look(partition);
    }

    /** Counts every one, and tells of the first of its kind, the second, the fourth, and so on, so that no log drowns. */
    void deadLetter(Rejection rejection, RecordMetadata source) {
        meters.refused(rejection.reason());
        int number = deadLetters.merge(rejection.reason(), 1, Integer::sum);
        if (Integer.bitCount(number) == 1) {
            LOG.warn(
                    "dead letter ({}) from {}-{} at offset {}: {} [number {} of its kind in task {}]",
                    rejection.reason().name().toLowerCase(Locale.ROOT),
                    source.topic(),
                    source.partition(),
                    source.offset(),
                    rejection.detail(),
                    number,
                    task);
        }
    }

    /** Counts each, and tells of some, as above. */
    void rerouted(UserId user, RecordMetadata source) {
        meters.rerouted();
        if (Integer.bitCount(++rerouted) == 1) {
            LOG.warn(
                    "{} is on {}-{} (offset {}), where murmur2 of the key does not put it: sent it on. A producer uses another"
                            + " partitioner; librdkafka needs partitioner=murmur2_random [number {} in task {}]",
                    Printable.of(user),
                    source.topic(),
                    source.partition(),
                    source.offset(),
                    rerouted,
                    task);
        }
    }

    /** Counts each, and tells of some, as above. */
    void steppedBack(long ms, RecordMetadata source) {
        meters.steppedBack();
        if (Integer.bitCount(++stepsBack) == 1) {
            LOG.warn(
                    "the brokers' stamps on {}-{} step back by {} ms at offset {}: a new leader with another clock, or a clock"
                            + " that was set right. Nobody is lost by it; let the brokers' clocks be synchronized"
                            + " [number {} in task {}]",
                    source.topic(),
                    source.partition(),
                    ms,
                    source.offset(),
                    stepsBack,
                    task);
        }
    }

    /** Counts each, and tells of some, as above. */
    void earlierSession(ShardHeartbeat heartbeat, RecordMetadata source) {
        meters.earlierSession();
        if (Integer.bitCount(++earlierSessions) == 1) {
            LOG.warn(
                    "session {} of shard {} counts for nothing any more (a heartbeat on {}-{} at offset {}): another one that"
                            + " began later was heard. Either a process goes on that was replaced, or the clock of the shard"
                            + " was set back before it was started again [number {} in task {}]",
                    Printable.of(heartbeat.session()),
                    Printable.of(heartbeat.shard()),
                    source.topic(),
                    source.partition(),
                    source.offset(),
                    earlierSessions,
                    task);
        }
    }

    void close() {
        metrics.removeSensor(records);
        metrics.removeSensor(updates);
        metrics.removeSensor(usersInMemory);
        meters.close(own);
        ticks.close();
    }

    private Sensor sensor(String name, String description, MeasurableStat stat) {
        Sensor sensor = metrics.addSensor("rollcall-" + task + "-" + name, Sensor.RecordingLevel.INFO);
        sensor.add(new MetricName(name, GROUP, description, Map.of("task-id", task)), stat);
        return sensor;
    }
}
