package dev.rollcall.real;

import static dev.rollcall.domain.PresenceState.IDLE;
import static dev.rollcall.domain.PresenceState.OFFLINE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static dev.rollcall.real.RealContext.await;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.counting;
import static java.util.stream.Collectors.groupingBy;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rollcall.app.Rollcall;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.Rejection.Reason;
import dev.rollcall.domain.StatusText;
import dev.rollcall.real.RealContext.Emitted;
import dev.rollcall.real.RealContext.Reader;
import dev.rollcall.wire.Inbound;
import dev.rollcall.wire.Topic;
import dev.rollcall.wire.Topics;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.utils.Utils;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Much that is bad and some that is good, mixed: each good record has its effect, each bad one is in the dead letters,
 * once, as it came, and says why.
 */
@Timeout(180)
class GarbageIT {
    private static final int BAD = 100_000;
    private static final int GOOD_HEARTBEATS = 6_000;
    private static final int GOOD_STATUSES = 3_000;
    private static final int GOOD_FLAGS = 1_000;
    private static final int HARMLESS = 1_000;

    private static final int MAX_DEVICES = 8;
    private static final int CROWDED_USERS = 20;
    private static final int CROWD = 20;

    private static final Topics TOPICS = RealContext.TOPICS;
    private static final List<Topic<?, Inbound>> INPUTS =
            List.of(TOPICS.heartbeats(), TOPICS.statuses(), TOPICS.appearOffline());

    private final long seed = Long.getLong("rollcall.test.seed", System.nanoTime());
    private final Random random = new Random(seed);

    /** What has to be emitted last of each user. */
    private final Map<String, Expected> expected = new HashMap<>();

    private Rollcall rollcall;
    private RealContext context;

    private record Expected(PresenceState state, String status, int sequence) {}

    /** One record on its way; the reason is null for a good one. */
    private record Input(ProducerRecord<byte[], byte[]> record, Reason reason) {}

    private record Sent(Input input, RecordMetadata where) {
        String place() {
            return where.topic() + "-" + where.partition() + "@" + where.offset();
        }
    }

    @BeforeEach
    void start(@TempDir Path dataDir) throws Exception {
        System.out.printf("GarbageIT: -Drollcall.test.seed=%d%n", seed);
        rollcall = Rollcall.start(RollcallConfig.of(RealContext.settings(
                dataDir,
                "device.lease.ms",
                String.valueOf(Duration.ofHours(1).toMillis()),
                "max.devices.per.user",
                String.valueOf(MAX_DEVICES),
                "pulse.interval.ms",
                "250")));
        rollcall.awaitReady();
        context = new RealContext(rollcall.bootstrapServers());
    }

    @AfterEach
    void stop() {
        context.close();
        rollcall.close();
    }

    @Test
    void shouldTakeTheGoodAndKeepTheBadAsideWhenTheyAreMixed() throws Exception {
        List<String> flagged = RealContext.users("flagged", GOOD_FLAGS);
        context.heartbeats(flagged, ONLINE);
        context.awaitState(flagged, ONLINE);
        List<Input> inputs = new ArrayList<>();
        addGood(inputs, flagged);
        addCrowds(inputs);
        for (int i = 0; i < HARMLESS; i++) {
            Topic<?, Inbound> topic = i % 2 == 0 ? TOPICS.statuses() : TOPICS.appearOffline();
            inputs.add(good(topic, "@nobody%d:example.org".formatted(i), null)); // clears what is not there
        }
        for (int i = 0; i < BAD; i++) {
            inputs.add(bad());
        }
        Collections.shuffle(inputs, random);

        Map<String, ConsumerRecord<byte[], byte[]>> letters = new ConcurrentHashMap<>();
        AtomicInteger count = new AtomicInteger();
        Reader<byte[]> reader = context.read(TOPICS.deadLetters(), letter -> {
            letters.put(placeOfOrigin(letter), letter);
            count.incrementAndGet();
        });
        try (reader) {
            List<Sent> sent = send(inputs);
            Map<String, Sent> bad = new HashMap<>();
            Map<String, String> reasons = new HashMap<>();
            for (Sent one : sent) {
                if (one.input().reason() != null) {
                    bad.put(one.place(), one);
                    reasons.put(one.place(), one.input().reason().name().toLowerCase(Locale.ROOT));
                }
            }
            for (Sent one : oneTooMany(sent)) {
                bad.put(one.place(), one);
                reasons.put(one.place(), "too_many_devices");
            }
            await().until(() -> {
                reader.throwFailure();
                return count.get() >= bad.size();
            });
            // Still there, still answering: behind everything in its partition.
            long beat = context.heartbeat("@after:example.org", "phone");
            Emitted answer = context.awaitEmitted("@after:example.org", 1);
            assertThat(answer.state()).isEqualTo(ONLINE);
            assertThat(answer.receivedAt() - beat).isLessThan(10_000);
            expected.put("@after:example.org", new Expected(ONLINE, null, 1));

            await().untilAsserted(() -> assertThat(context.spokenOf()).hasSameSizeAs(expected.keySet()));
            await().untilAsserted(() -> assertThat(wrongOnPresence()).isEmpty());
            RealContext.sleep(Duration.ofSeconds(1));
            assertThat(wrongOnPresence()).isEmpty();
            assertThat(context.spokenOf()).isEqualTo(expected.keySet());
            context.assertHistoriesAreWhole();

            Map<String, Long> sentByReason = countByReason(reasons.values());
            System.out.println("GarbageIT: bad records by reason: " + sentByReason);
            assertThat(sentByReason).as("some of every kind").hasSameSizeAs(Reason.values());
            assertThat(letters.keySet()).isEqualTo(bad.keySet());
            assertThat(count).as("each once").hasValue(bad.size());
            assertThat(countByReason(letters.values().stream()
                            .map(letter -> header(letter, "rollcall.reason"))
                            .toList()))
                    .isEqualTo(sentByReason);
            assertThat(bad.values().stream().filter(one -> {
                        ConsumerRecord<byte[], byte[]> letter = letters.get(one.place());
                        ProducerRecord<byte[], byte[]> original = one.input().record();
                        return !Arrays.equals(letter.key(), original.key())
                                || !Arrays.equals(letter.value(), original.value())
                                || !header(letter, "rollcall.reason").equals(reasons.get(one.place()))
                                || !header(letter, "trace").equals(headerOf(original));
                    }))
                    .as("not as they came, or with another reason")
                    .isEmpty();
        }
    }

    @Test
    void shouldNeverHearOfItWhenTheBrokerRefuses() {
        // One record in a batch: the broker refuses a batch as a whole.
        try (KafkaProducer<byte[], byte[]> alone = context.producer(Map.of("batch.size", 0))) {
            byte[] text = RealContext.bytes(TOPICS.statuses(), status("Here"));
            assertThatThrownBy(() -> alone.send(
                                    new ProducerRecord<>(TOPICS.statuses().name(), null, text))
                            .get())
                    .as("a compacted topic takes no record without a key")
                    .hasCauseInstanceOf(InvalidRecordException.class);
        }
        context.heartbeat("@after:example.org", "phone");
        context.awaitEmitted("@after:example.org", 1);
    }

    /** The broker stamps the inputs: what a producer thinks of the time does not even get into the log. */
    @Test
    void shouldTakeTheBrokersStampWhenTheProducersIsADayAhead() {
        long before = System.currentTimeMillis();
        byte[] key = "@ahead:example.org".getBytes(UTF_8);
        byte[] text = RealContext.bytes(TOPICS.statuses(), status("Here"));
        long dayAhead = before + Duration.ofDays(1).toMillis();
        try (KafkaProducer<byte[], byte[]> producer = context.producer(Map.of())) {
            RealContext.acknowledged(
                    producer.send(new ProducerRecord<>(TOPICS.statuses().name(), null, dayAhead, key, text)));
        }
        assertThat(context.awaitEmitted("@ahead:example.org", 1).presence().since())
                .isBetween(before, System.currentTimeMillis());
    }

    // ---- what is sent ----

    private void addGood(List<Input> inputs, List<String> flagged) {
        for (String user : RealContext.users("beating", GOOD_HEARTBEATS)) {
            PresenceState state = oneOf(List.of(ONLINE, IDLE));
            byte[] value = heartbeat("phone", state, OptionalLong.empty(), null);
            Input input = good(TOPICS.heartbeats(), user, value);
            if (random.nextInt(10) == 0) {
                input = misplaced(input); // by a producer with another partitioner
            }
            inputs.add(input);
            expected.put(user, new Expected(state, null, 1));
        }
        for (String user : RealContext.users("texting", GOOD_STATUSES)) {
            String text = "Text of " + user;
            inputs.add(good(TOPICS.statuses(), user, RealContext.bytes(TOPICS.statuses(), status(text))));
            expected.put(user, new Expected(OFFLINE, text, 1));
        }
        for (String user : flagged) {
            inputs.add(good(
                    TOPICS.appearOffline(),
                    user,
                    RealContext.bytes(TOPICS.appearOffline(), new Inbound.AppearOffline(true))));
            expected.put(user, new Expected(OFFLINE, null, 2));
        }
    }

    private void addCrowds(List<Input> inputs) {
        for (String user : RealContext.users("crowd", CROWDED_USERS)) {
            for (int device = 0; device < CROWD; device++) {
                inputs.add(
                        good(TOPICS.heartbeats(), user, heartbeat("d" + device, ONLINE, OptionalLong.empty(), null)));
            }
            expected.put(user, new Expected(ONLINE, null, 1));
        }
    }

    private Input bad() {
        Topic<?, Inbound> topic = oneOf(INPUTS);
        byte[] key = "@bad%d:example.org".formatted(random.nextInt(1_000)).getBytes(UTF_8);
        byte[] valid = validFor(topic);
        return switch (random.nextInt(14)) {
            case 0 -> bad(topic, key, notAvro(), Reason.UNDECODABLE);
            case 1 -> bad(topic, key, Arrays.copyOf(valid, random.nextInt(valid.length)), Reason.UNDECODABLE);
            case 2 -> bad(topic, key, Arrays.copyOf(valid, valid.length + 1 + random.nextInt(5)), Reason.UNDECODABLE);
            case 3 -> bad(topic, key, unknownFingerprint(), Reason.UNKNOWN_SCHEMA);
            case 4 -> bad(TOPICS.heartbeats(), key, withBody(length(Integer.MAX_VALUE - 8L)), Reason.UNDECODABLE);
            case 5 ->
                bad(
                        TOPICS.heartbeats(),
                        key,
                        withBody(length(oneOf(List.of(-1L, -5L, Long.MIN_VALUE, 1L << 40)))),
                        Reason.UNDECODABLE);
            case 6 -> bad(TOPICS.heartbeats(), null, validFor(TOPICS.heartbeats()), Reason.NULL_KEY);
            case 7 -> bad(TOPICS.heartbeats(), key, null, Reason.NULL_HEARTBEAT);
            case 8 -> bad(topic, new byte[0], valid, Reason.INVALID_KEY);
            case 9 -> bad(topic, "x".repeat(256 + random.nextInt(200)).getBytes(UTF_8), valid, Reason.INVALID_KEY);
            case 10 -> bad(topic, new byte[] {'@', (byte) 0xC0, (byte) 0xAF}, valid, Reason.INVALID_KEY);
            case 11, 12 -> wrongTopic(topic, key);
            default -> invalidField(key);
        };
    }

    private Input wrongTopic(Topic<?, Inbound> topic, byte[] key) {
        if (!topic.equals(TOPICS.heartbeats()) && random.nextBoolean()) {
            byte[] tick = RealContext.bytes(TOPICS.heartbeats(), new Inbound.ClockTick("somebody"));
            return bad(topic, key, tick, Reason.WRONG_TOPIC);
        }
        if (random.nextInt(4) == 0) {
            Presence presence = new Presence(ONLINE, null, null, 1, 1L, 1);
            byte[] emitted = TOPICS.presence().values().serializer().serialize("", presence);
            return bad(topic, key, emitted, Reason.WRONG_TOPIC);
        }
        Topic<?, Inbound> other = INPUTS.get((INPUTS.indexOf(topic) + 1 + random.nextInt(2)) % INPUTS.size());
        return bad(topic, key, validFor(other), Reason.WRONG_TOPIC);
    }

    private Input invalidField(byte[] key) {
        OptionalLong none = OptionalLong.empty();
        String tooLong = "é".repeat(128);
        byte[] value = switch (random.nextInt(10)) {
            case 0 -> heartbeat("", ONLINE, none, null);
            case 1 -> heartbeat(tooLong, null, none, null);
            case 2 -> heartbeat("phone", ONLINE, OptionalLong.of(-random.nextInt(100)), null);
            case 3 -> heartbeat("phone", ONLINE, OptionalLong.of(oneOf(List.of(86_400_001L, Long.MAX_VALUE))), null);
            case 4 -> heartbeat("phone", ONLINE, none, "");
            case 5 -> heartbeat("phone", ONLINE, none, tooLong);
            case 6 -> illFormed(heartbeat("caf#", ONLINE, none, null));
            case 7 -> illFormed(heartbeat("phone", ONLINE, none, "shard-#"));
            default -> null;
        };
        if (value == null) {
            byte[] text = random.nextBoolean()
                    ? RealContext.bytes(TOPICS.statuses(), status("é".repeat(513)))
                    : illFormed(RealContext.bytes(TOPICS.statuses(), status("at the caf#")));
            return bad(TOPICS.statuses(), key, text, Reason.INVALID_FIELD);
        }
        return bad(TOPICS.heartbeats(), key, value, Reason.INVALID_FIELD);
    }

    private static byte[] illFormed(byte[] value) {
        for (int i = 10; i < value.length; i++) {
            value[i] = value[i] == '#' ? (byte) (0xE8 + i % 2) : value[i];
        }
        return value;
    }

    private byte[] notAvro() {
        byte[] bytes = new byte[random.nextInt(100)];
        random.nextBytes(bytes);
        if (bytes.length > 0 && bytes[0] == (byte) 0xC3) {
            bytes[0] = 0;
        }
        return bytes;
    }

    private byte[] unknownFingerprint() {
        byte[] bytes = new byte[10 + random.nextInt(50)];
        random.nextBytes(bytes);
        bytes[0] = (byte) 0xC3;
        bytes[1] = 0x01;
        return bytes;
    }

    /** The head of a heartbeat, and another body. */
    private static byte[] withBody(byte[] body) {
        byte[] head = Arrays.copyOf(heartbeat("phone", ONLINE, OptionalLong.empty(), null), 10);
        return ByteBuffer.allocate(head.length + body.length)
                .put(head)
                .put(body)
                .array();
    }

    /** The length of a string that is not there: Avro's zigzag varint. */
    private static byte[] length(long length) {
        ByteBuffer bytes = ByteBuffer.allocate(12);
        long rest = (length << 1) ^ (length >> 63);
        while ((rest & ~0x7FL) != 0) {
            bytes.put((byte) ((rest & 0x7F) | 0x80));
            rest >>>= 7;
        }
        return bytes.put((byte) rest).array();
    }

    private byte[] validFor(Topic<?, Inbound> topic) {
        if (topic.equals(TOPICS.heartbeats())) {
            return heartbeat("phone", oneOf(List.of(ONLINE, IDLE, OFFLINE)), OptionalLong.of(60_000), "shard-1");
        }
        return topic.equals(TOPICS.statuses())
                ? RealContext.bytes(TOPICS.statuses(), status("Bad"))
                : RealContext.bytes(TOPICS.appearOffline(), new Inbound.AppearOffline(random.nextBoolean()));
    }

    private static byte[] heartbeat(String device, PresenceState state, OptionalLong leaseMs, String shard) {
        return RealContext.bytes(
                TOPICS.heartbeats(), new Inbound.Beat(new Heartbeat(device, state, false, leaseMs, shard)));
    }

    private static Inbound.Status status(String text) {
        return new Inbound.Status(new StatusText(text, null));
    }

    private Input good(Topic<?, Inbound> topic, String user, byte[] value) {
        return new Input(record(topic, user.getBytes(UTF_8), value), null);
    }

    private Input bad(Topic<?, Inbound> topic, byte[] key, byte[] value, Reason reason) {
        return new Input(record(topic, key, value), reason);
    }

    private ProducerRecord<byte[], byte[]> record(Topic<?, Inbound> topic, byte[] key, byte[] value) {
        var record = new ProducerRecord<>(topic.name(), null, wildTimestamp(), key, value);
        record.headers().add("trace", Long.toHexString(random.nextLong()).getBytes(UTF_8));
        return record;
    }

    /** As wild as a broker lets through by default: nothing more than an hour ahead. */
    private Long wildTimestamp() {
        long now = System.currentTimeMillis();
        return switch (random.nextInt(8)) {
            case 0 -> 0L;
            case 1 -> now - Duration.ofDays(random.nextInt(10_000)).toMillis();
            case 2 -> now + Duration.ofMinutes(random.nextInt(55)).toMillis();
            default -> null;
        };
    }

    private static Input misplaced(Input input) {
        ProducerRecord<byte[], byte[]> record = input.record();
        int home = Utils.toPositive(Utils.murmur2(record.key())) % RealContext.PARTITIONS;
        int elsewhere = (home + 1) % RealContext.PARTITIONS;
        return new Input(
                new ProducerRecord<>(
                        record.topic(), elsewhere, record.timestamp(), record.key(), record.value(), record.headers()),
                input.reason());
    }

    private <T> T oneOf(List<T> all) {
        return all.get(random.nextInt(all.size()));
    }

    private List<Sent> send(List<Input> inputs) {
        try (KafkaProducer<byte[], byte[]> producer = context.producer(Map.of("linger.ms", 5))) {
            List<Future<RecordMetadata>> futures =
                    inputs.stream().map(input -> producer.send(input.record())).toList();
            List<Sent> sent = new ArrayList<>();
            for (int i = 0; i < futures.size(); i++) {
                sent.add(new Sent(inputs.get(i), RealContext.acknowledged(futures.get(i))));
            }
            return sent;
        }
    }

    // ---- what came of it ----

    /** Of each crowd, those devices that came after the first few. */
    private static List<Sent> oneTooMany(List<Sent> sent) {
        return sent.stream()
                .filter(one -> one.input().record().key() != null
                        && new String(one.input().record().key(), UTF_8).startsWith("@crowd"))
                .collect(groupingBy(one -> new String(one.input().record().key(), UTF_8)))
                .values()
                .stream()
                .flatMap(crowd -> crowd.stream()
                        .sorted(Comparator.comparing(one -> one.where().offset()))
                        .skip(MAX_DEVICES))
                .toList();
    }

    private List<String> wrongOnPresence() {
        return expected.entrySet().stream()
                .filter(user -> {
                    List<Emitted> all = context.emitted(user.getKey());
                    if (all.size() != user.getValue().sequence()) {
                        return true;
                    }
                    Presence last = all.get(all.size() - 1).presence();
                    return !new Expected(last.state(), last.status(), (int) last.sequence()).equals(user.getValue());
                })
                .map(user -> user + ", but " + context.emitted(user.getKey()))
                .toList();
    }

    private static String placeOfOrigin(ConsumerRecord<byte[], byte[]> letter) {
        return header(letter, "__streams.errors.topic") + "-" + header(letter, "__streams.errors.partition") + "@"
                + header(letter, "__streams.errors.offset");
    }

    private static String header(ConsumerRecord<byte[], byte[]> letter, String name) {
        Header header = letter.headers().lastHeader(name);
        return header == null ? "no " + name : new String(header.value(), UTF_8);
    }

    private static String headerOf(ProducerRecord<byte[], byte[]> record) {
        return new String(record.headers().lastHeader("trace").value(), UTF_8);
    }

    private static Map<String, Long> countByReason(Collection<String> reasons) {
        return reasons.stream().collect(groupingBy(reason -> reason, TreeMap::new, counting()));
    }
}
