package dev.rollcall.topology;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.UserId;
import dev.rollcall.metrics.Meters;
import dev.rollcall.store.UserStores;
import dev.rollcall.topology.meters.ProcessorMeters;
import dev.rollcall.wire.Inbound;
import dev.rollcall.wire.Serialization;
import dev.rollcall.wire.Topic;
import dev.rollcall.wire.Topics;
import dev.rollcall.wire.stored.StoredSerialization;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.streams.AutoOffsetReset;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/**
 * The topology, all of it. One task owns one partition of each input, and with it the users on it:
 *
 * <pre>
 *   heartbeats ──────┐                          ┌──▶ presence
 *   statuses ────────┼──▶ presence-processor ───┼──▶ dead-letters
 *   appear-offline ──┘  users, shards (stores)    ├──▶ clock-ticks ──▶ (the same partition of heartbeats)
 *                                                └──▶ rerouted ──▶ (the input it came from, another partition)
 * </pre>
 */
public final class PresenceTopology {
    public static final String HEARTBEATS = "heartbeats";
    public static final String STATUSES = "statuses";
    public static final String APPEAR_OFFLINE = "appear-offline";
    public static final String PROCESSOR = "presence-processor";
    public static final String USERS = "users";
    public static final String SHARDS = "shards";
    public static final String PRESENCE = "presence";
    public static final String DEAD_LETTERS = "dead-letters";
    public static final String CLOCK_TICKS = "clock-ticks";
    public static final String REROUTED = "rerouted";

    /** Only where {@code routing.enabled} is true. */
    public static final String ROUTING = "routing";

    private PresenceTopology() {}

    /** The changelogs of the stores, which Kafka Streams creates itself: the users' first. */
    public static List<String> changelogs(String applicationId) {
        return Stream.of(USERS, SHARDS)
                .map(store -> applicationId + "-" + store + "-changelog")
                .toList();
    }

    /**
     * Builds the topology.
     *
     * @param clock the processor's clock, which has no part in what is decided: where a topic bounds the stamps of what is
     *     written to it, it says what the bound allows
     * @param partitions how many partitions each of the inputs has
     * @param instance how clock ticks name this processor, for people who read the log
     */
    public static Topology build(RollcallConfig config, Clock clock, int partitions, String instance) {
        return build(config, clock, partitions, instance, OutputLimits.DEFAULTS);
    }

    /** As above, where it is known what the topics take. */
    public static Topology build(
            RollcallConfig config, Clock clock, int partitions, String instance, OutputLimits limits) {
        return build(
                config,
                Topics.of(config.topics()),
                clock,
                partitions,
                instance,
                limits,
                new ProcessorMeters(Meters.none()));
    }

    /** As above, with the formats of these topics, and counts. */
    public static Topology build(
            RollcallConfig config,
            Topics topics,
            Clock clock,
            int partitions,
            String instance,
            OutputLimits limits,
            ProcessorMeters meters) {
        return build(
                config,
                topics,
                clock,
                partitions,
                instance,
                limits,
                meters,
                Stores.persistentKeyValueStore(USERS),
                Stores.persistentKeyValueStore(SHARDS));
    }

    /** With the stores given, for tests that end a processor and go on with what it stored. */
    static Topology build(
            RollcallConfig config,
            Topics topics,
            Clock clock,
            int partitions,
            String instance,
            OutputLimits limits,
            ProcessorMeters meters,
            KeyValueBytesStoreSupplier users,
            KeyValueBytesStoreSupplier shards) {
        Topology topology = new Topology();

        HeartbeatSource heartbeats = new HeartbeatSource(topics.heartbeats());
        addSource(topology, HEARTBEATS, topics.heartbeats(), heartbeats);
        addSource(
                topology,
                STATUSES,
                topics.statuses(),
                topics.statuses().values().deserializer());
        addSource(
                topology,
                APPEAR_OFFLINE,
                topics.appearOffline(),
                topics.appearOffline().values().deserializer());

        UserStores userStores =
                new UserStores(users, StoredSerialization.userSnapshots().serializer());
        topology.addProcessor(
                PROCESSOR,
                () -> new PresenceProcessor(
                        config,
                        clock,
                        new UserPartitioner(partitions),
                        heartbeats,
                        userStores,
                        limits,
                        meters,
                        instance),
                HEARTBEATS,
                STATUSES,
                APPEAR_OFFLINE);
        topology.addStateStore(
                store(userStores, Serialization.userIds(), StoredSerialization.userSnapshots()), PROCESSOR);
        topology.addStateStore(store(shards, Serdes.String(), StoredSerialization.storedShards()), PROCESSOR);

        addSink(topology, PRESENCE, topics.presence());
        addSink(topology, DEAD_LETTERS, topics.deadLetters());
        Serializer<Inbound> ticks = topics.heartbeats().values().serializer();
        topology.addSink(
                CLOCK_TICKS,
                topics.heartbeats().name(),
                topics.heartbeats().keys().serializer(),
                (Serializer<PartitionTick>) (topic, tick) -> ticks.serialize(topic, Inbound.of(tick.tick())),
                (topic, key, tick, count) -> Optional.of(Set.of(tick.partition())),
                PROCESSOR);
        topology.addSink(
                REROUTED,
                new Rerouting.SameTopic(),
                topics.deadLetters().keys().serializer(),
                topics.deadLetters().values().serializer(),
                PROCESSOR);
        if (config.rules().routing()) {
            addSink(topology, ROUTING, topics.routing());
        }
        return topology;
    }

    private static <K, V> StoreBuilder<KeyValueStore<K, V>> store(
            KeyValueBytesStoreSupplier store, Serde<K> keys, Serde<V> values) {
        // No cache: a row is written when something has changed, and that is to be in the changelog each time.
        return Stores.keyValueStoreBuilder(store, keys, values)
                .withCachingDisabled()
                .withLoggingEnabled(OutputLimits.ANY_TIMESTAMP);
    }

    private static void addSource(
            Topology topology, String name, Topic<UserId, Inbound> topic, Deserializer<?> values) {
        topology.addSource(
                AutoOffsetReset.earliest(),
                name,
                new BrokerStamp(),
                topic.keys().deserializer(),
                values,
                topic.name());
    }

    private static <K, V> void addSink(Topology topology, String name, Topic<K, V> topic) {
        topology.addSink(
                name, topic.name(), topic.keys().serializer(), topic.values().serializer(), PROCESSOR);
    }
}
