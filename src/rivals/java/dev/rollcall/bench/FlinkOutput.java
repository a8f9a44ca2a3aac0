package dev.rollcall.bench;

import dev.rollcall.domain.Presence;
import dev.rollcall.wire.Topics;
import java.nio.charset.StandardCharsets;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.Serializer;
import org.jspecify.annotations.Nullable;

/** Encodes changes of presence with the project's encoder. */
final class FlinkOutput implements KafkaRecordSerializationSchema<FlinkChange> {
    private static final long serialVersionUID = 1;

    private final String topic;
    private transient @Nullable Serializer<Presence> values;

    FlinkOutput(String topic) {
        this.topic = topic;
    }

    @Override
    public ProducerRecord<byte[], byte[]> serialize(FlinkChange change, KafkaSinkContext context, Long timestamp) {
        if (values == null) {
            values = Topics.ofContract().presence().values().serializer();
        }
        return new ProducerRecord<>(
                topic,
                null,
                change.since,
                change.user.getBytes(StandardCharsets.UTF_8),
                values.serialize(topic, change.presence()));
    }
}
