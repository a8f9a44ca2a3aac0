package dev.rollcall.app.repair.letters;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rollcall.app.repair.Clients;
import dev.rollcall.app.repair.Output;
import dev.rollcall.domain.UserId;
import dev.rollcall.topology.DeadLetter;
import dev.rollcall.wire.Inbound;
import dev.rollcall.wire.Topic;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;

/**
 * Decides which dead letters are written again. A text or a flag is, if the topic has no newer one of that user: it would be taken
 * for the last one there, whatever the header says.
 */
final class Replay {
    private final Clients clients;
    private final boolean again;
    private final List<Letter> letters;

    /** Of the texts' and the flags' topics: the last record of each user of a letter. */
    private final Map<String, Map<UserId, ConsumerRecord<byte[], byte[]>>> last = new HashMap<>();

    /** The letters that were replayed before, as far as their records are still there. */
    private final Set<String> replayed = new HashSet<>();

    private final List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
    private final ArrayNode verdicts = Output.object().putArray("letters");
    private final List<String> lines = new ArrayList<>();

    Replay(Clients clients, List<Letter> letters, boolean again) {
        this.clients = clients;
        this.again = again;
        this.letters = letters.stream()
                .sorted(Comparator.comparingLong(Letter::timestamp))
                .toList();
        for (Topic<UserId, Inbound> topic :
                List.of(clients.topics().statuses(), clients.topics().appearOffline())) {
            readLast(topic.name());
        }
        this.letters.forEach(this::decide);
    }

    List<ProducerRecord<byte[], byte[]>> records() {
        return records;
    }

    ArrayNode verdicts() {
        return verdicts;
    }

    List<String> lines() {
        return lines;
    }

    private void readLast(String topic) {
        Set<UserId> users = letters.stream()
                .filter(letter -> letter.source().map(Topic::name).equals(Optional.of(topic)))
                .map(Letter::key)
                .flatMap(key -> key == null ? java.util.stream.Stream.empty() : java.util.stream.Stream.of(key))
                .map(UserId::ofBytes)
                .collect(Collectors.toSet());
        Map<UserId, ConsumerRecord<byte[], byte[]>> found = new HashMap<>();
        if (!users.isEmpty()) {
            clients.scan().all(topic, record -> {
                if (record.key() == null) {
                    return;
                }
                UserId user = UserId.ofBytes(record.key());
                @Nullable Header from = record.headers().lastHeader(Letter.REPLAYED_FROM);
                if (from != null) {
                    replayed.add(String.valueOf(Output.text(from.value())));
                }
                @Nullable ConsumerRecord<byte[], byte[]> before = found.get(user);
                if (users.contains(user) && (before == null || before.timestamp() <= record.timestamp())) {
                    found.put(user, record);
                }
            });
        }
        last.put(topic, found);
    }

    private void decide(Letter letter) {
        @Nullable String refused = refusal(letter);
        ObjectNode verdict = Output.object().put("letter", letter.place()).put("replayed", refused == null);
        if (refused == null) {
            String topic = letter.source().orElseThrow().name();
            records.add(letter.replayed(topic, firstTime(letter)));
            lines.add("%s to %s: %s".formatted(letter.place(), topic, Output.text(letter.key())));
        } else {
            verdict.put("why_not", refused);
            lines.add("%s not: %s".formatted(letter.place(), refused));
        }
        verdicts.add(verdict);
    }

    /** Why a letter is not replayed; null: it is. */
    private @Nullable String refusal(Letter letter) {
        @Nullable Topic<UserId, Inbound> source = letter.source().orElse(null);
        byte @Nullable [] key = letter.key();
        if (source == null) {
            return "it came from no input that is known";
        } else if (source.name().equals(clients.topics().heartbeats().name())) {
            return "a heartbeat: it would show somebody who may have gone, and a device that lives sends the next one";
        } else if (letter.isCut()) {
            return "something of the record was left out, as it was too large";
        } else if (key == null || !UserId.ofBytes(key).isValid()) {
            return "it would be refused again: the key is no user id";
        } else if (letter.content(source) instanceof Inbound.Rejected rejected) {
            return "it would be refused again: " + rejected.rejection().detail();
        } else if (!again && replayed.contains(letter.place())) {
            return "it was replayed before (--again does so once more)";
        }
        @Nullable
        ConsumerRecord<byte[], byte[]> newest =
                last.getOrDefault(source.name(), Map.of()).get(UserId.ofBytes(key));
        return newest != null && isNewer(newest, letter)
                ? "there is a newer record of the user, at offset %d of partition %d"
                        .formatted(newest.offset(), newest.partition())
                : null;
    }

    /** Whether a record of the letter's user and topic was written after the one that the letter is of. */
    private boolean isNewer(ConsumerRecord<byte[], byte[]> record, Letter letter) {
        @Nullable Header from = record.headers().lastHeader(Letter.REPLAYED_FROM);
        if (from != null && letter.place().equals(Output.text(from.value()))) {
            return false; // it is the letter's own, from before
        }
        boolean isSamePartition =
                letter.sourceNumber(DeadLetter.PARTITION).equals(Optional.of((long) record.partition()));
        return isSamePartition
                ? record.offset() > letter.sourceNumber(DeadLetter.OFFSET).orElse(-1L)
                : record.timestamp() >= firstTime(letter);
    }

    /** When the record was first written: its own stamp while it is there, else the letter's, which is no earlier. */
    private long firstTime(Letter letter) {
        Optional<Long> partition = letter.sourceNumber(DeadLetter.PARTITION);
        Optional<Long> offset = letter.sourceNumber(DeadLetter.OFFSET);
        if (partition.isEmpty() || offset.isEmpty()) {
            return letter.timestamp();
        }
        TopicPartition source = new TopicPartition(
                letter.source().orElseThrow().name(), partition.get().intValue());
        return clients.scan()
                .at(source, offset.get())
                .map(ConsumerRecord::timestamp)
                .orElse(letter.timestamp());
    }
}
