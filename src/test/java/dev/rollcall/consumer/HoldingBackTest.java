package dev.rollcall.consumer;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.consumer.HeartbeatBundles.Bundle;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What Kafka Streams is given while values cannot be read yet: those that begin with "?". */
class HoldingBackTest {
    private static final TopicPartition BEATS = new TopicPartition("beats", 3);
    private static final TopicPartition TEXTS = new TopicPartition("texts", 3);
    private static final TopicPartition OTHERS = new TopicPartition("beats", 4);

    private final Set<String> known = new HashSet<>();
    private long nanos;
    private final HeldPartitions all = new HeldPartitions(this::waitsFor, () -> nanos);
    private final MockConsumer<byte[], byte[]> consumer = new MockConsumer<>("earliest");
    private final HoldingBack holdingBack = new HoldingBack(consumer, all);

    private @Nullable String waitsFor(byte @Nullable [] value) {
        String text = value == null ? "" : new String(value, StandardCharsets.UTF_8);
        return text.startsWith("?") && !known.contains(text) ? "the schema of " + text : null;
    }

    @BeforeEach
    void assign() {
        consumer.assign(List.of(BEATS, TEXTS, OTHERS));
    }

    @Test
    void shouldHandOnTheVeryRecordsWhenAllCanBeRead() {
        ConsumerRecords<byte[], byte[]> polled = polled(Map.of(BEATS, bundles("a", "b"), TEXTS, records("c")));

        assertThat(holdingBack.withhold(polled)).isSameAs(polled);
        assertThat(consumer.paused()).isEmpty();
    }

    @Test
    void shouldGoBackToTheFirstThatWaitsAndHandOnWhatIsInFront() {
        ConsumerRecords<byte[], byte[]> handedOn =
                holdingBack.withhold(polled(Map.of(TEXTS, records("a", "b", "?c", "d", "?e"), OTHERS, bundles("x"))));

        assertThat(values(handedOn, TEXTS)).containsExactly("a", "b");
        assertThat(values(handedOn, OTHERS)).containsExactly("x");
        assertThat(nextOffset(handedOn, TEXTS)).isEqualTo(2);
        assertThat(nextOffset(handedOn, OTHERS)).isEqualTo(1);
        assertThat(consumer.position(TEXTS)).isEqualTo(2);
        assertThat(consumer.paused()).containsExactly(TEXTS);
    }

    @Test
    void shouldCutABundleWhereARecordInItWaits() {
        ConsumerRecords<byte[], byte[]> handedOn =
                holdingBack.withhold(polled(Map.of(BEATS, bundles("a", "b", "?c", "d"))));

        assertThat(values(handedOn, BEATS)).containsExactly("a", "b");
        assertThat(handedOn.records(BEATS).get(0).headers()).isInstanceOf(Bundle.class);
        assertThat(nextOffset(handedOn, BEATS)).isEqualTo(2);
        assertThat(consumer.position(BEATS)).isEqualTo(2);
    }

    @Test
    void shouldHandOnNothingOfAPartitionWhoseFirstRecordWaits() {
        ConsumerRecords<byte[], byte[]> handedOn = holdingBack.withhold(polled(Map.of(BEATS, bundles("?a", "b"))));

        assertThat(handedOn.isEmpty()).isTrue();
        assertThat(nextOffset(handedOn, BEATS)).isZero();
    }

    @Test
    void shouldGoOnWhenItIsKnownAndNotBefore() {
        holdingBack.withhold(polled(Map.of(TEXTS, records("?a"))));
        holdingBack.release();
        assertThat(consumer.paused()).containsExactly(TEXTS);

        known.add("?a");
        holdingBack.release();
        assertThat(consumer.paused()).isEmpty();
        assertThat(values(holdingBack.withhold(polled(Map.of(TEXTS, records("?a", "b")))), TEXTS))
                .containsExactly("?a", "b");
    }

    @Test
    void shouldResumeAPartitionWhenNeitherHoldsIt() {
        holdingBack.withhold(polled(Map.of(TEXTS, records("?a"), BEATS, bundles("?b"))));
        holdingBack.pause(List.of(TEXTS)); // its buffer is full, or its state is being restored
        holdingBack.resume(List.of(BEATS));
        assertThat(consumer.paused()).as("it is held").contains(BEATS);

        known.addAll(Set.of("?a", "?b"));
        holdingBack.release();
        assertThat(consumer.paused()).as("Streams has paused it").containsExactly(TEXTS);
        holdingBack.resume(List.of(TEXTS));
        assertThat(consumer.paused()).isEmpty();
    }

    @Test
    void shouldForgetAPartitionThatIsAnotherThreadsNow() {
        holdingBack.withhold(polled(Map.of(TEXTS, records("?a"), OTHERS, bundles("?b"))));
        nanos += Duration.ofSeconds(5).toNanos();
        assertThat(all.size()).isEqualTo(2);

        consumer.assign(List.of(TEXTS));
        holdingBack.withhold(polled(Map.of()));
        assertThat(all.waitsFor())
                .containsExactly("the schema of ?a, for which texts-3 waits at offset 0, for 5 s now");
        holdingBack.close();
        assertThat(all.size()).isZero();
    }

    /** A schema that is met for the first time is known within milliseconds, and no alarm. */
    @Test
    void shouldTellOfAPartitionWhenItHasWaitedForASecond() {
        holdingBack.withhold(polled(Map.of(TEXTS, records("?a"))));
        nanos += Duration.ofMillis(999).toNanos();
        assertThat(all.waitsFor()).isEmpty();
        nanos += Duration.ofMillis(1).toNanos();
        holdingBack.release();
        assertThat(all.waitsFor())
                .containsExactly("the schema of ?a, for which texts-3 waits at offset 0, for 1 s now");
        nanos += Duration.ofSeconds(70).toNanos();
        holdingBack.withhold(polled(Map.of(TEXTS, records("?a"))));
        assertThat(all.waitsFor())
                .containsExactly("the schema of ?a, for which texts-3 waits at offset 0, for 71 s now");
    }

    // ---- helpers ----

    private ConsumerRecords<byte[], byte[]> polled(Map<TopicPartition, List<ConsumerRecord<byte[], byte[]>>> records) {
        Map<TopicPartition, List<ConsumerRecord<byte[], byte[]>>> all = new LinkedHashMap<>();
        Map<TopicPartition, OffsetAndMetadata> next = new HashMap<>();
        records.forEach((partition, some) -> {
            List<ConsumerRecord<byte[], byte[]>> own = new ArrayList<>();
            for (int i = 0; i < some.size(); i++) {
                own.add(new ConsumerRecord<>(
                        partition.topic(),
                        partition.partition(),
                        i,
                        null,
                        some.get(i).value()));
            }
            boolean isBundled = some.stream().anyMatch(one -> one.key() != null);
            next.put(partition, new OffsetAndMetadata(own.size()));
            all.put(partition, isBundled ? HeartbeatBundles.bundled(own) : own);
            consumer.seek(partition, own.size()); // as a poll does
        });
        return new ConsumerRecords<>(all, next);
    }

    private static List<ConsumerRecord<byte[], byte[]>> records(String... values) {
        return all(null, values);
    }

    private static List<ConsumerRecord<byte[], byte[]>> bundles(String... values) {
        return all(new byte[0], values);
    }

    private static List<ConsumerRecord<byte[], byte[]>> all(byte @Nullable [] key, String... values) {
        return List.of(values).stream()
                .map(value -> new ConsumerRecord<>("", 0, 0, key, value.getBytes(StandardCharsets.UTF_8)))
                .toList();
    }

    private static List<String> values(ConsumerRecords<byte[], byte[]> records, TopicPartition partition) {
        return records.records(partition).stream()
                .flatMap(record ->
                        (record.headers() instanceof Bundle bundle ? bundle.records() : List.of(record)).stream())
                .map(record -> new String(record.value(), StandardCharsets.UTF_8))
                .toList();
    }

    private static long nextOffset(ConsumerRecords<byte[], byte[]> records, TopicPartition partition) {
        return requireNonNull(records.nextOffsets().get(partition)).offset();
    }
}
