package dev.rollcall.domain;

import static dev.rollcall.domain.PresenceState.IDLE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.OptionalLong;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whether a packed user is the user, and what is done to it in place is what {@link User} would have done. */
class PackedUserTest {
    private static final PresenceRules RULES =
            new PresenceRules(30_000, 5_000, 86_400_000, 64, 15_000, 60_000, 20_000, 3_000, 9, true);
    private static final long START = 1_700_000_000_000L;
    private static final List<String> DEVICES = List.of("phone", "QJXKZPWRTB", "télé", "日本", "x".repeat(255));
    private static final List<String> TEXTS = List.of("here", "là-bas 🏝", "y".repeat(1024));

    private static final PartitionClock NOON = clock(new Random(0), START);

    private final Shards shards = new Shards(RULES);

    /** Packed users that random inputs made, and a random heartbeat for each: in place, and by way of {@link User}. */
    @Test
    void shouldDoWhatAUserDoesWhenAHeartbeatChangesNothing() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        int renewed = 0;
        for (int round = 0; round < 40_000; round++) {
            long now = START + random.nextInt(100_000);
            byte[] before = PackedUser.pack(randomUser(random, now));
            Heartbeat heartbeat = randomHeartbeat(random);
            PartitionClock clock = clock(random, now);
            long stamp = clock.stampOf(now) + random.nextInt(-20_000, 20_000);
            long at = clock.advance(stamp);

            User slow = PackedUser.unpack(before, RULES);
            slow.settle(clock, shards);
            Decision decision = slow.conclude(slow.heartbeat(heartbeat, at, stamp, clock, shards), clock);
            byte[] inPlace = before.clone();
            if (PackedUser.renew(inPlace, heartbeat, at, stamp, clock, RULES)) {
                renewed++;
                assertThat(decision).as("seed %d, round %d", seed, round).isEqualTo(Decision.NOTHING);
                assertThat(inPlace).as("seed %d, round %d", seed, round).isEqualTo(PackedUser.pack(slow));
                assertThat(PackedUser.nextDeadline(inPlace, clock))
                        .isEqualTo(slow.nextDeadline(clock))
                        .isGreaterThanOrEqualTo(Deadlines.startOf(PackedUser.bucket(inPlace)));
            } else {
                assertThat(inPlace).as("seed %d, round %d", seed, round).isEqualTo(before);
            }
        }
        assertThat(renewed).as("how many changed nothing, seed %d", seed).isGreaterThan(100);
    }

    @Test
    void shouldBeTheSameWhenPackedAndUnpacked() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        for (int round = 0; round < 1_000; round++) {
            User user = randomUser(random, START);
            byte[] packed = PackedUser.pack(user);
            User back = PackedUser.unpack(packed, RULES);

            assertThat(back)
                    .as("seed %d, round %d", seed, round)
                    .usingRecursiveComparison()
                    .isEqualTo(user);
            PartitionClock clock = clock(random, START);
            assertThat(PackedUser.nextDeadline(packed, clock)).isEqualTo(user.nextDeadline(clock));
            assertThat(PackedUser.isHidden(packed)).isEqualTo(user.hidden);
            assertThat(PackedUser.is(packed, user.id.bytes())).isTrue();
            assertThat(PackedUser.is(packed, UserId.of("bob").bytes())).isFalse();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "shard-1"})
    void shouldBeRenewedInPlaceWhenADeviceJustPolls(String shardOrNone) {
        String shard = shardOrNone.isEmpty() ? null : shardOrNone;
        User user = new User(UserId.of("alice"), RULES);
        user.heartbeat(new Heartbeat("A", null, false, OptionalLong.empty(), shard), START, START, NOON, shards);
        user.conclude(null, NOON);
        byte[] packed = PackedUser.pack(user);

        Heartbeat poll = new Heartbeat("A", null, false, OptionalLong.empty(), shard);
        assertThat(PackedUser.renew(packed, poll, START + 1, START + 1, NOON, RULES))
                .isFalse(); // in no bucket yet
        user.bucket = START / 1_000;
        packed = PackedUser.pack(user);
        assertThat(PackedUser.renew(packed, poll, START + 10_000, START + 10_000, NOON, RULES))
                .isTrue();
        assertThat(PackedUser.nextDeadline(packed, NOON)).isEqualTo(START + 40_000);
    }

    @Test
    void shouldSayNoWhenAnIdIsLongerThanTheContractAllows() {
        User user = new User(UserId.of("alice"), RULES);
        Heartbeat tooLong = new Heartbeat("é".repeat(128), ONLINE, false, OptionalLong.empty(), null);
        user.heartbeat(tooLong, START, START, NOON, shards);
        assertThatThrownBy(() -> PackedUser.pack(user)).hasMessageContaining("more than 255 bytes");
    }

    /** A clock that has just ticked, and mostly has stepped back before. */
    private static PartitionClock clock(Random random, long now) {
        PartitionClock clock = new PartitionClock();
        clock.advance(now);
        clock.tick(now - random.nextInt(3) * 1_000L);
        return clock;
    }

    private User randomUser(Random random, long now) {
        User user = new User(UserId.of("@alice" + "é".repeat(random.nextInt(100))), RULES);
        for (int inputs = random.nextInt(1, 12); inputs > 0; inputs--) {
            long at = now - random.nextInt(40_000);
            PartitionClock clock = clock(random, at);
            switch (random.nextInt(8)) {
                case 0 -> user.status(new StatusText(pick(random, TEXTS), at + random.nextInt(60_000)), at, at, clock);
                case 1 -> user.status(new StatusText(pick(random, TEXTS), null), at, at, clock);
                case 2 -> user.appearOffline(random.nextBoolean(), at, at, clock);
                case 3 -> user.settle(clock, shards);
                default -> user.heartbeat(randomHeartbeat(random), at, at, clock, shards);
            }
            if (random.nextBoolean()) {
                user.conclude(null, NOON);
            }
        }
        user.conclude(null, NOON);
        long next = user.nextDeadline(new PartitionClock()); // stamps have not stepped back: none is sooner than that
        user.bucket = next == Long.MAX_VALUE ? Deadlines.NONE : Math.floorDiv(next - random.nextInt(30_000), 250L);
        return user;
    }

    private static Heartbeat randomHeartbeat(Random random) {
        return new Heartbeat(
                pick(random, DEVICES),
                random.nextInt(3) > 0 ? null : random.nextBoolean() ? ONLINE : IDLE,
                random.nextInt(8) == 0,
                random.nextInt(3) > 0 ? OptionalLong.empty() : OptionalLong.of(random.nextInt(1, 60_000)),
                random.nextInt(3) > 0 ? "shard-1" : random.nextBoolean() ? "é" : null);
    }

    private static <T> T pick(Random random, List<T> all) {
        return all.get(random.nextInt(all.size()));
    }
}
