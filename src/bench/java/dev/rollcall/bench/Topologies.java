package dev.rollcall.bench;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.topology.PresenceTopology;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.processor.api.Record;
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
            case EVERY_SECOND -> bytes(config, () -> new Every(2));
            case EVERY_HUNDREDTH -> bytes(config, () -> new Every(100));
            case TEXTBOOK ->
                Textbook.topology(
                        PresenceTopology.topics(config), config.rules().leaseMs());
            case INDEXED ->
                Indexed.topology(PresenceTopology.topics(config), config.rules().leaseMs());
            case ROLLCALL ->
                PresenceTopology.build(
                        config,
                        Clock.fixed(Instant.ofEpochMilli(logEnd), ZoneOffset.UTC),
                        config.topicPartitions(),
                        "bench");
            case CONSUMER, BEFORE -> throw new IllegalArgumentException(contestant + " has no topology here");
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
