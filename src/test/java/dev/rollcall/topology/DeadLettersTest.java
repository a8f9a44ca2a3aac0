package dev.rollcall.topology;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.wire.Inbound.AppearOffline;
import dev.rollcall.wire.Inbound.Beat;
import dev.rollcall.wire.Inbound.Content;
import dev.rollcall.wire.Inbound.Status;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import org.apache.kafka.streams.test.TestRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Rule 12: what is bad goes to the dead letters as it came, says why, and changes nothing else. */
class DeadLettersTest {
    private static final String HEARTBEATS = "device-heartbeat";
    private static final String STATUSES = "status";
    private static final String FLAGS = "appear-offline";
    private static final byte[] ALICE = "alice".getBytes(UTF_8);

    private final TopologyContext rollcall =
            new TopologyContext(RollcallConfig.of(Map.of("max.devices.per.user", "2")));

    @AfterEach
    void close() {
        rollcall.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {HEARTBEATS, STATUSES, FLAGS})
    void shouldBeUndecodableWhenTheBytesAreNoSingleObject(String topic) {
        expectDeadLetter(topic, ALICE, new byte[0], "undecodable");
        expectDeadLetter(topic, ALICE, "nonsense".getBytes(UTF_8), "undecodable");
    }

    @Test
    void shouldBeUndecodableWhenARecordIsCutShortOrTooLong() {
        byte[] whole = good("phone");
        for (int length = 10; length < whole.length; length++) {
            expectDeadLetter(HEARTBEATS, ALICE, Arrays.copyOf(whole, length), "undecodable");
        }
        expectDeadLetter(HEARTBEATS, ALICE, Arrays.copyOf(whole, whole.length + 1), "undecodable");
    }

    @Test
    void shouldSurviveAnyDamageToAGoodRecord() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        for (int round = 0; round < 2_000; round++) {
            byte[] damaged = good("phone");
            for (int i = random.nextInt(3); i >= 0; i--) {
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
            }
            rollcall.send(HEARTBEATS, ALICE, damaged, rollcall.now());
        }
        // Some damage leaves a well-formed record of another device or state: what counts is that bob is heard all the
        // same.
        rollcall.emitted();
        rollcall.send(HEARTBEATS, "bob".getBytes(UTF_8), good("phone"), rollcall.now());
        assertThat(rollcall.emitted()).as("seed %d", seed).hasSize(1);
    }

    @Test
    void shouldBeOfUnknownSchemaWhenTheFingerprintIsNobodys() {
        expectDeadLetter(STATUSES, ALICE, HexFormat.of().parseHex("c301000102030405060700"), "unknown_schema");
    }

    @Test
    void shouldBeOnTheWrongTopicWhenTheRecordBelongsOnAnother() {
        expectDeadLetter(HEARTBEATS, ALICE, bytes(new AppearOffline(true)), "wrong_topic");
        expectDeadLetter(STATUSES, ALICE, good("phone"), "wrong_topic");
        expectDeadLetter(FLAGS, ALICE, bytes(new Status(new StatusText("x", null))), "wrong_topic");
    }

    @ParameterizedTest
    @ValueSource(strings = {HEARTBEATS, STATUSES, FLAGS})
    void shouldHaveANullKeyWhenThereIsNone(String topic) {
        byte[] value = switch (topic) {
            case HEARTBEATS -> good("phone");
            case STATUSES -> bytes(new Status(new StatusText("x", null)));
            default -> bytes(new AppearOffline(true));
        };
        expectDeadLetter(topic, null, value, "null_key");
    }

    @Test
    void shouldHaveAnInvalidKeyWhenItIsEmptyOrTooLongOrNotUtf8() {
        expectDeadLetter(HEARTBEATS, new byte[0], good("phone"), "invalid_key");
        expectDeadLetter(HEARTBEATS, "u".repeat(256).getBytes(UTF_8), good("phone"), "invalid_key");
        expectDeadLetter(STATUSES, new byte[] {(byte) 0xC3, (byte) 0x28}, null, "invalid_key");
    }

    @Test
    void shouldTakeAKeyOfTheGreatestLength() {
        rollcall.send(HEARTBEATS, "ü".repeat(127).getBytes(UTF_8), good("phone"), rollcall.now());
        rollcall.send(HEARTBEATS, "u".repeat(255).getBytes(UTF_8), good("phone"), rollcall.now());
        assertThat(rollcall.emitted()).hasSize(2);
        assertThat(rollcall.deadLetters()).isEmpty();
    }

    @Test
    void shouldBeANullHeartbeatWhenAHeartbeatHasNoValue() {
        expectDeadLetter(HEARTBEATS, ALICE, null, "null_heartbeat");
    }

    @Test
    void shouldHaveAnInvalidFieldWhenOneIsOutOfItsRange() {
        expectInvalid(beat("", null, null));
        expectInvalid(beat("d".repeat(256), null, null));
        expectInvalid(beat("é".repeat(128), null, null));
        expectInvalid(beat("phone", 0L, null));
        expectInvalid(beat("phone", -1L, null));
        expectInvalid(beat("phone", 86_400_001L, null));
        expectInvalid(beat("phone", Long.MAX_VALUE, null));
        expectInvalid(beat("phone", null, ""));
        expectInvalid(beat("phone", null, "s".repeat(256)));
        expectDeadLetter(STATUSES, ALICE, bytes(new Status(new StatusText("é".repeat(513), null))), "invalid_field");
    }

    @Test
    void shouldTakeFieldsAtTheEndsOfTheirRanges() {
        send(HEARTBEATS, bytes(new Beat(beat("d".repeat(255), 86_400_000L, "s".repeat(255)))));
        send(HEARTBEATS, bytes(new Beat(beat("d", 1L, "s"))));
        send(STATUSES, bytes(new Status(new StatusText("é".repeat(512), null))));
        assertThat(rollcall.deadLetters()).isEmpty();
        assertThat(rollcall.emitted()).hasSize(2);
    }

    @Test
    void shouldRefuseOneMoreDeviceWhenAUserHasAsManyAsAreAllowed() {
        send(HEARTBEATS, good("phone"));
        send(HEARTBEATS, good("laptop"));
        rollcall.emitted();
        expectDeadLetter(HEARTBEATS, ALICE, good("watch"), "too_many_devices");
        send(HEARTBEATS, good("phone"));
        assertThat(rollcall.deadLetters()).isEmpty();
    }

    @Test
    void shouldCountByReason() {
        send(HEARTBEATS, new byte[1]);
        send(HEARTBEATS, new byte[2]);
        send(HEARTBEATS, null);
        assertThat(rollcall.metric("rollcall_records_refused_total{reason=\"undecodable\"}"))
                .isEqualTo(2);
        assertThat(rollcall.metric("rollcall_records_refused_total{reason=\"null_heartbeat\"}"))
                .isEqualTo(1);
    }

    private void expectInvalid(Heartbeat heartbeat) {
        expectDeadLetter(HEARTBEATS, ALICE, bytes(new Beat(heartbeat)), "invalid_field");
    }

    private void expectDeadLetter(String topic, byte @Nullable [] key, byte @Nullable [] value, String reason) {
        rollcall.send(topic, key, value, rollcall.now());
        assertThat(rollcall.emitted()).isEmpty();
        assertThat(rollcall.deadLetters()).singleElement().satisfies(letter -> {
            assertThat(letter.key()).isEqualTo(key);
            assertThat(letter.value()).isEqualTo(value);
            assertThat(header(letter, "rollcall.reason")).isEqualTo(reason);
            assertThat(header(letter, "__streams.errors.topic")).isEqualTo(topic);
            assertThat(header(letter, "__streams.errors.partition")).isEqualTo("0");
            assertThat(header(letter, "__streams.errors.offset")).matches("[0-9]+");
            assertThat(header(letter, "__streams.errors.message")).isNotBlank();
        });
    }

    private static String header(TestRecord<byte[], byte[]> letter, String name) {
        return new String(letter.headers().lastHeader(name).value(), UTF_8);
    }

    private void send(String topic, byte @Nullable [] value) {
        rollcall.send(topic, ALICE, value, rollcall.now());
    }

    private byte[] good(String device) {
        return bytes(new Beat(beat(device, null, null)));
    }

    private byte[] bytes(Content content) {
        return java.util.Objects.requireNonNull(rollcall.bytes(content));
    }

    private static Heartbeat beat(String device, @Nullable Long leaseMs, @Nullable String shard) {
        return new Heartbeat(
                device,
                PresenceState.ONLINE,
                false,
                leaseMs == null ? OptionalLong.empty() : OptionalLong.of(leaseMs),
                shard);
    }

    @Test
    void shouldSayNothingOfAUserOfWhomOnlyBadRecordsCame() {
        send(HEARTBEATS, new byte[5]);
        rollcall.passTo(rollcall.now() + 60_000);
        assertThat(rollcall.emitted()).isEmpty();
        assertThat(rollcall.users().get(UserId.ofBytes(ALICE))).isNull();
    }
}
