package dev.rollcall.topology;

import dev.rollcall.domain.Rejection;
import dev.rollcall.topology.OutputLimits.Limit;
import dev.rollcall.topology.OutputLimits.Size;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.Locale;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.processor.api.Record;

/**
 * A bad record as it came, and what is wrong with it (rule 12). The names of the headers are those that Kafka Streams' own
 * dead letters carry (KIP-1034), so that one tool reads both; the others are ours. The record's own headers stay before
 * them.
 *
 * <p>It can always be written. What does not fit is left out, the value before the headers and those before the key, and a
 * header says how many bytes it had.
 */
public final class DeadLetter {
    public static final String REASON = "rollcall.reason";
    public static final String MESSAGE = "__streams.errors.message";
    public static final String TOPIC = "__streams.errors.topic";
    public static final String PARTITION = "__streams.errors.partition";
    public static final String OFFSET = "__streams.errors.offset";

    public static final String VALUE_LENGTH = "rollcall.value-length";
    public static final String HEADERS_LENGTH = "rollcall.headers-length";
    public static final String KEY_LENGTH = "rollcall.key-length";

    private static final int MAX_MESSAGE_CHARS = 512;

    /** The room that the three headers about lengths need, at most. */
    private static final int LENGTHS = 200;

    private DeadLetter() {}

    static Record<byte[], byte[]> of(InputRecord input, Rejection rejection, Limit limit, Clock clock) {
        byte[] key = input.user() == null ? null : input.user().bytes();
        byte[] value = input.value().raw();
        Headers foreign = withoutLengths(input.headers());
        Headers own = new RecordHeaders();
        add(own, REASON, rejection.reason().name().toLowerCase(Locale.ROOT));
        add(own, MESSAGE, cut(rejection.detail()));
        add(own, TOPIC, input.topic());
        add(own, PARTITION, Integer.toString(input.partition()));
        add(own, OFFSET, Long.toString(input.offset()));

        long room = limit.recordBytes() - Size.RECORD - Size.of(own) - LENGTHS;
        if (Size.of(key) > room) {
            add(own, KEY_LENGTH, Long.toString(Size.of(key)));
            key = null;
        }
        room -= Size.of(key);
        if (Size.of(foreign) > room) {
            add(own, HEADERS_LENGTH, Long.toString(Size.contentOf(foreign)));
            foreign = new RecordHeaders();
        }
        room -= Size.of(foreign);
        if (Size.of(value) > room) {
            add(own, VALUE_LENGTH, Long.toString(Size.of(value)));
            value = null;
        }
        if (key == null && limit.needsKey()) {
            key = new byte[0];
        }
        own.forEach(foreign::add);
        return new Record<>(key, value, limit.stamp(input.stamp(), clock), foreign);
    }

    /** A copy without headers that would say that something is left out which is not. */
    private static Headers withoutLengths(Headers headers) {
        return new RecordHeaders(headers)
                .remove(VALUE_LENGTH)
                .remove(HEADERS_LENGTH)
                .remove(KEY_LENGTH);
    }

    private static void add(Headers headers, String name, String text) {
        headers.add(name, text.getBytes(StandardCharsets.UTF_8));
    }

    private static String cut(String text) {
        if (text.length() <= MAX_MESSAGE_CHARS) {
            return text;
        }
        int end = Character.isHighSurrogate(text.charAt(MAX_MESSAGE_CHARS - 1))
                ? MAX_MESSAGE_CHARS - 1
                : MAX_MESSAGE_CHARS;
        return text.substring(0, end);
    }
}
