package dev.rollcall.topology;

import dev.rollcall.domain.EventTime;
import dev.rollcall.wire.Inbound;
import java.time.Clock;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.streams.processor.TimestampExtractor;

/**
 * The time of a record (rule 7): a broker's stamp as it is, a producer's stamp no further ahead than the allowed skew,
 * where now is the later of the partition's last pulse and the processor's clock. Thread-safe.
 */
final class RecordTime implements TimestampExtractor {
    private final Clock clock;
    private final long maxSkewMs;
    private final Map<Integer, Long> lastPulses = new ConcurrentHashMap<>();

    RecordTime(Clock clock, long maxSkewMs) {
        this.clock = clock;
        this.maxSkewMs = maxSkewMs;
    }

    @Override
    public long extract(ConsumerRecord<Object, Object> record, long partitionTime) {
        return of(record, record.value());
    }

    /** The time of a record with this value, in ms since the epoch. */
    long of(ConsumerRecord<?, ?> record, Object value) {
        long stamp = record.timestampType() == TimestampType.LOG_APPEND_TIME
                ? record.timestamp()
                : EventTime.ofProducerStamp(record.timestamp(), now(record.partition()), maxSkewMs);
        long time = Rerouting.firstTime(record.headers(), stamp);
        if (value instanceof Inbound inbound && inbound.content() instanceof Inbound.Pulse) {
            lastPulses.merge(record.partition(), time, Math::max);
        }
        return time;
    }

    private long now(int partition) {
        return Math.max(lastPulses.getOrDefault(partition, Long.MIN_VALUE), clock.millis());
    }
}
