package dev.rollcall.memory;

import dev.rollcall.time.PartitionClock;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntConsumer;
import java.util.function.IntPredicate;

/**
 * When something of which user may end, in buckets of the partition's time: one entry per user, which a heartbeat never moves.
 * When its bucket comes up, a user who is still alive is scheduled again.
 *
 * <p>The further away a deadline is, the wider is its bucket, and it is filed more finely when that comes up. So there are a
 * few hundred buckets at most, whatever deadlines users ask for.
 */
final class Deadlines {
    static final long NONE = Long.MAX_VALUE;

    /** A quarter of the default clock tick: fine enough that few users come up before their time. */
    private static final long BUCKET_MS = 250;

    /** From this distance on, in buckets, they are wider: a sixteenth of the distance or less. */
    private static final int FINE_BUCKETS = 256;

    private static final int WIDTHS_PER_DISTANCE = 16;

    private final UserTable users;
    private final PartitionClock clock;
    private final TreeMap<Long, Slots> buckets = new TreeMap<>();

    Deadlines(UserTable users, PartitionClock clock) {
        this.users = users;
        this.clock = clock;
    }

    /** When a bucket begins, in ms of the partition's time. */
    static long startOf(long bucket) {
        return bucket == NONE ? Long.MAX_VALUE : bucket * BUCKET_MS;
    }

    /**
     * Makes sure that a user comes up no later than the deadline.
     *
     * @param bucket where the user is now, or {@link #NONE}
     * @return where the user is from now on
     */
    long schedule(int slot, long bucket, long deadline) {
        long sooner = deadline == Long.MAX_VALUE ? NONE : bucketOf(deadline);
        if (bucket <= sooner) {
            return bucket;
        }
        add(sooner, slot); // the entry in the later bucket is left there, and passed over when it comes up
        return sooner;
    }

    /**
     * Passes on the users for whom something has come to its end, the earliest buckets first. The others whose bucket comes
     * up, which heartbeats have kept alive, are scheduled again here: that takes a fraction of the time.
     *
     * @param limit how many users at most
     * @return whether that was enough; if not, the next call goes on
     */
    boolean poll(int limit, IntConsumer onExpiry) {
        long now = clock.now();
        long currentBucket = fineBucketOf(now);
        int left = limit;
        for (Map.Entry<Long, Slots> first = buckets.firstEntry();
                first != null && first.getKey() <= currentBucket;
                first = buckets.firstEntry()) {
            long bucket = first.getKey();
            Slots slots = first.getValue();
            Slots later = new Slots();
            while (!slots.isEmpty() && left > 0) {
                int slot = slots.takeLast();
                if (!isIn(bucket, slot)) {
                    continue; // scheduled for an earlier bucket since, or the slot is another's now
                }
                long deadline = users.at(slot).nextDeadline(clock);
                if (deadline <= now) {
                    left--;
                    onExpiry.accept(slot);
                } else if (deadline == Long.MAX_VALUE) {
                    users.at(slot).setBucket(NONE); // a session decides
                } else if (bucketOf(deadline) == bucket) {
                    later.add(slot);
                } else {
                    long laterBucket = bucketOf(deadline);
                    users.at(slot).setBucket(laterBucket);
                    add(laterBucket, slot);
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

    /** Forgets everything; every user has to be scheduled again, from {@link #NONE}. */
    void clear() {
        buckets.clear();
    }

    /** How many entries there are, also of users who have been scheduled for an earlier bucket or are gone. */
    int entries() {
        return buckets.values().stream().mapToInt(slots -> slots.size).sum();
    }

    /** How far the oldest entry lies before now, in ms: above the bucket's width, the sweep is behind. */
    long behindMs(long now) {
        return buckets.isEmpty() ? 0 : Math.max(0, now - (buckets.firstKey() + 1) * BUCKET_MS);
    }

    private void add(long bucket, int slot) {
        Slots slots = buckets.computeIfAbsent(bucket, any -> new Slots());
        if (slots.isFull() && isFar(bucket)) {
            slots.retainDistinct(one -> isIn(bucket, one)); // those who come and go would fill it until its time comes
        }
        slots.add(slot);
    }

    private boolean isIn(long bucket, int slot) {
        return users.isTaken(slot) && users.at(slot).bucket() == bucket;
    }

    /** The bucket for a deadline: none begins later than what is in it. */
    private long bucketOf(long deadline) {
        long fine = fineBucketOf(deadline);
        if (!isFar(fine)) {
            return fine;
        }
        long width = Long.highestOneBit(distance(fine) / WIDTHS_PER_DISTANCE);
        return fine - Math.floorMod(fine, width);
    }

    private boolean isFar(long bucket) {
        return clock.reached() != PartitionClock.UNKNOWN && distance(bucket) >= FINE_BUCKETS;
    }

    private long distance(long bucket) {
        return bucket - fineBucketOf(clock.reached());
    }

    private static long fineBucketOf(long time) {
        return Math.floorDiv(time, BUCKET_MS);
    }

    private static final class Slots {
        private int[] slots = new int[4];
        private int size;

        boolean isFull() {
            return size == slots.length;
        }

        void add(int slot) {
            if (isFull()) {
                slots = Arrays.copyOf(slots, size + size / 2);
            }
            slots[size++] = slot;
        }

        /** Drops what has gone, and what is in here twice; makes room if that was not much. */
        void retainDistinct(IntPredicate isStillIn) {
            Arrays.sort(slots, 0, size);
            int kept = 0;
            for (int i = 0; i < size; i++) {
                if ((kept == 0 || slots[kept - 1] != slots[i]) && isStillIn.test(slots[i])) {
                    slots[kept++] = slots[i];
                }
            }
            size = kept;
            if (size > slots.length / 4 * 3) {
                slots = Arrays.copyOf(slots, slots.length * 2);
            }
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
