package dev.rollcall.partition;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.domain.Decision;
import dev.rollcall.domain.Decision.StoreWrite;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceRules;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.session.ShardHeartbeat;
import dev.rollcall.session.StoredShard;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is kept in memory is bounded by who is there, and not by all who ever were. */
class GrowthTest {
    private static final PresenceRules RULES = new PresenceRules(
            30_000,
            5_000,
            2 * 86_400_000L,
            64,
            15_000,
            60_000,
            30_000,
            15_000,
            300_000,
            86_400_000L,
            Integer.MAX_VALUE,
            false);
    private static final long START = 1_700_000_000_000L;
    private static final long DAY_MS = 86_400_000;
    private static final int MONTHS = 3;
    private static final int A_DAY = 3_000;

    private final Map<UserId, UserSnapshot> stored = new HashMap<>();
    private final PresencePartition presence = new PresencePartition(RULES, stored::get);
    private long time = START;

    /** Every record names another user, another shard, another lease and another text that expires another day. */
    @Test
    void shouldHoldNothingMoreThanBeforeWhenMonthsOfDevicesShardsAndTextsHaveGone() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        int most = 0;
        for (int day = 0; day < 30 * MONTHS; day++) {
            for (int i = 0; i < A_DAY; i++) {
                time += DAY_MS / A_DAY;
                UserId user = UserId.of("user-" + day + "-" + i);
                String name = day + "-" + i;
                long lease = 1 + random.nextLong(i % 100 == 0 ? DAY_MS : 60_000);
                heartbeat(user, "device-" + name, lease, "shard-" + name);
                status(user, new StatusText("text", time + random.nextLong(365 * DAY_MS)));
                status(user, StatusText.NONE);
                tick();
            }
            most = Math.max(most, presence.entries());
        }
        assertThat(most).as("seed %d: entries of any kind on any evening", seed).isLessThan(3 * A_DAY);

        for (long end = time + 2 * DAY_MS; time < end; time += 60_000) {
            tick();
        }
        assertThat(presence.entries()).as("seed %d: entries in the end", seed).isZero();
        assertThat(presence.needsClockTicks()).isFalse();
    }

    @Test
    void shouldNeitherStayInMemoryNorNeedTicksWhenATextExpiresInAYear() {
        UserId user = UserId.of("alice");
        long expiry = START + 365 * DAY_MS;
        status(user, new StatusText("sabbatical", expiry));
        assertThat(presence.needsClockTicks()).isFalse();

        heartbeat(user, "A", 30_000, "shard");
        tick();
        time += 60_000;
        tick();
        time += 120_000;
        tick();
        assertThat(presence.entries()).isZero();

        time = expiry - DAY_MS;
        tick();
        carryOut(user, presence.review(user)); // the walk through the store has found the user
        assertThat(presence.needsClockTicks()).isTrue();
        time = expiry + 1;
        tick();
        assertThat(stored.get(user))
                .isNotNull()
                .extracting(UserSnapshot::status)
                .isEqualTo(StatusText.NONE);
        assertThat(presence.entries()).isZero();
    }

    @Test
    void shouldHoldNothingOfFarTextsWhenThePartitionIsTakenOver() {
        for (int i = 0; i < 10_000; i++) {
            status(UserId.of("user-" + i), new StatusText("x", START + 30 * DAY_MS + i * 60_000L));
        }
        PresencePartition next = new PresencePartition(RULES, stored::get);
        stored.forEach(next::restore);
        next.tick(START + 1_000);
        assertThat(next.entries()).isZero();
    }

    @Test
    void shouldHoldOneEntryWhenOneUserSetsAndClearsATextAgainAndAgain() {
        UserId user = UserId.of("alice");
        for (int i = 0; i < 100_000; i++) {
            status(user, new StatusText("x", time + DAY_MS + i % 7));
            status(user, StatusText.NONE);
        }
        assertThat(presence.entries()).isLessThan(100);
    }

    @Test
    void shouldRememberABoundedNumberOfShardsWhenSomebodyMakesUpNames() {
        Map<String, StoredShard> rows = new HashMap<>();
        int most = 0;
        for (int i = 0; i < 200_000; i++) {
            String session = "session-" + i % 10;
            shardHeartbeat(i % 2 == 0 ? "shard-" + i : "one", i % 3 == 0 ? session : "made up " + i, time - i, rows);
            time++;
            if (i % 1_000 == 0) {
                tick();
                most = Math.max(most, presence.entries());
            }
        }
        assertThat(most).isLessThan(40_000);
        assertThat(rows).hasSizeLessThan(11_000);

        for (long end = time + 2 * 3_600_000; time < end; time += 1_000) {
            tick();
        }
        drainShards(rows);
        assertThat(presence.entries()).isZero();
        assertThat(rows).isEmpty();
        assertThat(presence.needsClockTicks()).isFalse();
    }

    @Test
    void shouldHoldNothingOfForgottenSessionsWhenTheyNamedALongLease() {
        for (int i = 0; i < 200_000; i++) {
            String shard = i % 2 == 0 ? "shard-" + i : "one";
            presence.shardHeartbeat(
                    new ShardHeartbeat(shard, "session " + i, time + i, OptionalLong.of(3_600_000), false), time++);
            presence.drainShards((name, stored) -> {});
        }
        assertThat(presence.entries()).isLessThan(40_000);
    }

    /** A broker refuses a row of more than 1 MiB, and that would end the processor. */
    @Test
    void shouldStoreABoundedRowWhenAShardIsStartedAgainAndAgainAndHasDevicesEachTime() {
        Map<String, StoredShard> rows = new HashMap<>();
        for (int i = 0; i < 5_000; i++) {
            openInSession(i);
            shardHeartbeat("S", "session-" + i, i, rows);
            time++;
        }
        assertThat(Objects.requireNonNull(rows.get("S")).sessions()).hasSizeLessThan(100);
    }

    @Test
    @Timeout(20)
    void shouldNotSlowDownWhenEachConnectionNamesASessionOfItsOwn() {
        for (int i = 0; i < 100_000; i++) {
            openInSession(i);
        }
        for (long end = time + 100_000; time < end; time += 1_000) {
            tick();
        }
        assertThat(presence.entries()).isZero();
    }

    private void openInSession(int i) {
        Heartbeat open = new Heartbeat("A", PresenceState.ONLINE, false, OptionalLong.empty(), "S", "session-" + i);
        carryOut(UserId.of("user-" + i), presence.heartbeat(UserId.of("user-" + i), open, time));
    }

    private void shardHeartbeat(String shard, String session, long startedAt, Map<String, StoredShard> rows) {
        presence.shardHeartbeat(new ShardHeartbeat(shard, session, startedAt, OptionalLong.empty(), false), time);
        drainShards(rows);
    }

    private void drainShards(Map<String, StoredShard> rows) {
        presence.drainShards((name, stored) -> {
            if (stored == null) {
                rows.remove(name);
            } else {
                rows.put(name, stored);
            }
        });
    }

    private void heartbeat(UserId user, String device, long lease, String shard) {
        Heartbeat heartbeat = new Heartbeat(device, PresenceState.ONLINE, false, OptionalLong.of(lease), shard);
        carryOut(user, presence.heartbeat(user, heartbeat, time));
    }

    private void status(UserId user, StatusText text) {
        carryOut(user, presence.status(user, text, time));
    }

    private void tick() {
        presence.tick(time);
        presence.sweep(this::carryOut);
    }

    private void carryOut(UserId user, Decision decision) {
        if (decision.write() instanceof StoreWrite.Put put) {
            stored.put(user, put.snapshot());
        } else if (decision.write() instanceof StoreWrite.Delete) {
            stored.remove(user);
        }
    }
}
