package dev.rollcall.app.repair.letters;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rollcall.app.repair.Output;
import dev.rollcall.domain.Rejection.Reason;
import dev.rollcall.domain.UserId;
import dev.rollcall.topology.DeadLetter;
import dev.rollcall.topology.Rerouting;
import dev.rollcall.wire.Inbound;
import dev.rollcall.wire.Topic;
import dev.rollcall.wire.Topics;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;

/** A record of the dead letters. Its last header of each of {@link DeadLetter}'s names is Rollcall's, others are its own. */
final class Letter {
    /** Of a record that was replayed: the letter that it was. */
    static final String REPLAYED_FROM = "rollcall.replayed-from";

    /** The oldest first; of the same time, as they lie in the topic. */
    static final Comparator<Letter> BY_TIME = Comparator.comparingLong(Letter::timestamp)
            .thenComparingInt(letter -> letter.record.partition())
            .thenComparingLong(letter -> letter.record.offset());

    private static final Set<String> OURS = Set.of(
            DeadLetter.REASON,
            DeadLetter.MESSAGE,
            DeadLetter.TOPIC,
            DeadLetter.PARTITION,
            DeadLetter.OFFSET,
            DeadLetter.VALUE_LENGTH,
            DeadLetter.HEADERS_LENGTH,
            DeadLetter.KEY_LENGTH,
            Rerouting.FIRST_TIME,
            REPLAYED_FROM);

    private final ConsumerRecord<byte[], byte[]> record;
    private final Topics topics;

    Letter(ConsumerRecord<byte[], byte[]> record, Topics topics) {
        this.record = record;
        this.topics = topics;
    }

    boolean isOf(Reason reason) {
        return header(DeadLetter.REASON).equals(Optional.of(reason.name().toLowerCase(Locale.ROOT)));
    }

    boolean isAt(long[] partitionAndOffset) {
        return record.partition() == partitionAndOffset[0] && record.offset() == partitionAndOffset[1];
    }

    /** As the commands take it. */
    String place() {
        return "%d:%d".formatted(record.partition(), record.offset());
    }

    /** The input that it came from; empty: none that is known. */
    Optional<Topic<UserId, Inbound>> source() {
        Optional<String> name = header(DeadLetter.TOPIC);
        return topics.inputs().stream()
                .filter(input -> name.equals(Optional.of(input.name())))
                .findFirst();
    }

    byte @Nullable [] key() {
        return record.key();
    }

    /** Where it was written first, as {@code topic-partition:offset}: the same record refused twice is one. */
    Optional<Long> sourceNumber(String name) {
        try {
            return header(name).map(Long::parseLong);
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }

    /** When the letter was written, or the record that it is of: no earlier than that. */
    long timestamp() {
        return record.timestamp();
    }

    /** Whether something of the record was left out of the letter. */
    boolean isCut() {
        return header(DeadLetter.VALUE_LENGTH).isPresent()
                || header(DeadLetter.HEADERS_LENGTH).isPresent()
                || header(DeadLetter.KEY_LENGTH).isPresent();
    }

    /** What it says on that topic. */
    Inbound.Content content(Topic<UserId, Inbound> topic) {
        return topic.values()
                .deserializer()
                .deserialize(topic.name(), record.value())
                .content();
    }

    /** The record as it came, stamped anew, with when it was first written. */
    ProducerRecord<byte[], byte[]> replayed(String topic, long firstTime) {
        RecordHeaders own = new RecordHeaders();
        for (Header header : record.headers()) {
            if (!OURS.contains(header.key())) {
                own.add(header);
            }
        }
        Headers headers = Rerouting.mark(own, firstTime).add(REPLAYED_FROM, place().getBytes(StandardCharsets.UTF_8));
        return new ProducerRecord<>(topic, null, null, record.key(), record.value(), headers);
    }

    private Optional<String> header(String name) {
        return Optional.ofNullable(record.headers().lastHeader(name))
                .map(Header::value)
                .map(Output::text);
    }

    // ---- what is told of it ----

    ObjectNode summary() {
        return Output.object()
                .put("letter", place())
                .put("timestamp", Output.time(record.timestamp()))
                .put("reason", header(DeadLetter.REASON).orElse(null))
                .put("topic", header(DeadLetter.TOPIC).orElse(null))
                .put("key", Output.text(record.key()))
                .put("bytes", record.value() == null ? 0 : record.value().length);
    }

    String line() {
        return "%-8s %s  %-16s %-16s %s  %d bytes"
                .formatted(
                        place(),
                        Output.time(record.timestamp()),
                        header(DeadLetter.REASON).orElse("?"),
                        header(DeadLetter.TOPIC).orElse("?"),
                        Output.text(record.key()),
                        record.value() == null ? 0 : record.value().length);
    }

    ObjectNode details() {
        ObjectNode all = summary();
        all.put("message", header(DeadLetter.MESSAGE).orElse(null));
        ObjectNode headers = all.putObject("headers");
        record.headers().forEach(header -> headers.put(header.key(), Output.text(header.value())));
        all.put("value_hex", record.value() == null ? null : HexFormat.of().formatHex(record.value()));
        List<Topic<UserId, Inbound>> inputs = topics.inputs();
        ObjectNode read = all.putObject("as_a_record_of");
        for (Topic<UserId, Inbound> input : inputs) {
            Inbound.Content content = content(input);
            read.put(
                    input.name(),
                    content instanceof Inbound.Rejected rejected
                            ? "refused: " + rejected.rejection().detail()
                            : String.valueOf(content));
        }
        return all;
    }
}
