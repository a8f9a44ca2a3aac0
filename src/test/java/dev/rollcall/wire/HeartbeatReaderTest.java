package dev.rollcall.wire;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.v1.DeviceHeartbeat;
import java.util.Arrays;
import java.util.OptionalLong;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The fast reader beside Avro's own: it reads the same, or leaves it. */
class HeartbeatReaderTest {
    private static final SingleObject AVRO = new SingleObject(DeviceHeartbeat.getClassSchema());
    private static final PresenceState[] STATES = PresenceState.values();

    @Test
    void shouldReadWhatWasWrittenWhenTheIdsAreAscii() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        for (int round = 0; round < 10_000; round++) {
            Heartbeat heartbeat = heartbeat(random, 'z');
            assertThat(HeartbeatReader.read(SingleObject.encode(Wire.toAvro(heartbeat))))
                    .as("seed %d, round %d", seed, round)
                    .isEqualTo(heartbeat);
        }
    }

    /** Bytes changed, cut off, added: whatever it still reads, Avro reads too, and {@link Wire} lets pass. */
    @Test
    void shouldReadWhatAvroReadsOrLeaveItWhenBytesAreWrong() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        int read = 0;
        for (int round = 0; round < 200_000; round++) {
            byte[] bytes = damage(random, SingleObject.encode(Wire.toAvro(heartbeat(random, 'é'))));
            Heartbeat fast = HeartbeatReader.read(bytes);
            if (fast != null) {
                read++;
                assertThat(fast).as("seed %d, round %d", seed, round).isEqualTo(readByAvro(bytes));
            }
        }
        assertThat(read).as("how many could still be read, seed %d", seed).isGreaterThan(10_000);
    }

    @Test
    void shouldLeaveItWhenAnIdIsNotAscii() {
        Heartbeat heartbeat = new Heartbeat("télé", null, false, OptionalLong.empty(), null);
        assertThat(HeartbeatReader.read(SingleObject.encode(Wire.toAvro(heartbeat))))
                .isNull();
    }

    private static Heartbeat readByAvro(byte[] bytes) {
        try {
            return Wire.toDomain((DeviceHeartbeat) AVRO.decode(bytes));
        } catch (UnreadableException e) {
            throw new AssertionError("Avro does not read it", e);
        }
    }

    private static Heartbeat heartbeat(Random random, char last) {
        return new Heartbeat(
                id(random, last),
                random.nextBoolean() ? null : STATES[random.nextInt(STATES.length)],
                random.nextBoolean(),
                random.nextBoolean() ? OptionalLong.empty() : OptionalLong.of(random.nextLong(1, 86_400_001)),
                random.nextBoolean() ? null : id(random, last));
    }

    private static String id(Random random, char last) {
        int length = random.nextInt(10) == 0 ? random.nextInt(1, 128) : random.nextInt(1, 12);
        char[] id = new char[length];
        for (int i = 0; i < length; i++) {
            id[i] = (char) random.nextInt('a', 'z' + 1);
        }
        id[length - 1] = random.nextInt(4) == 0 ? last : 'a';
        return new String(id);
    }

    private static byte[] damage(Random random, byte[] bytes) {
        switch (random.nextInt(4)) {
            case 0 -> bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            case 1 -> bytes[random.nextInt(SingleObject.HEADER_BYTES, bytes.length)] ^= (byte) (1 << random.nextInt(8));
            case 2 -> bytes = Arrays.copyOf(bytes, random.nextInt(bytes.length + 3));
            default -> {}
        }
        return bytes;
    }
}
