package dev.rollcall.memory;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.domain.Decision;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.UserId;
import dev.rollcall.domain.UserSnapshot;
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
    private static final int OFFSET = 13;
    private static final UserCodec CODEC = new UserCodec(RandomUsers.SESSIONS);

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
            byte[] before = pack(user, bucket);
            Heartbeat heartbeat = random.heartbeat();
            PartitionClock clock = random.clock(now);
            long stamp = clock.stampOf(now) + random.below(40_000) - 20_000;
            long at = clock.advance(stamp);

            User slow = random.with(clock, user);
            slow.expire();
            Decision decision = slow.takeDecision(slow.heartbeat(heartbeat, at, stamp));
            byte[] inPlace = before.clone();
            if (Renewal.apply(at(inPlace), heartbeat, at, stamp, clock, RandomUsers.RULES)) {
                renewed++;
                assertThat(decision).as("seed %d, round %d", seed, round).isEqualTo(Decision.NOTHING);
                assertThat(inPlace).as("seed %d, round %d", seed, round).isEqualTo(pack(slow, bucket));
                assertThat(at(inPlace).nextDeadline(clock))
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
        User user = new User(UserId.of("alice"), UserSnapshot.EMPTY, RandomUsers.scope(noon));
        user.heartbeat(new Heartbeat("A", null, false, OptionalLong.empty(), shard), START, START);
        user.takeDecision(null);
        byte[] packed = pack(user, Deadlines.NONE);

        Heartbeat poll = new Heartbeat("A", null, false, OptionalLong.empty(), shard);
        assertThat(Renewal.apply(at(packed), poll, START + 1, START + 1, noon, RandomUsers.RULES))
                .isFalse(); // in no bucket yet
        packed = pack(user, START / 1_000);
        assertThat(Renewal.apply(at(packed), poll, START + 10_000, START + 10_000, noon, RandomUsers.RULES))
                .isTrue();
        assertThat(at(packed).nextDeadline(noon)).isEqualTo(START + 40_000);
    }

    /** Somewhere in an array, as in a slab. */
    private static byte[] pack(User user, long bucket) {
        PackedUser packed = CODEC.pack(user.id(), user.snapshot(), bucket, false);
        byte[] bytes = new byte[OFFSET + packed.length()];
        System.arraycopy(packed.bytes(), packed.start(), bytes, OFFSET, packed.length());
        return bytes;
    }

    private static PackedUser at(byte[] bytes) {
        return new PackedUser().wrap(bytes, OFFSET);
    }
}
