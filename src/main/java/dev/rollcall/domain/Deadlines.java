package dev.rollcall.domain;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * When to look at which user, in buckets of time: one entry per user, which a heartbeat never moves. When it comes up,
 * the user is looked at, and armed again if there is still life.
 */
final class Deadlines {
    static final long NONE = Long.MAX_VALUE;

    /** A quarter of the default pulse: fine enough that few users are looked at before their time. */
    private static final long BUCKET_MS = 250;

    private final TreeMap<Long, List<User>> buckets = new TreeMap<>();

    /**
     * Makes sure that the user is looked at no later than then.
     *
     * @return whether it was not armed before
     */
    boolean arm(User user, long deadline) {
        boolean armedBefore = user.bucket != NONE;
        long bucket = Math.floorDiv(deadline, BUCKET_MS);
        if (user.bucket > bucket) {
            user.bucket = bucket; // an entry in a later bucket is left there, and passed over when it comes up
            buckets.computeIfAbsent(bucket, any -> new ArrayList<>()).add(user);
        }
        return !armedBefore;
    }

    /** Makes sure that the user is not looked at any more. */
    void disarm(User user) {
        user.bucket = NONE;
    }

    /**
     * Hands out the users whose time has come, the earliest buckets first, disarmed: the caller arms them again.
     *
     * @param budget how many users at most; the others are handed out first by the next call
     */
    void handOut(long now, int budget, Consumer<User> look) {
        long currentBucket = Math.floorDiv(now, BUCKET_MS);
        int left = budget;
        while (left > 0 && !buckets.isEmpty() && buckets.firstKey() <= currentBucket) {
            Map.Entry<Long, List<User>> first = buckets.pollFirstEntry();
            long bucket = first.getKey();
            List<User> users = first.getValue();
            List<User> later = new ArrayList<>();
            while (!users.isEmpty()) {
                User user = users.remove(users.size() - 1);
                if (user.bucket != bucket) {
                    continue;
                }
                if (left == 0 || (bucket == currentBucket && user.nextDeadline() > now && inBucket(user, bucket))) {
                    later.add(user);
                } else {
                    left--;
                    user.bucket = NONE;
                    look.accept(user);
                }
            }
            later.forEach(user ->
                    buckets.computeIfAbsent(bucket, any -> new ArrayList<>()).add(user));
            if (bucket == currentBucket) {
                return;
            }
        }
    }

    /** How far the oldest entry lies before now, in ms: above the bucket's width, the sweep is behind. */
    long behindMs(long now) {
        return buckets.isEmpty() ? 0 : Math.max(0, now - (buckets.firstKey() + 1) * BUCKET_MS);
    }

    private static boolean inBucket(User user, long bucket) {
        return Math.floorDiv(user.nextDeadline(), BUCKET_MS) == bucket;
    }
}
