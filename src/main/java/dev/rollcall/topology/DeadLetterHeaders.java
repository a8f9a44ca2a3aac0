package dev.rollcall.topology;

import dev.rollcall.wire.Defect;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.processor.api.RecordMetadata;

/**
 * What a dead letter says of itself, all as text. The names are those that Kafka Streams' own dead letters carry (KIP-1034),
 * so that one tool reads both; the reason is ours. The record's own headers stay before them.
 */
final class DeadLetterHeaders {
    static final String REASON = "rollcall.reason";
    static final String MESSAGE = "__streams.errors.message";
    static final String TOPIC = "__streams.errors.topic";
    static final String PARTITION = "__streams.errors.partition";
    static final String OFFSET = "__streams.errors.offset";

    private DeadLetterHeaders() {}

    static Headers add(Headers original, Defect defect, RecordMetadata source) {
        Headers headers = new RecordHeaders(original);
        headers.add(REASON, text(defect.reason().name().toLowerCase(Locale.ROOT)));
        headers.add(MESSAGE, text(defect.detail()));
        headers.add(TOPIC, text(source.topic()));
        headers.add(PARTITION, text(Integer.toString(source.partition())));
        headers.add(OFFSET, text(Long.toString(source.offset())));
        return headers;
    }

    private static byte[] text(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
