package dev.rollcall.wire;

import static dev.rollcall.domain.UserSnapshot.NEVER;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.domain.Presence;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.domain.UserSnapshot.DeviceSnapshot;
import dev.rollcall.domain.UserSnapshot.Emitted;
import dev.rollcall.session.SessionId;
import dev.rollcall.store.v1.DeviceState;
import dev.rollcall.store.v1.Said;
import dev.rollcall.store.v1.StoredPresence;
import dev.rollcall.store.v1.TakenEarly;
import dev.rollcall.store.v1.UserState;
import dev.rollcall.v1.UserPresence;
import dev.rollcall.wire.stored.StoredSerialization;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What is written by hand beside what Avro writes of the same value: the same bytes. */
class AvroWriterTest {
    private static final PresenceState[] STATES = PresenceState.values();
    private final long seed = new Random().nextLong();
    private final Random random = new Random(seed);

    @Test
    void shouldWriteThePresenceThatAvroWrites() {
        for (int round = 0; round < 20_000; round++) {
            Presence presence = new Presence(
                    state(), random.nextBoolean() ? null : state(), textOrNull(), number(), numberOrNull(), number());
            assertThat(Serialization.presence(Format.OWN).serializer().serialize("presence", presence))
                    .as("seed %d, round %d, %s", seed, round, presence)
                    .isEqualTo(SingleObject.encode(byAvro(presence)));
        }
    }

    @Test
    void shouldWriteTheUserThatAvroWrites() {
        for (int round = 0; round < 20_000; round++) {
            UserSnapshot user = user();
            assertThat(StoredSerialization.userSnapshots().serializer().serialize("users", user))
                    .as("seed %d, round %d, %s", seed, round, user)
                    .isEqualTo(SingleObject.encode(byAvro(user)));
        }
    }

    /** Longer than the buffer, and each byte of a number's length. */
    @Test
    void shouldGrowWhenAValueIsLong() {
        for (int bits = 0; bits < 64; bits++) {
            Presence presence = new Presence(
                    PresenceState.IDLE, null, "é".repeat(bits * 20), 1L << bits, -1L << bits, (1L << bits) - 1);
            assertThat(Serialization.presence(Format.OWN).serializer().serialize("presence", presence))
                    .isEqualTo(SingleObject.encode(byAvro(presence)));
        }
    }

    private static UserPresence byAvro(Presence value) {
        return new UserPresence(
                dev.rollcall.v1.PresenceState.valueOf(value.state().name()),
                value.previousState() == null
                        ? null
                        : dev.rollcall.v1.PresenceState.valueOf(
                                value.previousState().name()),
                value.status(),
                Instant.ofEpochMilli(value.since()),
                value.lastActive() == null ? null : Instant.ofEpochMilli(value.lastActive()),
                value.sequence());
    }

    private static UserState byAvro(UserSnapshot user) {
        Emitted emitted = user.emitted();
        UserSnapshot.TakenEarly early = user.takenEarly();
        return new UserState(
                user.devices().stream().map(AvroWriterTest::byAvro).toList(),
                user.status().text(),
                user.status().expiresAt(),
                user.appearOffline(),
                emitted == null
                        ? null
                        : new Said(
                                stored(emitted.state()),
                                emitted.since(),
                                emitted.sequence(),
                                emitted.at() == emitted.since() ? null : (Long) emitted.at()),
                orNull(user.lastActive()),
                orNull(user.forgettableSince()),
                orNull(user.leftOnline()),
                orNull(user.leftIdle()),
                user.routingSequence(),
                user.clockAheadMs(),
                orNull(user.statusAt()),
                orNull(user.appearOfflineAt()),
                early == null ? null : new TakenEarly(early.offset(), early.stamp()));
    }

    private static DeviceState byAvro(DeviceSnapshot device) {
        SessionId session = device.session();
        return new DeviceState(
                device.id(),
                stored(device.state()),
                device.since(),
                device.lastRecord(),
                device.leaseMs(),
                device.connectionEnded(),
                device.deadline(),
                session == null ? device.shard() : session.shard(),
                session == null ? null : session.session(),
                session == null ? 0 : session.life());
    }

    private static StoredPresence stored(PresenceState state) {
        return StoredPresence.valueOf(state.name());
    }

    private static @Nullable Long orNull(long time) {
        return time == NEVER ? null : (Long) time;
    }

    // ---- random values ----

    private UserSnapshot user() {
        List<DeviceSnapshot> devices =
                Stream.generate(this::device).limit(random.nextInt(4)).toList();
        String text = textOrNull();
        return new UserSnapshot(
                devices,
                text == null ? StatusText.NONE : new StatusText(text, numberOrNull()),
                random.nextBoolean(),
                random.nextBoolean() ? null : emitted(),
                numberOrNever(),
                numberOrNever(),
                numberOrNever(),
                numberOrNever(),
                numberOrNever(),
                numberOrNever(),
                number(),
                number(),
                random.nextBoolean() ? null : new UserSnapshot.TakenEarly(number(), number()));
    }

    private Emitted emitted() {
        long since = number();
        return new Emitted(state(), since, random.nextBoolean() ? since : number(), number());
    }

    private DeviceSnapshot device() {
        return DeviceSnapshot.stored(
                text(),
                state(),
                number(),
                number(),
                number(),
                random.nextBoolean(),
                number(),
                textOrNull(),
                random.nextBoolean() ? null : new SessionId(text(), text(), random.nextInt()));
    }

    private PresenceState state() {
        return STATES[random.nextInt(STATES.length)];
    }

    private long number() {
        return random.nextLong() >> random.nextInt(64);
    }

    private @Nullable Long numberOrNull() {
        return random.nextBoolean() ? null : (Long) number();
    }

    private long numberOrNever() {
        return random.nextBoolean() ? NEVER : number();
    }

    private @Nullable String textOrNull() {
        return random.nextInt(3) == 0 ? null : text();
    }

    /** Of characters of one to four bytes. */
    private String text() {
        StringBuilder text = new StringBuilder();
        for (int left = random.nextInt(40); left > 0; left--) {
            int kind = random.nextInt(20);
            text.appendCodePoint(kind < 17 ? 'a' + kind : kind == 17 ? 'é' : kind == 18 ? '語' : 0x1F600);
        }
        return text.toString();
    }
}
