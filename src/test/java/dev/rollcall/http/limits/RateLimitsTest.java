package dev.rollcall.http.limits;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.http.limits.RateLimits.Limit;
import io.github.bucket4j.TimeMeter;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class RateLimitsTest {
    private static final Limit ALICE = new Limit("alice", "writes", 2);
    private static final Limit BOB = new Limit("bob", "writes", 2);
    private static final Limit BOTH = new Limit("alice and bob", "writes", 3);

    private long now = 1;
    private final RateLimits rates = new RateLimits(new TimeMeter() {
        @Override
        public long currentTimeNanos() {
            return now;
        }

        @Override
        public boolean isWallClockBased() {
            return false;
        }
    });

    @Test
    void shouldAllowTenSecondsAtOnceAndThenTheRateAndSayWhen() {
        assertThat(rates.take(20, List.of(ALICE))).isZero();
        assertThat(rates.take(1, List.of(ALICE))).isBetween(500L, 501L);
        assertThat(rates.take(20, List.of(BOB))).isZero();
        sleep(501);
        assertThat(rates.take(1, List.of(ALICE))).isZero();
        assertThat(rates.take(1, List.of(ALICE))).isPositive();
    }

    @Test
    void shouldTakeNothingFromTheOthersWhenOneLimitIsReached() {
        assertThat(rates.take(20, List.of(ALICE, BOTH))).isZero();
        assertThat(rates.take(11, List.of(BOB, BOTH))).isPositive();
        assertThat(rates.take(10, List.of(BOB, BOTH))).isZero();
        assertThat(rates.take(10, List.of(BOB))).isZero();
    }

    @Test
    void shouldBePossibleInTheEndWhenMoreIsTakenThanMayBeThereAtOnce() {
        assertThat(rates.take(1_000, List.of(ALICE))).isZero();
        assertThat(rates.take(1_000, List.of(ALICE))).isBetween(10_000L, 10_001L);
        sleep(10_001);
        assertThat(rates.take(1_000, List.of(ALICE))).isZero();
    }

    @Test
    void shouldRememberNobodyWhoTakesNothingAndNeverMoreThanItMay() {
        for (int i = 0; i < 2 * RateLimits.MAX_BUCKETS; i++) {
            rates.take(1, List.of(new Limit(i, "writes", 1)));
        }
        assertThat(rates.size()).isEqualTo(RateLimits.MAX_BUCKETS);
        sleep(10_001);
        assertThat(rates.size()).isZero();
    }

    private void sleep(long ms) {
        now += TimeUnit.MILLISECONDS.toNanos(ms);
    }
}
