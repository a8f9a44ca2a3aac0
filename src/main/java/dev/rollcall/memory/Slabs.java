package dev.rollcall.memory;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;

/**
 * Memory for many small blocks, in a few large arrays: an array for each would take 16 bytes more, and the garbage collector
 * would look at every one. A block that no slab has room for has an array of its own. An address is an int, in units of four
 * bytes: 8 GB at most.
 */
final class Slabs {
    private static final int UNIT_BITS = 2;
    private static final int SLAB_BITS = 18; // below half of G1's smallest region, so that it is no humongous object
    private static final int UNITS_PER_SLAB = 1 << (SLAB_BITS - UNIT_BITS);
    private static final int NONE = -1;
    private static final byte[] NO_BYTES = {};

    private byte[][] slabs = new byte[0][];

    /** Places in {@link #slabs} whose array was a large block's. */
    private final Deque<Integer> unusedSlabs = new ArrayDeque<>();

    private int slabsOfMany;

    /** Where the next block of all begins, and where its slab ends. */
    private int next;

    private int end;

    /** By size in units: the first free block, which holds the address of the next. */
    private int[] free = new int[0];

    private long freeUnits;

    int allocate(int bytes) {
        int units = units(bytes);
        if (units > UNITS_PER_SLAB) {
            return newSlab(bytes);
        }
        if (units < free.length && free[units] != NONE) {
            int address = free[units];
            free[units] = Ints.get(slab(address), offset(address));
            freeUnits -= units;
            return address;
        }
        if (end - next < units) {
            if (next < end) {
                release(next, end - next);
            }
            next = newSlab(1 << SLAB_BITS);
            end = next + UNITS_PER_SLAB;
            slabsOfMany++;
        }
        int address = next;
        next += units;
        return address;
    }

    void free(int address, int bytes) {
        int units = units(bytes);
        if (units > UNITS_PER_SLAB) {
            slabs[indexOf(address)] = NO_BYTES;
            unusedSlabs.push(indexOf(address));
        } else {
            release(address, units);
        }
    }

    private int newSlab(int bytes) {
        int index = unusedSlabs.isEmpty() ? slabs.length : unusedSlabs.pop();
        if (index == slabs.length) {
            slabs = Arrays.copyOf(slabs, index + 1);
        }
        slabs[index] = new byte[bytes];
        return index << (SLAB_BITS - UNIT_BITS);
    }

    private void release(int address, int units) {
        if (units >= free.length) {
            int known = free.length;
            free = Arrays.copyOf(free, units + 1);
            Arrays.fill(free, known, free.length, NONE);
        }
        Ints.set(slab(address), offset(address), free[units]);
        free[units] = address;
        freeUnits += units;
    }

    /** Whether a block of that many bytes has room for so many others, and no more than it needs. */
    static boolean isSameSize(int bytes, int others) {
        return units(bytes) == units(others) && units(bytes) <= UNITS_PER_SLAB;
    }

    byte[] slab(int address) {
        return slabs[indexOf(address)];
    }

    static int offset(int address) {
        return (address & (UNITS_PER_SLAB - 1)) << UNIT_BITS;
    }

    /** Whether most of it is free, and it would be worth while to move what is left. */
    boolean isMostlyFree() {
        return slabsOfMany > 4 && freeUnits > (long) slabsOfMany * UNITS_PER_SLAB / 2;
    }

    private static int indexOf(int address) {
        return address >>> (SLAB_BITS - UNIT_BITS);
    }

    private static int units(int bytes) {
        return (bytes + (1 << UNIT_BITS) - 1) >>> UNIT_BITS;
    }
}
