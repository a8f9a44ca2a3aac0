package dev.rollcall.memory;

import static dev.rollcall.domain.PresenceState.ONLINE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.UserId;
import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.domain.user.User;
import dev.rollcall.time.PartitionClock;
import java.util.OptionalLong;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Whether a packed user is the user, and the flyweight reads what the codec wrote. */
class UserCodecTest {
    private static final long START = RandomUsers.START;
    private static final UserCodec CODEC = new UserCodec(RandomUsers.SESSIONS);

    @Test
    void shouldBeTheSameWhenPackedAndUnpacked() {
        long seed = new Random().nextLong();
        RandomUsers random = new RandomUsers(seed);
        for (int round = 0; round < 1_000; round++) {
            User user = random.user(START);
            PackedUser packed = CODEC.pack(user.id(), user.snapshot(), round, round % 2 == 0);

            assertThat(CODEC.unpack(packed))
                    .as("seed %d, round %d", seed, round)
                    .usingRecursiveComparison()
                    .ignoringFields("clockAheadMs")
                    .isEqualTo(user.snapshot());
            PartitionClock clock = random.clock(START);
            assertThat(packed.nextDeadline(clock))
                    .isEqualTo(random.with(clock, user).nextDeadline());
            assertThat(packed.bucket()).isEqualTo(round);
            assertThat(packed.isUnstored()).isEqualTo(round % 2 == 0);
            assertThat(packed.appearsOffline()).isEqualTo(user.appearsOffline());
            assertThat(packed.id()).isEqualTo(user.id());
            assertThat(packed.hasId(user.id())).isTrue();
            assertThat(packed.hasId(UserId.of("bob"))).isFalse();
        }
    }

    @Test
    void shouldFailWhenAnIdIsLongerThanTheContractAllows() {
        User user = new User(UserId.of("alice"), UserSnapshot.EMPTY, RandomUsers.scope(new PartitionClock()));
        user.heartbeat(new Heartbeat("é".repeat(128), ONLINE, false, OptionalLong.empty(), null), START, START);
        assertThatThrownBy(() -> CODEC.pack(user.id(), user.snapshot(), Deadlines.NONE, false))
                .hasMessageContaining("more than 255 bytes");
    }
}
