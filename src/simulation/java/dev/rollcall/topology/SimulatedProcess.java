package dev.rollcall.topology;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.UserId;
import dev.rollcall.store.UserStores;
import dev.rollcall.wire.Inbound;
import dev.rollcall.wire.Topic;
import dev.rollcall.wire.Topics;
import dev.rollcall.wire.stored.StoredSerialization;
import java.time.Clock;
import java.util.function.Consumer;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.Nullable;

/** What the tasks of one processor share, as in {@link PresenceTopology}: built anew with each start of a process. */
public final class SimulatedProcess {
    final RollcallConfig config;
    final Clock clock;
    final Topics topics;
    final UserPartitioner partitioner;
    final OutputLimits limits;
    final String instance;
    final HeartbeatSource heartbeats;
    final UserStores userStores;

    private final KeyValueBytesStoreSupplier rows = new KeyValueBytesStoreSupplier() {
        @Override
        public String name() {
            return PresenceTopology.USERS;
        }

        @Override
        public KeyValueStore<Bytes, byte[]> get() {
            if (next == null) {
                throw new IllegalStateException("no task is being opened");
            }
            return next;
        }

        @Override
        public String metricsScope() {
            return "simulated";
        }
    };
    private @Nullable Rows next;
    private Consumer<byte @Nullable []> reading = value -> {};

    public SimulatedProcess(RollcallConfig config, Clock clock, int partitions, String instance, OutputLimits limits) {
        this.config = config;
        this.clock = clock;
        this.topics = Topics.of(config.topics());
        this.partitioner = new UserPartitioner(partitions);
        this.limits = limits;
        this.instance = instance;
        Topic<UserId, Inbound> topic = topics.heartbeats();
        Deserializer<Inbound> values = topic.values().deserializer();
        this.heartbeats = new HeartbeatSource(new Topic<>(
                topic.name(), topic.keys(), Serdes.serdeFrom(topic.values().serializer(), (name, value) -> {
                    reading.accept(value);
                    return values.deserialize(name, value);
                })));
        this.userStores =
                new UserStores(rows, StoredSerialization.userSnapshots().serializer());
    }

    /** Who is told of each heartbeat that is read out of a bundle, before it is. */
    void whileReading(Consumer<byte @Nullable []> reader) {
        reading = reader;
    }

    KeyValueStore<Bytes, byte[]> userStore(Rows users) {
        next = users;
        try {
            return userStores.get();
        } finally {
            next = null;
        }
    }

    /**
     * Opens the task of a partition with these rows, which are whole.
     *
     * @param users what is stored of the users, restored
     * @param shards what is stored of the shards, restored
     */
    public SimulatedTask open(int partition, Rows users, Rows shards, Surroundings surroundings) {
        return new SimulatedTask(this, partition, users, shards, surroundings);
    }
}
