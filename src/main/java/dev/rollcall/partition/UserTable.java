package dev.rollcall.partition;

import dev.rollcall.domain.UserId;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The users in memory, each as a {@link PackedUser}, by id: a hash table with open addressing. A user keeps the same slot
 * until it is removed; the slot is then reused.
 */
final class UserTable {
    static final int NO_SLOT = -1;

    /** In bytes, on the CPUs of today. */
    private static final int CACHE_LINE = 64;

    /** Open addressing, linear probing: in each entry the hash (upper half) and the slot plus 1 (lower half); 0: free. */
    private long[] index = new long[64];

    private byte[] @Nullable [] users = new byte[16][];

    /** The slots below {@link #used} that are free again, as a stack. */
    private int[] free = new int[16];

    private int freeCount;
    private int used;

    /** Never read: it only keeps the compiler from leaving out reads whose result is not used. */
    @SuppressWarnings("unused")
    private int prefetched;

    int size() {
        return used - freeCount;
    }

    /** The slot of a user, or {@link #NO_SLOT}. */
    int find(UserId id) {
        int hash = id.hashCode();
        for (int at = place(hash, home(hash)); index[at] != 0; at = place(hash, next(at))) {
            if (PackedUser.hasId(packed(slotOf(index[at])), id)) {
                return slotOf(index[at]);
            }
        }
        return NO_SLOT;
    }

    /**
     * Has the CPU fetch what finding and reading these users will need; changes nothing. To find one is to wait for
     * memory three times, each time for what says where to look next. Done step by step for many, the waits overlap.
     */
    void prefetch(List<@Nullable UserId> ids) {
        int[] hashes = new int[ids.size()];
        int known = 0;
        int sum = 0;
        for (UserId id : ids) {
            if (id != null) {
                int hash = id.hashCode();
                hashes[known++] = hash;
                sum += (int) index[home(hash)];
            }
        }
        int[] slots = new int[known];
        int found = 0;
        for (int i = 0; i < known; i++) {
            int slot = slotOf(index[place(hashes[i], home(hashes[i]))]);
            if (slot != NO_SLOT) {
                slots[found++] = slot;
                sum += packed(slot).length;
            }
        }
        for (int i = 0; i < found; i++) {
            byte[] packed = packed(slots[i]);
            for (int at = CACHE_LINE; at < packed.length; at += CACHE_LINE) {
                sum += packed[at];
            }
        }
        prefetched = sum;
    }

    /** The first entry of the index with this hash, from there on, or the free one where the search ends. */
    private int place(int hash, int from) {
        int at = from;
        while (index[at] != 0 && hashOf(index[at]) != hash) {
            at = next(at);
        }
        return at;
    }

    /** What is in a slot that is taken. */
    byte[] packed(int slot) {
        byte[] packed = users[slot];
        if (packed == null) {
            throw new IllegalStateException("there is nobody in slot " + slot);
        }
        return packed;
    }

    boolean isTaken(int slot) {
        return users[slot] != null;
    }

    /** A slot for a user who is not in here; {@link #set} comes next. */
    int add(UserId id) {
        int slot = freeCount > 0 ? free[--freeCount] : used++;
        if (slot == users.length) {
            users = Arrays.copyOf(users, users.length + users.length / 2);
        }
        if (size() * 3L > index.length * 2L) {
            rebuild(index.length * 2);
        }
        enter(entry(id.hashCode(), slot));
        return slot;
    }

    void set(int slot, byte[] packed) {
        users[slot] = packed;
    }

    void remove(int slot, UserId id) {
        int at = home(id.hashCode());
        while (slotOf(index[at]) != slot) {
            at = next(at);
        }
        closeGap(at);
        users[slot] = null;
        if (freeCount == free.length) {
            free = Arrays.copyOf(free, free.length * 2);
        }
        free[freeCount++] = slot;
    }

    /** Slots are below this. */
    int slots() {
        return used;
    }

    void forEachSlot(IntConsumer consumer) {
        for (int slot = 0; slot < used; slot++) {
            if (users[slot] != null) {
                consumer.accept(slot);
            }
        }
    }

    /** Moves up what comes after a removed entry, so that nothing is behind a gap that it was put behind an entry for. */
    private void closeGap(int gap) {
        int mask = index.length - 1;
        for (int at = next(gap); index[at] != 0; at = next(at)) {
            int home = home(hashOf(index[at]));
            if (((at - home) & mask) >= ((at - gap) & mask)) {
                index[gap] = index[at];
                gap = at;
            }
        }
        index[gap] = 0;
    }

    private void rebuild(int length) {
        long[] old = index;
        index = new long[length];
        for (long entry : old) {
            if (entry != 0) {
                enter(entry);
            }
        }
    }

    private void enter(long entry) {
        int at = home(hashOf(entry));
        while (index[at] != 0) {
            at = next(at);
        }
        index[at] = entry;
    }

    /** Where an entry with this hash is, unless others came first. */
    private int home(int hash) {
        return hash & (index.length - 1);
    }

    private int next(int at) {
        return (at + 1) & (index.length - 1);
    }

    private static long entry(int hash, int slot) {
        return ((long) hash << 32) | (slot + 1);
    }

    private static int hashOf(long entry) {
        return (int) (entry >>> 32);
    }

    private static int slotOf(long entry) {
        return (int) entry - 1;
    }
}
