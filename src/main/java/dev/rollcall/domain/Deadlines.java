package dev.rollcall.domain;

import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntConsumer;

/**
 * When to look at which user, in buckets of time: one entry per user, which a heartbeat never moves. When it comes up,
 * the user is looked at, and armed again if there is still life.
 */
final class Deadlines {
    static final long NONE = Long.MAX_VALUE;

    /** A quarter of the default pulse: fine enough that few users are looked at before their time. */
    private static final long BUCKET_MS = 250;

    private final UserTable users;
    private final TreeMap<Long, Slots> buckets = new TreeMap<>();

    Deadlines(UserTable users) {
        this.users = users;
    }

    /** When a bucket begins, in ms since the epoch. */
    static long startOf(long bucket) {
        return bucket == NONE ? Long.MAX_VALUE : bucket * BUCKET_MS;
    }

    /** Makes sure that the user is looked at no later than then. */
    void arm(User user, long deadline) {
        long bucket = bucketOf(deadline);
        if (user.bucket > bucket) {
            user.bucket = bucket; // an entry in a later bucket is left there, and passed over when it comes up
            add(bucket, user.slot);
        }
    }

    /**
     * Hands out the users for whom something has come to its end, the earliest buckets first. The others whose bucket comes
     * up, which heartbeats have kept alive, are armed again here: that takes a fraction of a look.
     *
     * @param budget how many users at most
     * @return whether that was enough; if not, the next call goes on
     */
    boolean handOut(long now, int budget, IntConsumer look) {
        long currentBucket = bucketOf(now);
        int left = budget;
        for (Map.Entry<Long, Slots> first = buckets.firstEntry();
                first != null && first.getKey() <= currentBucket;
                first = buckets.firstEntry()) {
            long bucket = first.getKey();
            Slots slots = first.getValue();
            Slots later = new Slots();
            while (!slots.isEmpty() && left > 0) {
                int slot = slots.takeLast();
                if (!users.isTaken(slot) || PackedUser.bucket(users.packed(slot)) != bucket) {
                    continue; // armed for an earlier bucket since, or the slot is another's now
                }
                long deadline = PackedUser.nextDeadline(users.packed(slot));
                if (deadline <= now) {
                    left--;
                    look.accept(slot);
                } else if (bucketOf(deadline) == bucket) {
                    later.add(slot);
                } else {
                    PackedUser.setBucket(users.packed(slot), bucketOf(deadline));
                    add(bucketOf(deadline), slot);
                }
            }
            later.moveTo(slots);
            if (left == 0 || bucket == currentBucket) {
                return left > 0;
            }
            buckets.remove(bucket);
        }
        return true;
    }

    /** How far the oldest entry lies before now, in ms: above the bucket's width, the sweep is behind. */
    long behindMs(long now) {
        return buckets.isEmpty() ? 0 : Math.max(0, now - (buckets.firstKey() + 1) * BUCKET_MS);
    }

    private void add(long bucket, int slot) {
        buckets.computeIfAbsent(bucket, any -> new Slots()).add(slot);
    }

    private static long bucketOf(long time) {
        return Math.floorDiv(time, BUCKET_MS);
    }

    private static final class Slots {
        private int[] slots = new int[4];
        private int size;

        void add(int slot) {
            if (size == slots.length) {
                slots = Arrays.copyOf(slots, size + size / 2);
            }
            slots[size++] = slot;
        }

        int takeLast() {
            return slots[--size];
        }

        boolean isEmpty() {
            return size == 0;
        }

        void moveTo(Slots other) {
            while (!isEmpty()) {
                other.add(takeLast());
            }
        }
    }
}
