package dev.rollcall.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rollcall.domain.Rejection.Reason;
import dev.rollcall.v1.AppearOffline;
import dev.rollcall.v1.ClockPulse;
import dev.rollcall.v1.DeviceHeartbeat;
import dev.rollcall.v1.RoutingView;
import dev.rollcall.v1.UserPresence;
import dev.rollcall.v1.UserStatus;
import dev.rollcall.wire.Inbound.Rejected;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Random;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.apache.kafka.common.errors.SerializationException;
import org.junit.jupiter.api.Test;

/** Bytes made to do harm: they are refused, and nothing is thrown that a thread would end of, or allocated that they claim. */
class HostileBytesTest {
    private static final Topics TOPICS = Topics.ofContract();
    private static final List<Schema> SCHEMAS = List.of(
            DeviceHeartbeat.getClassSchema(),
            ClockPulse.getClassSchema(),
            UserStatus.getClassSchema(),
            AppearOffline.getClassSchema(),
            UserPresence.getClassSchema(),
            RoutingView.getClassSchema());

    /** Of what follows, if it is a string, its length; if it is an array, how many items it has. */
    private static final List<Long> CLAIMS = List.of(
            -1L,
            Long.MIN_VALUE,
            Long.MIN_VALUE + 1,
            Long.MAX_VALUE,
            Integer.MAX_VALUE - 8L,
            (long) Integer.MAX_VALUE,
            1L << 31,
            1L << 30,
            1L << 40);

    @Test
    void shouldRefuseWhenALengthIsClaimedThatIsNotThere() {
        for (Schema schema : SCHEMAS) {
            for (long claim : CLAIMS) {
                for (int zeros = 0; zeros < 8; zeros++) {
                    expectUndecodable(record(schema, new byte[zeros], varint(claim)));
                    expectUndecodable(record(schema, new byte[] {2}, new byte[zeros], varint(claim)));
                }
            }
        }
    }

    /** A routing view without a text is three zeros and the count of its devices: 2^31 of them would be 8 GB. */
    @Test
    void shouldRefuseWhenAnArrayClaimsMoreItemsThanThereAreBytes() {
        for (long items : List.of(1_000L, 1L << 30, Integer.MAX_VALUE - 8L)) {
            byte[] view = record(RoutingView.getClassSchema(), new byte[3], varint(items), new byte[100]);
            expectUndecodable(view);
            byte[] negative =
                    record(RoutingView.getClassSchema(), new byte[3], varint(-items), varint(1), new byte[100]);
            expectUndecodable(negative);
            assertThatThrownBy(() -> TOPICS.routing().values().deserializer().deserialize("presence-routing", view))
                    .isInstanceOf(SerializationException.class);
        }
    }

    @Test
    void shouldRefuseWhenANumberDoesNotEnd() {
        byte[] endless = new byte[100_000];
        java.util.Arrays.fill(endless, (byte) 0xFF);
        for (Schema schema : SCHEMAS) {
            expectUndecodable(record(schema, endless));
        }
    }

    @Test
    void shouldSurviveAnyBytesBehindAnyFingerprint() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        for (int round = 0; round < 20_000; round++) {
            byte[] body = new byte[random.nextInt(40)];
            random.nextBytes(body);
            for (int i = 0; i < body.length; i++) {
                body[i] = random.nextBoolean() ? (byte) random.nextInt(6) : body[i];
            }
            byte[] value = record(SCHEMAS.get(random.nextInt(SCHEMAS.size())), body);
            for (Topic<?, Inbound> topic : TOPICS.inputs()) {
                assertThat(topic.values().deserializer().deserialize(topic.name(), value))
                        .as("seed %d, round %d", seed, round)
                        .isNotNull();
            }
        }
    }

    /** Nobody but Rollcall writes there; if somebody did, a reader is told in the one way that it knows. */
    @Test
    void shouldFailAsAValueThatCannotBeReadWhenPresenceIsNotPresence() {
        byte[] flag = SingleObject.encode(new AppearOffline(true));
        assertThatThrownBy(() -> TOPICS.presence().values().deserializer().deserialize("presence", flag))
                .isInstanceOf(SerializationException.class);
        // OFFLINE, no state before, the text 0xE9, since and the rest 0
        byte[] illFormed = record(UserPresence.getClassSchema(), new byte[] {0, 0, 2, 2, (byte) 0xE9, 0, 0, 0});
        assertThatThrownBy(() -> TOPICS.presence().values().deserializer().deserialize("presence", illFormed))
                .isInstanceOf(SerializationException.class)
                .hasMessageContaining("status");
    }

    private static void expectUndecodable(byte[] value) {
        for (Topic<?, Inbound> topic : TOPICS.inputs()) {
            Inbound read = topic.values().deserializer().deserialize(topic.name(), value);
            if (read.content() instanceof Rejected bad) {
                assertThat(bad.rejection().reason()).isNotEqualTo(Reason.UNKNOWN_SCHEMA);
                assertThat(bad.rejection().detail().length()).isLessThan(1_000);
            }
        }
    }

    private static byte[] record(Schema schema, byte[]... parts) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(new byte[] {(byte) 0xC3, 1});
        bytes.writeBytes(ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(SchemaNormalization.parsingFingerprint64(schema))
                .array());
        for (byte[] part : parts) {
            bytes.writeBytes(part);
        }
        return bytes.toByteArray();
    }

    private static byte[] varint(long number) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        long rest = (number << 1) ^ (number >> 63);
        while ((rest & ~0x7FL) != 0) {
            bytes.write((int) ((rest & 0x7F) | 0x80));
            rest >>>= 7;
        }
        bytes.write((int) rest);
        return bytes.toByteArray();
    }
}
