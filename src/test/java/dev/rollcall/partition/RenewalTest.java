package dev.rollcall.partition;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.domain.Decision;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.UserId;
import dev.rollcall.domain.user.User;
import dev.rollcall.time.PartitionClock;
import java.util.OptionalLong;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whether what is done to a packed user in place is what {@link User} would have done. */
class RenewalTest {
    private static final long START = RandomUsers.START;

    /** Packed users that random inputs made, and a random heartbeat for each: in place, and by way of {@link User}. */
    @Test
    void shouldDoWhatAUserDoesWhenAHeartbeatChangesNothing() {
        long seed = new Random().nextLong();
        RandomUsers random = new RandomUsers(seed);
        int renewed = 0;
        for (int round = 0; round < 40_000; round++) {
            long now = START + random.below(100_000);
            User user = random.user(now);
            long bucket = random.bucketOf(user);
            byte[] before = UserCodec.pack(user.id(), user.snapshot(), bucket, false, RandomUsers.SESSIONS);
            Heartbeat heartbeat = random.heartbeat();
            PartitionClock clock = random.clock(now);
            long stamp = clock.stampOf(now) + random.below(40_000) - 20_000;
            long at = clock.advance(stamp);

            User slow = random.with(clock, user);
            slow.expire();
            Decision decision = slow.takeDecision(slow.heartbeat(heartbeat, at, stamp));
            byte[] inPlace = before.clone();
            if (Renewal.apply(inPlace, heartbeat, at, stamp, clock, RandomUsers.RULES)) {
                renewed++;
                assertThat(decision).as("seed %d, round %d", seed, round).isEqualTo(Decision.NOTHING);
                assertThat(inPlace)
                        .as("seed %d, round %d", seed, round)
                        .isEqualTo(UserCodec.pack(slow.id(), slow.snapshot(), bucket, false, RandomUsers.SESSIONS));
                assertThat(PackedUser.nextDeadline(inPlace, clock))
                        .isEqualTo(slow.nextDeadline())
                        .isGreaterThanOrEqualTo(Deadlines.startOf(bucket));
            } else {
                assertThat(inPlace).as("seed %d, round %d", seed, round).isEqualTo(before);
            }
        }
        assertThat(renewed).as("how many changed nothing, seed %d", seed).isGreaterThan(100);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "shard-1"})
    void shouldBeInPlaceWhenADeviceJustPolls(String shardOrNone) {
        String shard = shardOrNone.isEmpty() ? null : shardOrNone;
        PartitionClock noon = new RandomUsers(0).clock(START);
        User user = new User(UserId.of("alice"), RandomUsers.scope(noon));
        user.heartbeat(new Heartbeat("A", null, false, OptionalLong.empty(), shard), START, START);
        user.takeDecision(null);
        byte[] packed = UserCodec.pack(user.id(), user.snapshot(), Deadlines.NONE, false, RandomUsers.SESSIONS);

        Heartbeat poll = new Heartbeat("A", null, false, OptionalLong.empty(), shard);
        assertThat(Renewal.apply(packed, poll, START + 1, START + 1, noon, RandomUsers.RULES))
                .isFalse(); // in no bucket yet
        packed = UserCodec.pack(user.id(), user.snapshot(), START / 1_000, false, RandomUsers.SESSIONS);
        assertThat(Renewal.apply(packed, poll, START + 10_000, START + 10_000, noon, RandomUsers.RULES))
                .isTrue();
        assertThat(PackedUser.nextDeadline(packed, noon)).isEqualTo(START + 40_000);
    }
}
