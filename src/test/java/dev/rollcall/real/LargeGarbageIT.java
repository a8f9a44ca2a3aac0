package dev.rollcall.real;

import static dev.rollcall.domain.PresenceState.ONLINE;
import static dev.rollcall.real.RealContext.await;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.app.Rollcall;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.real.RealContext.Reader;
import dev.rollcall.wire.Inbound;
import dev.rollcall.wire.Topic;
import dev.rollcall.wire.Topics;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.utils.Utils;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Records that a broker took and that cannot be written again as they are (rule 12): the processor goes on, and what does
 * not fit into a dead letter is left out of it.
 */
@Timeout(180)
class LargeGarbageIT {
    private static final Topics TOPICS = RealContext.TOPICS;

    /** Just what the brokers take by default, with the rest of the record. */
    private static final int LARGE = 1_048_300;

    private static final int UNPACKED = 5_000_000;
    private static final int MANY = 100_000;

    private final long seed = System.nanoTime();
    private final Random random = new Random(seed);

    /**
     * One bad record.
     *
     * @param lengths the headers that say what was left out
     */
    private record Bad(ProducerRecord<byte[], byte[]> record, String reason, List<String> lengths) {}

    @ParameterizedTest
    @ValueSource(strings = {"none", "gzip"})
    void shouldGoOnWhateverTheSizeOfWhatComesIn(String compression, @TempDir Path dataDir) throws Exception {
        System.out.println("LargeGarbageIT seed " + seed);
        Map<String, Object> settings =
                Map.of("compression.type", compression, "max.request.size", 10 * UNPACKED, "batch.size", 0);
        try (Rollcall rollcall = Rollcall.start(RollcallConfig.of(RealContext.settings(dataDir)));
                RealContext context = new RealContext(rollcall.bootstrapServers());
                KafkaProducer<byte[], byte[]> producer = context.producer(settings)) {
            rollcall.awaitReady();
            Map<String, ConsumerRecord<byte[], byte[]>> letters = new ConcurrentHashMap<>();
            try (Reader<byte[]> reader =
                    context.read(TOPICS.deadLetters(), letter -> letters.put(placeOfOrigin(letter), letter))) {
                List<Bad> all = new ArrayList<>();
                TOPICS.inputs().forEach(topic -> all.addAll(garbage(topic.name(), compression.equals("gzip"))));
                all.addAll(illFormed());
                List<Future<RecordMetadata>> sent =
                        all.stream().map(bad -> producer.send(bad.record())).toList();
                producer.send(misrouted("@misrouted:example.org", compression.equals("gzip") ? UNPACKED : LARGE - 200))
                        .get();
                RealContext.users("after", 20).forEach(user -> context.heartbeat(user, "phone", ONLINE));

                context.awaitState(RealContext.users("after", 20), ONLINE);
                context.awaitState(List.of("@misrouted:example.org"), ONLINE);
                await().until(() -> {
                    reader.throwFailure();
                    return letters.size() == all.size();
                });
                assertThat(context.spokenOf()).hasSize(21);
                for (int i = 0; i < all.size(); i++) {
                    RecordMetadata where = sent.get(i).get();
                    ConsumerRecord<byte[], byte[]> letter =
                            letters.get("%s-%d@%d".formatted(where.topic(), where.partition(), where.offset()));
                    expectLetter(all.get(i), letter);
                }
            }
        }
    }

    /** A topic that takes less than Kafka's default gets smaller letters. */
    @Test
    void shouldGoOnWhenTheTopicOfDeadLettersTakesLittle(@TempDir Path dataDir) throws Exception {
        try (Rollcall first = Rollcall.start(RollcallConfig.of(RealContext.settings(dataDir)))) {
            first.awaitReady();
            try (RealContext context = new RealContext(first.bootstrapServers());
                    Admin admin = context.admin()) {
                admin.incrementalAlterConfigs(Map.of(
                                new ConfigResource(
                                        ConfigResource.Type.TOPIC,
                                        TOPICS.deadLetters().name()),
                                List.of(new AlterConfigOp(
                                        new ConfigEntry("max.message.bytes", "20000"), AlterConfigOp.OpType.SET))))
                        .all()
                        .get();
            }
        }
        try (Rollcall again = Rollcall.start(RollcallConfig.of(RealContext.settings(dataDir)));
                RealContext context = new RealContext(again.bootstrapServers());
                KafkaProducer<byte[], byte[]> producer = context.producer(Map.of())) {
            again.awaitReady();
            Map<String, ConsumerRecord<byte[], byte[]>> letters = new ConcurrentHashMap<>();
            try (Reader<byte[]> reader =
                    context.read(TOPICS.deadLetters(), letter -> letters.put(placeOfOrigin(letter), letter))) {
                Bad bad = bad(
                        new ProducerRecord<>(TOPICS.statuses().name(), key(), text(30_000)),
                        "undecodable",
                        "rollcall.value-length");
                producer.send(bad.record()).get();
                await().until(() -> {
                    reader.throwFailure();
                    return letters.size() == 1;
                });
                expectLetter(bad, letters.values().iterator().next());
            }
        }
    }

    private static void expectLetter(Bad bad, ConsumerRecord<byte[], byte[]> letter) {
        assertThat(letter).as("the letter of a record %s", bad.lengths()).isNotNull();
        assertThat(header(letter, "rollcall.reason")).isEqualTo(bad.reason());
        List<String> lengths = new ArrayList<>();
        for (Header header : letter.headers()) {
            if (header.key().endsWith("-length")) {
                lengths.add(header.key());
            }
        }
        assertThat(lengths).containsExactlyInAnyOrderElementsOf(bad.lengths());
        if (!lengths.contains("rollcall.value-length")) {
            assertThat(letter.value()).isEqualTo(bad.record().value());
        } else {
            assertThat(letter.value()).isNull();
            assertThat(header(letter, "rollcall.value-length"))
                    .isEqualTo("" + bad.record().value().length);
        }
        if (!lengths.contains("rollcall.key-length")) {
            assertThat(letter.key()).isEqualTo(bad.record().key());
        } else {
            assertThat(header(letter, "rollcall.key-length"))
                    .isEqualTo("" + bad.record().key().length);
        }
    }

    private List<Bad> garbage(String topic, boolean isCompressed) {
        List<Bad> all = new ArrayList<>();
        if (isCompressed) {
            all.add(bad(
                    new ProducerRecord<>(topic, key(), new byte[UNPACKED]), "undecodable", "rollcall.value-length"));
            all.add(bad(new ProducerRecord<>(topic, text(UNPACKED), bytes(9)), "undecodable", "rollcall.key-length"));
            ProducerRecord<byte[], byte[]> headers = new ProducerRecord<>(topic, key(), bytes(9));
            for (int i = 0; i < MANY; i++) {
                headers.headers().add("h", i % 2 == 0 ? null : bytes(9));
            }
            all.add(bad(headers, "undecodable", "rollcall.headers-length"));
            all.add(bad(
                    withHeader(new ProducerRecord<>(topic, text(UNPACKED), new byte[UNPACKED]), UNPACKED),
                    "undecodable",
                    "rollcall.value-length",
                    "rollcall.headers-length",
                    "rollcall.key-length"));
        } else {
            all.add(bad(new ProducerRecord<>(topic, key(), bytes(LARGE)), "undecodable", "rollcall.value-length"));
            all.add(bad(
                    withHeader(new ProducerRecord<>(topic, key(), bytes(9)), LARGE - 100),
                    "undecodable",
                    "rollcall.headers-length"));
            all.add(bad(new ProducerRecord<>(topic, text(LARGE - 9), bytes(9)), "undecodable", "rollcall.key-length"));
            all.add(bad(new ProducerRecord<>(topic, key(), bytes(900_000)), "undecodable"));
        }
        return all;
    }

    private List<Bad> illFormed() {
        return List.of(
                illFormed(TOPICS.heartbeats(), beat("caf#", null)),
                illFormed(TOPICS.heartbeats(), beat("phone", "shard-#")),
                illFormed(TOPICS.statuses(), new Inbound.Status(new StatusText("at the caf#", null))));
    }

    private Bad illFormed(Topic<UserId, Inbound> topic, Inbound.Content content) {
        byte[] value = RealContext.bytes(topic, content);
        for (int i = 0; i < value.length; i++) {
            value[i] = value[i] == '#' ? (byte) 0xE9 : value[i];
        }
        return bad(new ProducerRecord<>(topic.name(), key(), value), "invalid_field");
    }

    private static Bad bad(ProducerRecord<byte[], byte[]> record, String reason, String... lengths) {
        return new Bad(record, reason, List.of(lengths));
    }

    private ProducerRecord<byte[], byte[]> misrouted(String user, int headerLength) {
        byte[] key = user.getBytes(UTF_8);
        int home = Utils.toPositive(Utils.murmur2(key)) % RealContext.PARTITIONS;
        byte[] value = RealContext.bytes(TOPICS.heartbeats(), beat("phone", null));
        return withHeader(
                new ProducerRecord<>(TOPICS.heartbeats().name(), (home + 1) % RealContext.PARTITIONS, key, value),
                headerLength);
    }

    private static Inbound.Beat beat(String device, String shard) {
        return new Inbound.Beat(new Heartbeat(device, ONLINE, false, OptionalLong.of(60_000), shard));
    }

    private ProducerRecord<byte[], byte[]> withHeader(ProducerRecord<byte[], byte[]> record, int length) {
        record.headers().add("trace", length > LARGE ? new byte[length] : bytes(length));
        return record;
    }

    private byte[] key() {
        return "@bad%d:example.org".formatted(random.nextInt(100)).getBytes(UTF_8);
    }

    private static byte[] text(int length) {
        return "x".repeat(length).getBytes(UTF_8);
    }

    /** Nothing that begins like Avro. */
    private byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        bytes[0] = 0;
        return bytes;
    }

    private static String placeOfOrigin(ConsumerRecord<byte[], byte[]> letter) {
        return "%s-%s@%s"
                .formatted(
                        header(letter, "__streams.errors.topic"),
                        header(letter, "__streams.errors.partition"),
                        header(letter, "__streams.errors.offset"));
    }

    private static String header(ConsumerRecord<byte[], byte[]> letter, String name) {
        Header header = letter.headers().lastHeader(name);
        return header == null ? "no " + name : new String(header.value(), UTF_8);
    }
}
