package dev.rollcall.simulation.kafka;

import dev.rollcall.simulation.judge.History;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.record.TimestampType;
import org.jspecify.annotations.Nullable;

/** A record in a log, with what only the simulation knows of it: true times in ms, and the transaction that it was written in. */
public final class LogRecord extends ConsumerRecord<byte[], byte[]> {
    private final @Nullable Transaction transaction;
    private final long sent;
    private final long acknowledged;

    LogRecord(
            Log log,
            long offset,
            long stamp,
            byte @Nullable [] key,
            byte @Nullable [] value,
            Headers headers,
            @Nullable Transaction transaction,
            long sent,
            long acknowledged) {
        super(
                log.topic(),
                log.partition(),
                offset,
                stamp,
                TimestampType.LOG_APPEND_TIME,
                NULL_SIZE,
                NULL_SIZE,
                key,
                value,
                headers,
                Optional.empty());
        this.transaction = transaction;
        this.sent = sent;
        this.acknowledged = acknowledged;
    }

    /** What the history is told of it. */
    public History.Input input() {
        return new History.Input(
                Cluster.topic(topic()), offset(), timestamp(), key(), value(), lastHeaders(), sent, acknowledged);
    }

    private Map<String, byte[]> lastHeaders() {
        if (!headers().iterator().hasNext()) {
            return Map.of();
        }
        Map<String, byte[]> all = new TreeMap<>();
        for (Header header : headers()) {
            if (header.value() != null) {
                all.put(header.key(), header.value());
            } else {
                all.remove(header.key());
            }
        }
        return all;
    }

    boolean isVisible() {
        return transaction == null || transaction.isCommitted();
    }
}
