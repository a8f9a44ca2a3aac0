package dev.rollcall.topology;

import java.nio.ByteBuffer;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.processor.RecordContext;
import org.apache.kafka.streams.processor.TopicNameExtractor;

/**
 * The mark of a record that was sent on to the partition where it belongs: it is sent on once, and it keeps its first time.
 * Without that, a heartbeat from a long backlog would be stamped anew by the broker, and its device come back to life.
 */
public final class Rerouting {
    /** When the record was first written: 8 bytes, ms since the epoch. */
    public static final String FIRST_TIME = "rollcall.rerouted-from-time";

    private Rerouting() {}

    /** How much the mark takes in a record, at most. */
    static final int MARK_BYTES = 64;

    /** Whether the mark is there, and is one: any producer can write a header of that name. */
    public static boolean isMarked(Headers headers) {
        Header mark = headers.lastHeader(FIRST_TIME);
        return mark != null && mark.value() != null && mark.value().length == Long.BYTES;
    }

    public static Headers mark(Headers original, long time) {
        return new RecordHeaders(original)
                .add(FIRST_TIME, ByteBuffer.allocate(Long.BYTES).putLong(time).array());
    }

    /**
     * The record's first time, which is never after the one that it has now. Any producer can set the header, so it only makes
     * a record older than it is: what that may change is bounded where it is used.
     */
    public static long firstTime(Headers headers, long time) {
        if (!isMarked(headers)) {
            return time;
        }
        long first = ByteBuffer.wrap(headers.lastHeader(FIRST_TIME).value()).getLong();
        return first < 0 ? time : Math.min(first, time);
    }

    /** Back to the topic that it came from; the producer's own partitioner then puts it where it belongs. */
    static final class SameTopic implements TopicNameExtractor<byte[], byte[]> {
        @Override
        public String extract(byte[] key, byte[] value, RecordContext context) {
            return context.topic();
        }

        @Override
        public String toString() {
            return "the input it came from";
        }
    }
}
