package dev.rollcall.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

final class OpenLogTest {
    @Test
    void shouldGiveEachLargeShardATenthOfTheUsersAndEachOtherSome() {
        int[] users = new int[OpenLog.SHARDS];
        for (int user = 0; user < 10_000; user++) {
            users[OpenLog.shard(user)]++;
        }
        for (int shard = 0; shard < OpenLog.SHARDS; shard++) {
            assertThat(users[shard])
                    .as("shard %d", shard)
                    .isBetween(shard < OpenLog.LARGE ? 1_000 : 42, shard < OpenLog.LARGE ? 1_000 : 43);
        }
    }

    @Test
    void shouldFindAUserAndAShardByTheirNames() {
        String key = new String(LogPlan.key(1_234_567), StandardCharsets.US_ASCII);
        assertThat(LogPlan.user(key)).isEqualTo(1_234_567);
        assertThat(OpenLog.shard(OpenLog.shardHeartbeat(42, 3, 0))).isEqualTo(42);
    }
}
