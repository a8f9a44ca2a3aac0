package dev.rollcall.simulation.kafka;

import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
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

    public long sent() {
        return sent;
    }

    public long acknowledged() {
        return acknowledged;
    }

    boolean isVisible() {
        return transaction == null || transaction.isCommitted();
    }
}
