package dev.rollcall.memory;

import static dev.rollcall.domain.PresenceState.IDLE;
import static dev.rollcall.domain.PresenceState.ONLINE;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceRules;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.domain.user.PartitionScope;
import dev.rollcall.domain.user.Shards;
import dev.rollcall.domain.user.User;
import dev.rollcall.session.Sessions;
import dev.rollcall.session.ShardHeartbeat;
import dev.rollcall.time.PartitionClock;
import java.util.List;
import java.util.OptionalLong;
import java.util.Random;

/** Users as random inputs make them. */
final class RandomUsers {
    static final PresenceRules RULES =
            new PresenceRules(30_000, 5_000, 86_400_000, 64, 15_000, 60_000, 30_000, 15_000, 20_000, 3_000, 9, true);
    static final long START = 1_700_000_000_000L;

    /** Of which one was heard, and the others not. */
    static final Sessions SESSIONS = new Sessions(RULES.sessions(), new PartitionClock());

    static {
        SESSIONS.heard(new ShardHeartbeat("shard-1", "heard", START, OptionalLong.of(3_600_000), false), START);
    }

    private static final List<String> DEVICES = List.of("phone", "QJXKZPWRTB", "télé", "日本", "x".repeat(255));
    private static final List<String> TEXTS = List.of("here", "là-bas 🏝", "y".repeat(1024));

    private final Random random;

    RandomUsers(long seed) {
        random = new Random(seed);
    }

    static PartitionScope scope(PartitionClock clock) {
        return new PartitionScope(RULES, clock, new Shards(RULES), SESSIONS);
    }

    int below(int bound) {
        return random.nextInt(bound);
    }

    /** A clock that has just ticked, and mostly has stepped back before. */
    PartitionClock clock(long now) {
        PartitionClock clock = new PartitionClock();
        clock.advance(now);
        clock.tick(now - random.nextInt(3) * 1_000L);
        return clock;
    }

    User user(long now) {
        User user =
                new User(UserId.of("@alice" + "é".repeat(random.nextInt(100))), UserSnapshot.EMPTY, scope(clock(now)));
        for (int inputs = random.nextInt(1, 12); inputs > 0; inputs--) {
            long at = now - random.nextInt(40_000);
            user = with(clock(at), user);
            switch (random.nextInt(9)) {
                case 0 -> user.status(new StatusText(pick(TEXTS), at + random.nextInt(60_000)), null, at);
                case 1 -> user.status(new StatusText(pick(TEXTS), null), null, at);
                case 2 -> user.appearOffline(random.nextBoolean(), at);
                case 3 -> user.expire();
                case 4 -> user.takenEarly(new UserSnapshot.TakenEarly(random.nextLong(Long.MAX_VALUE), at));
                default -> user.heartbeat(heartbeat(), at, at);
            }
            user.takeDecision(null);
        }
        return user;
    }

    /** The same user on a partition with that clock. */
    User with(PartitionClock clock, User user) {
        return new User(user.id(), user.snapshot(), scope(clock));
    }

    /** One in which the user could be, having been there for a while. */
    long bucketOf(User user) {
        long next = with(new PartitionClock(), user)
                .nextDeadline(); // stamps have not stepped back: none is sooner than that
        return next == Long.MAX_VALUE ? Deadlines.NONE : Math.floorDiv(next - random.nextInt(30_000), 250L);
    }

    Heartbeat heartbeat() {
        String shard = random.nextInt(3) > 0 ? "shard-1" : random.nextBoolean() ? "é" : null;
        String session = shard != null && random.nextInt(4) == 0 ? pick(List.of("heard", "unheard")) : null;
        return new Heartbeat(
                pick(DEVICES),
                random.nextInt(3) > 0 ? null : random.nextBoolean() ? ONLINE : IDLE,
                random.nextInt(8) == 0,
                random.nextInt(3) > 0 ? OptionalLong.empty() : OptionalLong.of(random.nextInt(1, 60_000)),
                shard,
                session);
    }

    private <T> T pick(List<T> all) {
        return all.get(random.nextInt(all.size()));
    }
}
