package dev.rollcall.topology;

import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.Map;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;

/**
 * What can be written to each topic: a record that is refused dooms the transaction it is in, and comes again with the next
 * one, so it has to fit from the start (rule 12).
 *
 * @param byTopic what is known; any other topic takes what a broker's and a producer's defaults let through
 */
public record OutputLimits(Map<String, Limit> byTopic) {
    /** Kafka's defaults, and any timestamp. */
    public static final OutputLimits DEFAULTS = new OutputLimits(Map.of());

    /** The least that a topic has to take: a record of any user, or a dead letter of which all is left out. */
    public static final int MIN_RECORD_BYTES = 16 << 10;

    /** What a topic is made with that takes an instant however far it is from the broker's clock. */
    public static final Map<String, String> ANY_TIMESTAMP = Map.of(
            TopicConfig.MESSAGE_TIMESTAMP_BEFORE_MAX_MS_CONFIG, Long.toString(Long.MAX_VALUE),
            TopicConfig.MESSAGE_TIMESTAMP_AFTER_MAX_MS_CONFIG, Long.toString(Long.MAX_VALUE));

    public OutputLimits {
        byTopic = Map.copyOf(byTopic);
    }

    Limit of(String topic) {
        return byTopic.getOrDefault(topic, Limit.DEFAULT);
    }

    /**
     * Of one topic.
     *
     * @param recordBytes how large a record may be, with all that Kafka adds to it
     * @param needsKey whether the topic is compacted, and takes no record without a key
     * @param beforeMaxMs how far a timestamp may be behind the broker's clock, in ms
     * @param afterMaxMs how far a timestamp may be ahead of the broker's clock, in ms
     */
    public record Limit(int recordBytes, boolean needsKey, long beforeMaxMs, long afterMaxMs) {
        /** One byte in so many is left free: what cannot be compressed grows by a little where it is all the same. */
        private static final int ROOM = 512;

        /** For a record to be delivered, and for the broker's clock to be another one, at most half of what is allowed. */
        private static final long MARGIN_MS = 600_000;

        private static final int DEFAULT_MAX_REQUEST_BYTES = 1 << 20;

        static final Limit DEFAULT = of(DEFAULT_MAX_REQUEST_BYTES, false, Long.MAX_VALUE, Long.MAX_VALUE);

        /** Of a topic and a producer that both take this many bytes. */
        public static Limit of(int maxBytes, boolean needsKey, long beforeMaxMs, long afterMaxMs) {
            return new Limit(maxBytes - maxBytes / ROOM, needsKey, beforeMaxMs, afterMaxMs);
        }

        /** The headers of a record with this key and value, or none if there is no room for them beside so many bytes. */
        Headers fitting(Headers headers, byte @Nullable [] key, byte @Nullable [] value, int others) {
            long bytes = Size.RECORD + Size.of(key) + Size.of(value) + Size.of(headers) + others;
            return bytes <= recordBytes ? headers : new RecordHeaders();
        }

        /** The instant, or the nearest one that the topic takes by this clock, in ms since the epoch. */
        long stamp(long at, Clock clock) {
            if (beforeMaxMs == Long.MAX_VALUE && afterMaxMs == Long.MAX_VALUE) {
                return Math.max(0, at);
            }
            long now = clock.millis();
            long first = beforeMaxMs > now ? 0 : now - allowed(beforeMaxMs);
            long last = afterMaxMs > Long.MAX_VALUE - now ? Long.MAX_VALUE : now + allowed(afterMaxMs);
            return Math.max(0, Math.max(first, Math.min(at, last)));
        }

        private static long allowed(long maxMs) {
            return maxMs - Math.min(maxMs / 2, MARGIN_MS);
        }
    }

    /** Upper bounds of what Kafka makes of a record (message format 2), in bytes. */
    static final class Size {
        /** What is around a record: the batch (61), its own lengths, deltas and attributes, each as long as it can be. */
        static final int RECORD = 100;

        private static final int HEADER = 10;

        private Size() {}

        static long of(byte @Nullable [] bytes) {
            return bytes == null ? 0 : bytes.length;
        }

        static long of(Headers headers) {
            long bytes = 0;
            for (Header header : headers) {
                bytes += HEADER + contentOf(header);
            }
            return bytes;
        }

        /** The names and the values alone. */
        static long contentOf(Headers headers) {
            long bytes = 0;
            for (Header header : headers) {
                bytes += contentOf(header);
            }
            return bytes;
        }

        private static long contentOf(Header header) {
            return header.key().getBytes(StandardCharsets.UTF_8).length + of(header.value());
        }
    }
}
