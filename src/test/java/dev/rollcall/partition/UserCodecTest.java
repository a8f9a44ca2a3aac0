package dev.rollcall.partition;

import static dev.rollcall.domain.PresenceState.ONLINE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.UserId;
import dev.rollcall.domain.user.User;
import dev.rollcall.time.PartitionClock;
import java.util.OptionalLong;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Whether a packed user is the user, and the flyweight reads what the codec wrote. */
class UserCodecTest {
    private static final long START = RandomUsers.START;

    @Test
    void shouldBeTheSameWhenPackedAndUnpacked() {
        long seed = new Random().nextLong();
        RandomUsers random = new RandomUsers(seed);
        for (int round = 0; round < 1_000; round++) {
            User user = random.user(START);
            byte[] packed = UserCodec.pack(user.id(), user.snapshot(), round, round % 2 == 0, RandomUsers.SESSIONS);

            assertThat(UserCodec.unpack(packed, RandomUsers.SESSIONS))
                    .as("seed %d, round %d", seed, round)
                    .usingRecursiveComparison()
                    .ignoringFields("clockAheadMs")
                    .isEqualTo(user.snapshot());
            PartitionClock clock = random.clock(START);
            assertThat(PackedUser.nextDeadline(packed, clock))
                    .isEqualTo(random.with(clock, user).nextDeadline());
            assertThat(PackedUser.bucket(packed)).isEqualTo(round);
            assertThat(PackedUser.appearsOffline(packed)).isEqualTo(user.appearsOffline());
            assertThat(PackedUser.id(packed)).isEqualTo(user.id());
            assertThat(PackedUser.hasId(packed, user.id())).isTrue();
            assertThat(PackedUser.hasId(packed, UserId.of("bob"))).isFalse();
        }
    }

    @Test
    void shouldFailWhenAnIdIsLongerThanTheContractAllows() {
        User user = new User(UserId.of("alice"), RandomUsers.scope(new PartitionClock()));
        user.heartbeat(new Heartbeat("é".repeat(128), ONLINE, false, OptionalLong.empty(), null), START, START);
        assertThatThrownBy(
                        () -> UserCodec.pack(user.id(), user.snapshot(), Deadlines.NONE, false, RandomUsers.SESSIONS))
                .hasMessageContaining("more than 255 bytes");
    }
}
