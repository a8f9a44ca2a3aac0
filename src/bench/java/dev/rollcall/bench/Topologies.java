package dev.rollcall.bench;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.UserId;
import dev.rollcall.topology.PresenceTopology;
import dev.rollcall.wire.Inbound;
import dev.rollcall.wire.Topics;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;
import org.jspecify.annotations.NullUnmarked;

/** The topologies of the contestants that run on Kafka Streams. */
final class Topologies {
    static final String SOURCE = "heartbeats";
    static final String PROCESSOR = "processor";
    static final String SINK = "presence";

    private Topologies() {}

    /**
     * @param logEnd the last instant of the preloaded log: Rollcall's clock stands there, so that it takes the log's stamps
     *     as they are, wherever in time the log lies
     */
    static Topology of(Contestant contestant, RollcallConfig config, long logEnd) {
        return switch (contestant) {
            case NOOP -> bytes(config, Nothing::new);
            case EVERY_SECOND, EVERY_SECOND_TUNED -> bytes(config, () -> new Every(2));
            case EVERY_HUNDREDTH -> bytes(config, () -> new Every(100));
            case TEXTBOOK ->
                Textbook.topology(Topics.of(config.topics()), config.rules().leaseMs());
            case INDEXED ->
                Indexed.topology(Topics.of(config.topics()), config.rules().leaseMs());
            case ROLLCALL ->
                PresenceTopology.build(
                        config,
                        Clock.fixed(Instant.ofEpochMilli(logEnd), ZoneOffset.UTC),
                        config.topicPartitions(),
                        "bench");
            case CONSUMER, BEFORE, FLINK_HEAP, FLINK_ROCKSDB, FLINK_HEAP_DISCARD, REDIS ->
                throw new IllegalArgumentException(contestant + " has no topology here");
        };
    }

    /** A topology in which nothing is decoded: the processor, and a sink that it may use. */
    private static Topology bytes(RollcallConfig config, ProcessorSupplier<byte[], byte[], byte[], byte[]> processor) {
        return new Topology()
                .addSource(
                        SOURCE,
                        Serdes.ByteArray().deserializer(),
                        Serdes.ByteArray().deserializer(),
                        config.topics().deviceHeartbeat())
                .addProcessor(PROCESSOR, processor, SOURCE)
                .addSink(
                        SINK,
                        config.topics().presence(),
                        Serdes.ByteArray().serializer(),
                        Serdes.ByteArray().serializer(),
                        PROCESSOR);
    }

    /** What both rivals of Rollcall have in common: heartbeats in, a processor with its stores, presence out. */
    static Topology ofRival(
            Topics topics,
            ProcessorSupplier<UserId, Inbound, UserId, Presence> processor,
            List<StoreBuilder<?>> stores) {
        Topology topology = new Topology()
                .addSource(
                        SOURCE,
                        topics.heartbeats().keys().deserializer(),
                        topics.heartbeats().values().deserializer(),
                        topics.heartbeats().name())
                .addProcessor(PROCESSOR, processor, SOURCE);
        stores.forEach(store -> topology.addStateStore(store, PROCESSOR));
        return topology.addSink(
                SINK,
                topics.presence().name(),
                topics.presence().keys().serializer(),
                topics.presence().values().serializer(),
                PROCESSOR);
    }

    /** A store in RocksDB with a changelog. */
    static <K, V> StoreBuilder<?> store(String name, Serde<K> keys, Serde<V> values) {
        return Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(name), keys, values)
                .withLoggingEnabled(Map.of());
    }

    private static final class Nothing implements Processor<byte[], byte[], byte[], byte[]> {
        @Override
        public void process(Record<byte[], byte[]> record) {}
    }

    @NullUnmarked // set in init, which Streams calls first
    private static final class Every implements Processor<byte[], byte[], byte[], byte[]> {
        private final int nth;
        private ProcessorContext<byte[], byte[]> context;
        private long count;

        private Every(int nth) {
            this.nth = nth;
        }

        @Override
        public void init(ProcessorContext<byte[], byte[]> context) {
            this.context = context;
        }

        @Override
        public void process(Record<byte[], byte[]> record) {
            if (count++ % nth == 0) {
                context.forward(record);
            }
        }
    }
}
