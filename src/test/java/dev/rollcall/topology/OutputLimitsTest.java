package dev.rollcall.topology;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.UserId;
import dev.rollcall.topology.OutputLimits.Limit;
import dev.rollcall.wire.Inbound.Beat;
import dev.rollcall.wire.Inbound.Content;
import dev.rollcall.wire.Inbound.Status;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Random;
import java.util.stream.StreamSupport;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.internal.AbstractRecords;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.streams.test.TestRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Rule 12: whatever comes in, what goes out fits, and says what of it did not. */
class OutputLimitsTest {
    private static final String HEARTBEATS = "device-heartbeat";
    private static final byte[] ALICE = "alice".getBytes(UTF_8);

    /** What Kafka's producer and brokers take by default. */
    private static final int DEFAULT_BYTES = 1 << 20;

    private static final long HOUR = 3_600_000;

    private TopologyContext rollcall = context(Map.of(), 1);

    @AfterEach
    void close() {
        rollcall.close();
    }

    @Test
    void shouldLeaveOutTheValueWhenTheLetterWouldBeTooLarge() {
        byte[] large = bytes(1_048_300);
        TestRecord<byte[], byte[]> letter = deadLetter(ALICE, large, headers("trace", bytes(10)));

        assertThat(letter.key()).isEqualTo(ALICE);
        assertThat(letter.value()).isNull();
        assertThat(letter.headers().lastHeader("trace").value()).isEqualTo(bytes(10));
        assertThat(text(letter, "rollcall.value-length")).isEqualTo("1048300");
        assertThat(text(letter, "rollcall.reason")).isEqualTo("undecodable");
        assertLengthsAre(letter, "rollcall.value-length");
    }

    @Test
    void shouldKeepAllWhenItJustFits() {
        byte[] value = bytes(1_045_000);
        TestRecord<byte[], byte[]> letter = deadLetter(ALICE, value, new RecordHeaders());

        assertThat(letter.value()).isEqualTo(value);
        assertLengthsAre(letter);
    }

    @Test
    void shouldLeaveOutTheHeadersWhenThoseDoNotFit() {
        TestRecord<byte[], byte[]> letter = deadLetter(ALICE, bytes(100), headers("trace", bytes(DEFAULT_BYTES)));

        assertThat(letter.value()).isEqualTo(bytes(100));
        assertThat(letter.headers().lastHeader("trace")).isNull();
        assertThat(text(letter, "rollcall.headers-length")).isEqualTo(String.valueOf(DEFAULT_BYTES + "trace".length()));
        assertLengthsAre(letter, "rollcall.headers-length");
    }

    @Test
    void shouldLeaveOutTheValueBeforeTheHeadersWhenOnlyOneFits() {
        TestRecord<byte[], byte[]> letter = deadLetter(ALICE, bytes(600_000), headers("trace", bytes(600_000)));

        assertThat(letter.headers().lastHeader("trace").value()).hasSize(600_000);
        assertLengthsAre(letter, "rollcall.value-length");
    }

    @Test
    void shouldLeaveOutTheHeadersWhenThereAreTooMany() {
        RecordHeaders many = new RecordHeaders();
        for (int i = 0; i < 100_000; i++) {
            many.add("h" + i, i % 2 == 0 ? null : new byte[0]);
        }
        assertLengthsAre(deadLetter(ALICE, bytes(9), many), "rollcall.headers-length");
    }

    @Test
    void shouldLeaveOutTheKeyWhenThatDoesNotFit() {
        TestRecord<byte[], byte[]> letter = deadLetter(bytes(2_000_000), bytes(9), new RecordHeaders());

        assertThat(letter.key()).isNull();
        assertThat(letter.value()).isEqualTo(bytes(9));
        assertThat(text(letter, "rollcall.key-length")).isEqualTo("2000000");
        assertLengthsAre(letter, "rollcall.key-length");
    }

    @Test
    void shouldLeaveOutAllWhenNothingFits() {
        TestRecord<byte[], byte[]> letter =
                deadLetter(bytes(2_000_000), bytes(5_000_000), headers("trace", bytes(3_000_000)));

        assertLengthsAre(letter, "rollcall.value-length", "rollcall.headers-length", "rollcall.key-length");
    }

    @Test
    void shouldSayWhatIsTrueWhenARecordHasHeadersNamedLikeOurs() {
        Headers headers = headers("rollcall.value-length", bytes(3));
        headers.add("rollcall.key-length", null)
                .add("rollcall.reason", bytes(3))
                .add("other", null);
        TestRecord<byte[], byte[]> letter = deadLetter(ALICE, bytes(9), headers);

        assertLengthsAre(letter);
        assertThat(text(letter, "rollcall.reason")).isEqualTo("undecodable");
        assertThat(letter.headers().lastHeader("other").value()).isNull();
    }

    @Test
    void shouldHaveAKeyWhenTheTopicOfDeadLettersIsCompacted() {
        Limit compacted = Limit.of(DEFAULT_BYTES, true, Long.MAX_VALUE, Long.MAX_VALUE);
        use(Map.of("presence-dead-letters", compacted), 1);
        assertThat(letterOf(null, bytes(9), new RecordHeaders()).key()).isEmpty();
        assertThat(letterOf(bytes(2_000_000), bytes(9), new RecordHeaders()).key())
                .isEmpty();
    }

    /** Whatever the sizes, Kafka's own estimate for the producer stays within the limit. */
    @Test
    void shouldFitByKafkasOwnEstimateWhateverTheSizes() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        int limit = OutputLimits.MIN_RECORD_BYTES;
        use(Map.of("presence-dead-letters", Limit.of(limit, false, 0, 0)), 1);
        for (int round = 0; round < 300; round++) {
            Headers headers = new RecordHeaders();
            int count = random.nextInt(5) == 0 ? random.nextInt(3_000) : random.nextInt(3);
            for (int i = 0; i < count; i++) {
                headers.add("é".repeat(random.nextInt(20)), random.nextBoolean() ? null : bytes(random.nextInt(20)));
            }
            byte[] key = random.nextBoolean() ? null : bytes(random.nextInt(2 * limit));
            TestRecord<byte[], byte[]> letter = letterOf(key, bytes(random.nextInt(2 * limit)), headers);
            assertThat(estimate(letter)).as("seed %d, round %d", seed, round).isLessThanOrEqualTo(limit);
        }
    }

    @Test
    void shouldSendOnWithoutItsHeadersWhenAMisroutedRecordWouldBeTooLarge() {
        use(Map.of(), 12);
        UserId astray = userOn(3);
        byte[] value = rollcall.bytes(
                new Beat(new Heartbeat("phone", PresenceState.ONLINE, false, OptionalLong.empty(), null)));
        rollcall.send(HEARTBEATS, astray.bytes(), value, rollcall.now(), headers("trace", bytes(DEFAULT_BYTES)));

        assertThat(rollcall.emitted()).hasSize(1);
        TestRecord<byte[], byte[]> sentOn = rollcall.readBytes(HEARTBEATS).get(0);
        assertThat(sentOn.value()).isEqualTo(value);
        assertThat(sentOn.headers().lastHeader("trace")).isNull();
        assertThat(sentOn.headers().lastHeader(Rerouting.FIRST_TIME)).isNotNull();
        assertThat(estimate(sentOn)).isLessThanOrEqualTo(DEFAULT_BYTES);
    }

    @Test
    void shouldStampWithinWhatTheTopicTakesAndOnlyThere() {
        Clock clock = Clock.fixed(Instant.ofEpochMilli(100 * HOUR), ZoneOffset.UTC);
        Limit any = Limit.of(DEFAULT_BYTES, false, Long.MAX_VALUE, Long.MAX_VALUE);
        Limit hour = Limit.of(DEFAULT_BYTES, false, Long.MAX_VALUE, HOUR);
        Limit both = Limit.of(DEFAULT_BYTES, false, 2 * HOUR, HOUR);

        assertThat(any.stamp(500 * HOUR, clock)).isEqualTo(500 * HOUR);
        assertThat(any.stamp(-1, clock)).as("which no record may have").isZero();
        assertThat(hour.stamp(0, clock)).isZero();
        assertThat(hour.stamp(100 * HOUR + HOUR / 2, clock)).isEqualTo(100 * HOUR + HOUR / 2);
        assertThat(hour.stamp(500 * HOUR, clock)).isBetween(100 * HOUR + HOUR / 2, 101 * HOUR);
        assertThat(both.stamp(0, clock)).isBetween(98 * HOUR, 99 * HOUR);
        assertThat(Limit.of(DEFAULT_BYTES, false, 0, 0).stamp(7, clock)).isEqualTo(100 * HOUR);
    }

    @Test
    void shouldKeepTheInstantInTheValueWhenOnlyAnotherStampCanBeWritten() {
        use(Map.of("presence", Limit.of(DEFAULT_BYTES, false, HOUR, Long.MAX_VALUE)), 1);
        long longAgo = rollcall.now();
        rollcall.advanceTo(longAgo + 5 * HOUR);
        rollcall.heartbeat(
                UserId.of("alice"),
                new Heartbeat("phone", PresenceState.ONLINE, false, OptionalLong.empty(), null),
                longAgo);

        assertThat(rollcall.topics().presence().name()).isEqualTo("presence");
        TestRecord<byte[], byte[]> emitted = rollcall.readBytes("presence").get(0);
        assertThat(emitted.timestamp()).isBetween(rollcall.now() - HOUR, rollcall.now());
        assertThat(rollcall.topics()
                        .presence()
                        .values()
                        .deserializer()
                        .deserialize("presence", emitted.value())
                        .since())
                .isEqualTo(longAgo);
    }

    @Test
    void shouldRefuseTextThatIsNotUtf8AndNameTheField() {
        OptionalLong none = OptionalLong.empty();
        expectIllFormed(HEARTBEATS, new Beat(new Heartbeat("caf#", null, false, none, null)), "device_id");
        expectIllFormed(HEARTBEATS, new Beat(new Heartbeat("phone", null, false, none, "caf#")), "shard");
        expectIllFormed("status", new Status(new dev.rollcall.domain.StatusText("caf#", null)), "text");
        assertThat(rollcall.emitted()).isEmpty();
    }

    private void expectIllFormed(String topic, Content content, String field) {
        byte[] value = Objects.requireNonNull(rollcall.bytes(content));
        for (int i = 0; i < value.length; i++) {
            value[i] = value[i] == '#' ? (byte) 0xE9 : value[i];
        }
        rollcall.send(topic, ALICE, value, rollcall.now());
        assertThat(rollcall.deadLetters()).singleElement().satisfies(letter -> {
            assertThat(letter.value()).isEqualTo(value);
            assertThat(text(letter, "rollcall.reason")).isEqualTo("invalid_field");
            assertThat(text(letter, "__streams.errors.message")).startsWith(field + " ");
        });
    }

    private TestRecord<byte[], byte[]> deadLetter(byte[] key, byte[] value, Headers headers) {
        return letterOf(key, value, headers);
    }

    private TestRecord<byte[], byte[]> letterOf(byte @Nullable [] key, byte[] value, Headers headers) {
        rollcall.send(HEARTBEATS, key, value, rollcall.now(), headers);
        List<TestRecord<byte[], byte[]>> letters = rollcall.deadLetters();
        assertThat(letters).hasSize(1);
        assertThat(estimate(letters.get(0))).isLessThanOrEqualTo(DEFAULT_BYTES);
        assertThat(text(letters.get(0), "__streams.errors.topic")).isEqualTo(HEARTBEATS);
        return letters.get(0);
    }

    private void use(Map<String, Limit> limits, int partitions) {
        rollcall.close();
        rollcall = context(limits, partitions);
    }

    private static TopologyContext context(Map<String, Limit> limits, int partitions) {
        return new TopologyContext(RollcallConfig.defaults(), partitions, new OutputLimits(limits));
    }

    private static int estimate(TestRecord<byte[], byte[]> record) {
        return AbstractRecords.estimateSizeInBytesUpperBound(
                RecordBatch.CURRENT_MAGIC_VALUE,
                CompressionType.NONE,
                record.key(),
                record.value(),
                record.headers().toArray());
    }

    private static void assertLengthsAre(TestRecord<byte[], byte[]> letter, String... names) {
        List<String> lengths =
                new ArrayList<>(StreamSupport.stream(letter.headers().spliterator(), false)
                        .map(Header::key)
                        .filter(name -> name.endsWith("-length"))
                        .toList());
        assertThat(lengths).containsExactlyInAnyOrder(names);
    }

    private static String text(TestRecord<byte[], byte[]> letter, String name) {
        return new String(letter.headers().lastHeader(name).value(), UTF_8);
    }

    private static Headers headers(String name, byte[] value) {
        return new RecordHeaders(List.of(new RecordHeader(name, value)));
    }

    /** Nothing that anybody could take for Avro. */
    private static byte[] bytes(int count) {
        byte[] bytes = new byte[count];
        java.util.Arrays.fill(bytes, (byte) 'x');
        return bytes;
    }

    private static UserId userOn(int partition) {
        for (int i = 0; ; i++) {
            byte[] key = ("user" + i).getBytes(UTF_8);
            if (BuiltInPartitioner.partitionForKey(key, 12) == partition) {
                return UserId.ofBytes(key);
            }
        }
    }
}
