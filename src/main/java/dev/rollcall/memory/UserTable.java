package dev.rollcall.memory;

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

    /** As much as a user with one device and long ids. */
    private static final int PREFETCHED_BYTES = 192;

    /** By how much an array grows, of what it has: memory counts for more than how often it is copied. */
    private static final int GROWTH = 4;

    /** Open addressing, linear probing: in each entry the hash (upper half) and the slot plus 1 (lower half); 0: free. */
    private long[] index = new long[64];

    /** By slot: where in the slabs the user is; below 0, and the slot is free: {@link #link} of the next free one. */
    private int[] addresses = new int[16];

    private Slabs slabs = new Slabs();
    private final PackedUser user = new PackedUser();
    private int firstFree = NO_SLOT;
    private int size;
    private int used;

    /** Never read: it only keeps the compiler from leaving out reads whose result is not used. */
    @SuppressWarnings("unused")
    private int prefetched;

    int size() {
        return size;
    }

    /** The slot of a user, or {@link #NO_SLOT}. */
    int find(UserId id) {
        int hash = id.hashCode();
        for (int at = place(hash, home(hash)); index[at] != 0; at = place(hash, next(at))) {
            if (at(slotOf(index[at])).hasId(id)) {
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
        int[] found = new int[known];
        int count = 0;
        for (int i = 0; i < known; i++) {
            int slot = slotOf(index[place(hashes[i], home(hashes[i]))]);
            if (slot != NO_SLOT) {
                found[count++] = addresses[slot];
            }
        }
        for (int i = 0; i < count; i++) {
            byte[] slab = slabs.slab(found[i]);
            int start = Slabs.offset(found[i]);
            for (int at = start; at < Math.min(start + PREFETCHED_BYTES, slab.length); at += CACHE_LINE) {
                sum += slab[at];
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

    /** The user in a slot that is taken: an object that is another user with the next call. */
    PackedUser at(int slot) {
        int address = addresses[slot];
        if (address < 0) {
            throw new IllegalStateException("there is nobody in slot " + slot);
        }
        return user.wrap(slabs.slab(address), Slabs.offset(address));
    }

    boolean isTaken(int slot) {
        return addresses[slot] >= 0;
    }

    /** Takes in a user who is not in here, and returns the slot. */
    int add(UserId id, PackedUser packed) {
        int slot = firstFree;
        if (slot == NO_SLOT) {
            slot = used++;
            if (slot == addresses.length) {
                addresses = Arrays.copyOf(addresses, grown(addresses.length));
            }
        } else {
            firstFree = link(addresses[slot]);
        }
        size++;
        if (size * 3L > index.length * 2L) {
            rebuild(grown(index.length));
        }
        enter(entry(id.hashCode(), slot));
        addresses[slot] = store(packed);
        return slot;
    }

    /** Puts the same user as it is now in the place of what it was. */
    void set(int slot, PackedUser packed) {
        PackedUser before = at(slot);
        if (Slabs.isSameSize(before.length(), packed.length())) {
            copy(packed, addresses[slot]);
        } else {
            slabs.free(addresses[slot], before.length());
            addresses[slot] = store(packed);
            compactIfMostlyFree();
        }
    }

    void remove(int slot, UserId id) {
        int at = home(id.hashCode());
        while (slotOf(index[at]) != slot) {
            at = next(at);
        }
        closeGap(at);
        slabs.free(addresses[slot], at(slot).length());
        addresses[slot] = link(firstFree);
        firstFree = slot;
        size--;
        compactIfMostlyFree();
    }

    private int store(PackedUser packed) {
        int address = slabs.allocate(packed.length());
        copy(packed, address);
        return address;
    }

    private void copy(PackedUser packed, int address) {
        System.arraycopy(packed.bytes(), packed.start(), slabs.slab(address), Slabs.offset(address), packed.length());
    }

    /** Gives back memory after many have gone: moves the others to the front. Each such move halves what there is. */
    private void compactIfMostlyFree() {
        if (slabs.isMostlyFree()) {
            Slabs from = slabs;
            slabs = new Slabs();
            forEachSlot(slot ->
                    addresses[slot] = store(user.wrap(from.slab(addresses[slot]), Slabs.offset(addresses[slot]))));
        }
    }

    /** From a free slot to what {@link #addresses} holds of it, and back. */
    private static int link(int slotOrAddress) {
        return -2 - slotOrAddress;
    }

    private static int grown(int length) {
        return length + length / GROWTH;
    }

    /** Slots are below this. */
    int slots() {
        return used;
    }

    void forEachSlot(IntConsumer consumer) {
        for (int slot = 0; slot < used; slot++) {
            if (isTaken(slot)) {
                consumer.accept(slot);
            }
        }
    }

    /** Moves up what comes after a removed entry, so that nothing is behind a gap that it was put behind an entry for. */
    private void closeGap(int gap) {
        for (int at = next(gap); index[at] != 0; at = next(at)) {
            int home = home(hashOf(index[at]));
            if (distance(home, at) >= distance(gap, at)) {
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
        return (int) ((Integer.toUnsignedLong(hash) * index.length) >>> 32);
    }

    private int next(int at) {
        return at + 1 == index.length ? 0 : at + 1;
    }

    private int distance(int from, int to) {
        return to >= from ? to - from : to - from + index.length;
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
