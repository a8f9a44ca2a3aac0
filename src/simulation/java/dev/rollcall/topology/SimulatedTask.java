package dev.rollcall.topology;

import dev.rollcall.consumer.HeartbeatBundles.Bundle;
import dev.rollcall.domain.UserId;
import dev.rollcall.metrics.Meters;
import dev.rollcall.topology.meters.ProcessorMeters;
import dev.rollcall.wire.Serialization;
import dev.rollcall.wire.stored.StoredSerialization;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.processor.StateStoreContext;
import org.apache.kafka.streams.processor.TaskId;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.Nullable;

/**
 * One task: the real {@link PresenceProcessor} and its stores, called as Kafka Streams would call them. It tells its surroundings
 * which record is handled, also of those that are read out of a bundle, and of those that are taken before their turn.
 */
public final class SimulatedTask {
    /** What a variant writes its clock ticks to instead of its own partition. */
    static final String OWN_TOPIC = "own-clock-ticks";

    /** By the clock of the processor that handles something now, in ms since the epoch. */
    private static long processorsClock;

    /** For so long a task that has nothing to say is not asked. */
    private static final long DORMANT_MS = 3_600_000;

    private final SimulatedProcess process;
    private final int partition;
    private final Surroundings surroundings;
    private final PresenceProcessor processor;
    private final KeyValueStore<Bytes, byte[]> users;
    private final TaskContext context;
    private final long tickIntervalMs;

    /** The heartbeats that wait as Streams' next record. */
    private @Nullable Bundle head;

    /** What is read out of it now; null: nothing is. */
    private @Nullable Bundle opened;

    /** The record of another topic that is handled now, until it is told; null: none, or told. */
    private @Nullable ConsumerRecord<byte[], byte[]> untold;

    private int index;
    private @Nullable ConsumerRecord<byte[], byte[]> early;
    private int outputs;

    SimulatedTask(SimulatedProcess process, int partition, Rows userRows, Rows shardRows, Surroundings surroundings) {
        this.process = process;
        this.partition = partition;
        this.surroundings = surroundings;
        tickIntervalMs = process.config.tickIntervalMs();
        TaskId task = new TaskId(0, partition);
        users = process.userStore(userRows);
        LoggedStore<?, ?> loggedUsers = new LoggedStore<>(
                users,
                Serialization.userIds(),
                StoredSerialization.userSnapshots(),
                (key, value) -> surroundings.changelog(PresenceTopology.USERS, key, value));
        LoggedStore<?, ?> loggedShards = new LoggedStore<>(
                shardRows,
                Serdes.String(),
                StoredSerialization.storedShards(),
                (key, value) -> surroundings.changelog(PresenceTopology.SHARDS, key, value));
        loggedUsers.init(storeContext(task), loggedUsers);
        loggedShards.init(storeContext(task), loggedShards);
        context = new TaskContext(
                task,
                process.topics,
                Map.of(PresenceTopology.USERS, loggedUsers, PresenceTopology.SHARDS, loggedShards),
                surroundings,
                this::beforeOutput);
        processor = new PresenceProcessor(
                process.config,
                process.clock,
                process.partitioner,
                process.heartbeats,
                process.userStores,
                process.limits,
                new ProcessorMeters(Meters.none()),
                process.instance);
        processor.init(context);
    }

    /** What this processor's clock says, for a variant that believes it. */
    static long processorsClock() {
        return processorsClock;
    }

    private static StateStoreContext storeContext(TaskId task) {
        Map<String, Object> settings = Map.of(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        return (StateStoreContext) Proxy.newProxyInstance(
                SimulatedTask.class.getClassLoader(),
                new Class<?>[] {StateStoreContext.class},
                (self, method, args) -> switch (method.getName()) {
                    case "taskId" -> task;
                    case "appConfigs" -> settings;
                    default -> throw new UnsupportedOperationException(method.getName());
                });
    }

    // ---- records ----

    /** As Kafka Streams' queue does with its first record: it is deserialized, so as to know its time. */
    public void headOfHeartbeats(ConsumerRecord<byte[], byte[]> bundle) {
        head = (Bundle) process.heartbeats.deserialize(bundle.topic(), bundle.headers(), bundle.value());
    }

    /** Handles a bundle, which was the head until the next one was. */
    @SuppressWarnings("ReferenceEquality") // it is this very bundle or another one
    public void processHeartbeats(ConsumerRecord<byte[], byte[]> bundle) {
        Bundle records = (Bundle) bundle.headers();
        if (head == records) {
            head = null; // else the next one waits already
        }
        opened = records;
        index = -1;
        try {
            process.whileReading(this::readsNext);
            process(null, records, bundle);
        } finally {
            opened = null;
        }
    }

    /** Handles a record of one of the other topics. */
    public void process(ConsumerRecord<byte[], byte[]> record) {
        Object value = (record.topic().equals(process.topics.statuses().name())
                        ? process.topics.statuses()
                        : process.topics.appearOffline())
                .values()
                .deserializer()
                .deserialize(record.topic(), record.headers(), record.value());
        untold = record;
        early = null;
        index = -1;
        process.whileReading(this::readsEarly);
        process(record.key() == null ? null : UserId.ofBytes(record.key()), value, record);
        tell();
    }

    /** Handles a clock tick that comes from a topic of its own: nobody is told. */
    public void processOwnTick(byte[] value, long stamp) {
        Object tick = process.topics.heartbeats().values().deserializer().deserialize("ticks", value);
        context.at(new Source("ticks", partition, 0));
        processor.process(new Record<>(null, tick, stamp, new RecordHeaders()));
        context.at(null);
    }

    private void process(@Nullable UserId key, Object value, ConsumerRecord<byte[], byte[]> record) {
        processorsClock = process.clock.millis();
        context.at(new Source(record.topic(), record.partition(), record.offset()));
        processor.process(new Record<>(key, value, Math.max(0, record.timestamp()), record.headers()));
        context.at(null);
        context.punctuations().resume(surroundings.steadyClock());
    }

    private record Source(String topic, int partition, long offset) implements RecordMetadata {}

    /** The next of the open bundle is read, and handled at once. */
    private void readsNext(byte @Nullable [] value) {
        Bundle bundle = opened;
        if (bundle != null) {
            do {
                index++;
            } while (bundle.isTaken(index));
            surroundings.handles(bundle.records().get(index));
        }
    }

    /** One of the waiting bundle is read: to take it before its turn, or to see whether it is a clock tick. */
    @SuppressWarnings("ReferenceEquality") // several records may have the same value
    private void readsEarly(byte @Nullable [] value) {
        Bundle bundle = head;
        ConsumerRecord<byte[], byte[]> cause = untold;
        if (bundle == null || cause == null) {
            return;
        }
        List<ConsumerRecord<byte[], byte[]>> records = bundle.records();
        for (int next = index + 1; next < records.size(); next++) {
            ConsumerRecord<byte[], byte[]> record = records.get(next);
            if (record.value() == value
                    && (record.key() == null
                            || (!bundle.isTaken(next)
                                    && record.timestamp() < cause.timestamp()
                                    && Arrays.equals(record.key(), cause.key())))) {
                index = next;
                early = record.key() == null ? null : record;
                if (early != null) {
                    surroundings.handles(record);
                }
                return;
            }
        }
    }

    private void beforeOutput() {
        outputs++;
        if (early == null || head == null || head.isTaken(index)) {
            tell();
        }
    }

    private void tell() {
        ConsumerRecord<byte[], byte[]> record = untold;
        untold = null;
        early = null;
        if (record != null) {
            surroundings.handles(record);
        }
    }

    // ---- time ----

    /** Fires the punctuators that are due; returns whether any was. */
    public boolean punctuate() {
        long now = surroundings.steadyClock();
        Punctuations punctuations = context.punctuations();
        if (punctuations.next() > now) {
            return false;
        }
        int before = outputs;
        boolean fired = punctuations.fire(now);
        if (outputs == before && punctuations.next() > now + 1) {
            // Nothing needs the time, and nothing will before there is a record, or a walk through the store is due.
            punctuations.skipTo(now + Math.max(tickIntervalMs, DORMANT_MS));
        }
        return fired;
    }

    /** When the next punctuator is due, by that clock. */
    public long nextPunctuation() {
        return context.punctuations().next();
    }

    // ---- the end ----

    /** As Kafka Streams ends a task that it has just committed, up to these offsets of the changelogs. */
    public void closeCleanly(long usersOffset, Rows shards, long shardsOffset) {
        processor.close();
        users.commit(Map.of(new TopicPartition("users-changelog", partition), usersOffset));
        users.close();
        shards.commit(Map.of(new TopicPartition("shards-changelog", partition), shardsOffset));
        shards.close();
    }

    /** As it ends one after a failure; the rows are not whole then. */
    public void closeDirty() {
        processor.close();
        users.close();
    }
}
