package dev.rollcall.bench;

import dev.rollcall.wire.Inbound;
import dev.rollcall.wire.Topics;
import java.nio.charset.StandardCharsets;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.Deserializer;
import org.jspecify.annotations.Nullable;

/** Decodes heartbeats with the project's decoder. Clock ticks are Rollcall's own, so they are counted and left out. */
final class FlinkHeartbeats implements KafkaRecordDeserializationSchema<FlinkBeat> {
    private static final long serialVersionUID = 1;

    private final long leaseMs;
    private transient @Nullable Deserializer<Inbound> values;

    FlinkHeartbeats(long leaseMs) {
        this.leaseMs = leaseMs;
    }

    @Override
    public void deserialize(ConsumerRecord<byte[], byte[]> record, Collector<FlinkBeat> out) {
        if (values == null) {
            values = Topics.ofContract().heartbeats().values().deserializer();
        }
        if (values.deserialize(record.topic(), record.value()).content() instanceof Inbound.Beat beat) {
            FlinkBeat event = new FlinkBeat();
            event.user = new String(record.key(), StandardCharsets.UTF_8);
            event.device = beat.heartbeat().deviceId();
            event.state = beat.heartbeat().state();
            event.at = record.timestamp();
            event.leaseMs = beat.heartbeat().leaseMs().orElse(leaseMs);
            out.collect(event);
        } else {
            FlinkRun.count();
        }
    }

    @Override
    public TypeInformation<FlinkBeat> getProducedType() {
        return TypeInformation.of(FlinkBeat.class);
    }
}
