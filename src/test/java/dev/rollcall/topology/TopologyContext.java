package dev.rollcall.topology;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.consumer.HeartbeatBundles;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.PresenceUpdate;
import dev.rollcall.domain.RoutingView;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.metrics.Meters;
import dev.rollcall.partition.Partition;
import dev.rollcall.session.StoredShard;
import dev.rollcall.topology.meters.ProcessorMeters;
import dev.rollcall.wire.Inbound;
import dev.rollcall.wire.Inbound.Content;
import dev.rollcall.wire.Serialization;
import dev.rollcall.wire.Topic;
import dev.rollcall.wire.Topics;
import dev.rollcall.wire.stored.StoredSerialization;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.test.TestRecord;
import org.jspecify.annotations.Nullable;

/**
 * The whole topology in virtual time, with bytes at both ends. The driver feeds clock ticks back into their topic, so letting
 * time pass is all that it takes for somebody to expire. Times in ms; the clock starts at {@link #START}.
 */
final class TopologyContext implements AutoCloseable {
    static final long START = 0;

    private static final long IDLE_MS = 50;
    private static final int INPUTS = 3;

    private final RollcallConfig config;
    private final Topics topics;
    private final int partitions;
    private final long idleMs;
    private final OutputLimits limits;
    private final Meters meters = Meters.ofThisProcess("test");
    private final Path stateDir;
    private long now = START;
    private final Map<UserId, UserSnapshot> users = new HashMap<>();
    private final Map<String, StoredShard> shards = new HashMap<>();
    private TopologyTestDriver driver;

    TopologyContext(RollcallConfig config) {
        this(config, 1);
    }

    /** One that only handles a record when all inputs have one, or a while has passed: see {@link #together}. */
    static TopologyContext waitingForAllInputs(RollcallConfig config) {
        return new TopologyContext(config, 1, OutputLimits.DEFAULTS, IDLE_MS);
    }

    /** The driver has partition 0 alone; more partitions make it one of several. */
    TopologyContext(RollcallConfig config, int partitions) {
        this(config, partitions, OutputLimits.DEFAULTS, 0);
    }

    TopologyContext(RollcallConfig config, int partitions, OutputLimits limits) {
        this(config, partitions, limits, 0);
    }

    private TopologyContext(RollcallConfig config, int partitions, OutputLimits limits, long idleMs) {
        this.idleMs = idleMs;
        this.config = config;
        this.limits = limits;
        this.partitions = partitions;
        this.topics = Topics.of(config.topics());
        try {
            this.stateDir = Files.createTempDirectory("rollcall-topology");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        this.driver = newDriver(List.of(), List.of());
    }

    private TopologyTestDriver newDriver(
            List<KeyValue<UserId, UserSnapshot>> users, List<KeyValue<String, StoredShard>> shards) {
        Properties properties = new Properties();
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, "test");
        properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "nowhere:1");
        properties.put(StreamsConfig.STATE_DIR_CONFIG, stateDir.toString());
        properties.put(StreamsConfig.MAX_TASK_IDLE_MS_CONFIG, idleMs);
        properties.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2); // as in production
        properties.put("processing.exception.handler.global.enabled", true);
        InstantSource time = () -> Instant.ofEpochMilli(now);
        return new TopologyTestDriver(
                PresenceTopology.build(
                        config,
                        topics,
                        time.withZone(ZoneOffset.UTC),
                        partitions,
                        "test",
                        limits,
                        new ProcessorMeters(meters),
                        new StoreWith<>(
                                PresenceTopology.USERS,
                                Serialization.userIds(),
                                StoredSerialization.userSnapshots(),
                                users),
                        new StoreWith<>(
                                PresenceTopology.SHARDS, Serdes.String(), StoredSerialization.storedShards(), shards)),
                properties,
                Instant.ofEpochMilli(now));
    }

    Topics topics() {
        return topics;
    }

    long now() {
        return now;
    }

    // ---- inputs ----

    void heartbeat(UserId user, Heartbeat heartbeat, long stamp) {
        send(topics.heartbeats().name(), user.bytes(), bytes(new Inbound.Beat(heartbeat)), stamp);
    }

    void status(UserId user, StatusText text, long stamp) {
        send(topics.statuses().name(), user.bytes(), bytes(new Inbound.Status(text)), stamp);
    }

    void appearOffline(UserId user, boolean on, long stamp) {
        send(topics.appearOffline().name(), user.bytes(), bytes(new Inbound.AppearOffline(on)), stamp);
    }

    byte @Nullable [] bytes(Content content) {
        return topics.heartbeats().values().serializer().serialize("any", Inbound.of(content));
    }

    /** A record that was written to another partition first, and sent on to this one. */
    void misrouted(Topic<UserId, Inbound> topic, UserId user, Content content, long first, long stamp) {
        Headers headers = Rerouting.mark(new RecordHeaders(), first);
        pipe(topic.name(), new TestRecord<>(user.bytes(), bytes(content), headers, stamp));
    }

    /** Heartbeats as the interceptor hands them over: in bundles. */
    void bundle(List<ConsumerRecord<byte[], byte[]>> records) {
        for (ConsumerRecord<byte[], byte[]> one : HeartbeatBundles.bundled(records)) {
            pipe(one.topic(), new TestRecord<>(one.key(), one.value(), new RecordHeaders(), one.timestamp()) {
                @Override
                public Headers headers() {
                    return one.headers(); // where the constructor makes a copy
                }
            });
        }
    }

    /** Lets the records of several topics wait until the processor can choose between them, as in a backlog. */
    void together(Runnable... records) {
        for (Runnable record : records) {
            record.run();
        }
        for (int i = 0; i <= INPUTS; i++) {
            advanceTo(now + IDLE_MS);
        }
    }

    void send(String topic, byte @Nullable [] key, byte @Nullable [] value, long stamp) {
        send(topic, key, value, stamp, new RecordHeaders());
    }

    void send(String topic, byte @Nullable [] key, byte @Nullable [] value, long stamp, Headers headers) {
        pipe(topic, new TestRecord<>(key, value, headers, stamp));
    }

    private void pipe(String topic, TestRecord<byte[], byte[]> record) {
        driver.createInputTopic(topic, new ByteArraySerializer(), new ByteArraySerializer())
                .pipeInput(record);
    }

    // ---- time ----

    /** Lets the processor's clock go on to then; its punctuator fires once if it is due. */
    void advanceTo(long time) {
        long by = time - now;
        if (by > 0) {
            now = time;
            driver.advanceWallClockTime(Duration.ofMillis(by));
        }
    }

    /** Lets time pass with a clock tick at each full clock tick interval, whatever the steps in which this is called. */
    void passTo(long time) {
        long interval = config.tickIntervalMs();
        while (now < time) {
            advanceTo(Math.min(time, (now / interval + 1) * interval));
        }
    }

    /** Ends the processor; another starts then, and nothing has happened in between. */
    void restartAt(long time) {
        now = time;
        restart();
    }

    /** Kills the processor and starts another from the changelogs; what it only had in memory or in its local store is gone. */
    void restart() {
        List<KeyValue<UserId, UserSnapshot>> fromUsers =
                changelog(PresenceTopology.USERS, users, Serialization.userIds(), StoredSerialization.userSnapshots());
        List<KeyValue<String, StoredShard>> fromShards =
                changelog(PresenceTopology.SHARDS, shards, Serdes.String(), StoredSerialization.storedShards());
        driver.close();
        driver = newDriver(fromUsers, fromShards);
    }

    /** What a changelog holds, after compaction. */
    private <K, V> List<KeyValue<K, V>> changelog(String store, Map<K, V> latest, Serde<K> keys, Serde<V> values) {
        driver.createOutputTopic("test-" + store + "-changelog", keys.deserializer(), values.deserializer())
                .readRecordsToList()
                .forEach(record -> {
                    if (record.value() == null) {
                        latest.remove(record.key());
                    } else {
                        latest.put(record.key(), record.value());
                    }
                });
        return latest.entrySet().stream()
                .map(row -> KeyValue.pair(row.getKey(), row.getValue()))
                .toList();
    }

    // ---- outputs ----

    /** What was emitted since the last call. */
    List<Partition.Emitted> emitted() {
        TestOutputTopic<UserId, Presence> output = driver.createOutputTopic(
                topics.presence().name(),
                topics.presence().keys().deserializer(),
                topics.presence().values().deserializer());
        return output.readRecordsToList().stream()
                .map(record ->
                        new Partition.Emitted(record.key(), new PresenceUpdate(record.timestamp(), record.value())))
                .toList();
    }

    List<TestRecord<UserId, RoutingView>> routing() {
        return driver.createOutputTopic(
                        topics.routing().name(),
                        topics.routing().keys().deserializer(),
                        topics.routing().values().deserializer())
                .readRecordsToList();
    }

    List<TestRecord<byte[], byte[]>> deadLetters() {
        return readBytes(topics.deadLetters().name());
    }

    List<TestRecord<byte[], byte[]>> readBytes(String topic) {
        return driver.createOutputTopic(topic, new ByteArrayDeserializer(), new ByteArrayDeserializer())
                .readRecordsToList();
    }

    KeyValueStore<UserId, UserSnapshot> users() {
        return driver.getKeyValueStore(PresenceTopology.USERS);
    }

    /** @param name as Prometheus sees it, with its tags */
    double metric(String name) {
        return meters.text()
                .lines()
                .filter(line -> line.startsWith(name + " "))
                .mapToDouble(line -> Double.parseDouble(line.substring(name.length())))
                .findFirst()
                .orElseThrow(() -> new AssertionError("there is no metric " + name));
    }

    @Override
    public void close() {
        driver.close();
        delete(stateDir);
    }

    private static void delete(Path directory) {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A store in memory that has something in it when the processor gets it, as if it had been restored. */
    private record StoreWith<K, V>(String name, Serde<K> keys, Serde<V> values, List<KeyValue<K, V>> rows)
            implements KeyValueBytesStoreSupplier {
        @Override
        public KeyValueStore<Bytes, byte[]> get() {
            KeyValueStore<Bytes, byte[]> store =
                    Stores.inMemoryKeyValueStore(name()).get();
            for (KeyValue<K, V> row : rows) {
                store.put(
                        Bytes.wrap(keys.serializer().serialize(name(), row.key)),
                        values.serializer().serialize(name(), row.value));
            }
            return store;
        }

        @Override
        public String metricsScope() {
            return "in-memory";
        }
    }
}
