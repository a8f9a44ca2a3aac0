package dev.rollcall.http.limits;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Ticker;
import io.github.bucket4j.Bucket;
import io.github.bucket4j.TimeMeter;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * How much each of many may take of something per second. What was not taken in the last ten seconds may be taken at once (a
 * token bucket). Who takes nothing for so long is forgotten, which changes nothing, since the bucket is full again: memory is
 * bounded by those of the last ten seconds, and by {@link #MAX_BUCKETS}. Thread-safe.
 */
public final class RateLimits {
    /** Some 30 MB. Beyond it, somebody may get a full bucket too early. */
    static final int MAX_BUCKETS = 100_000;

    private static final int BURST_SECONDS = 10;

    private final TimeMeter time;
    private final Cache<Limit, Bucket> buckets;

    /**
     * A limit.
     *
     * @param who whose it is, by {@code equals}
     * @param of what is limited
     * @param perSecond how much, at least 1
     */
    public record Limit(Object who, String of, int perSecond) {}

    public RateLimits() {
        this(TimeMeter.SYSTEM_NANOTIME);
    }

    RateLimits(TimeMeter time) {
        this.time = time;
        Ticker ticker = time::currentTimeNanos;
        buckets = Caffeine.newBuilder()
                .maximumSize(MAX_BUCKETS)
                .expireAfterAccess(Duration.ofSeconds(BURST_SECONDS))
                .ticker(ticker)
                .executor(Runnable::run)
                .build();
    }

    /**
     * Takes from all of the limits, or from none: then returns how long until there is enough, in ms, else 0. More than may be
     * there at once counts as that.
     */
    public long take(int amount, List<Limit> limits) {
        for (int i = 0; i < limits.size(); i++) {
            long waitNanos = bucket(limits.get(i))
                    .tryConsumeAndReturnRemaining(bounded(amount, limits.get(i)))
                    .getNanosToWaitForRefill();
            if (waitNanos > 0) {
                for (Limit taken : limits.subList(0, i)) {
                    bucket(taken).addTokens(bounded(amount, taken));
                }
                return 1 + TimeUnit.NANOSECONDS.toMillis(waitNanos);
            }
        }
        return 0;
    }

    /** How many are remembered. */
    long size() {
        buckets.cleanUp();
        return buckets.estimatedSize();
    }

    private Bucket bucket(Limit limit) {
        return buckets.get(limit, this::full);
    }

    private Bucket full(Limit limit) {
        return Bucket.builder()
                .addLimit(rate -> rate.capacity(capacity(limit)).refillGreedy(limit.perSecond(), Duration.ofSeconds(1)))
                .withCustomTimePrecision(time)
                .build();
    }

    private static long bounded(int amount, Limit limit) {
        return Math.max(1, Math.min(amount, capacity(limit)));
    }

    private static long capacity(Limit limit) {
        return (long) limit.perSecond() * BURST_SECONDS;
    }
}
