package dev.rollcall.memory;

import java.util.Arrays;

/**
 * Memory for many small blocks, in a few large arrays: an array for each would take 16 bytes more, and the garbage collector
 * would look at every one. A block's address is an int, in units of four bytes: 8 GB at most.
 */
final class Slabs {
    private static final int UNIT_BITS = 2;
    private static final int SLAB_BITS = 18; // below half of G1's smallest region, so that it is no humongous object
    private static final int UNITS_PER_SLAB = 1 << (SLAB_BITS - UNIT_BITS);
    private static final int NONE = -1;

    private byte[][] slabs = new byte[0][];

    /** Where the next block of all begins; behind all slabs: there is no room left. */
    private int end;

    /** By size in units: the first free block, which holds the address of the next. */
    private int[] free = new int[0];

    private long freeUnits;

    int allocate(int bytes) {
        int units = units(bytes);
        if (units > UNITS_PER_SLAB) {
            throw new IllegalArgumentException("no block has %d bytes".formatted(bytes));
        }
        if (units < free.length && free[units] != NONE) {
            int address = free[units];
            free[units] = Ints.get(slab(address), offset(address));
            freeUnits -= units;
            return address;
        }
        int left = slabs.length * UNITS_PER_SLAB - end;
        if (left < units) {
            if (left > 0) {
                release(end, left);
            }
            end = slabs.length * UNITS_PER_SLAB;
            slabs = Arrays.copyOf(slabs, slabs.length + 1);
            slabs[slabs.length - 1] = new byte[1 << SLAB_BITS];
        }
        int address = end;
        end += units;
        return address;
    }

    void free(int address, int bytes) {
        release(address, units(bytes));
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

    /** Whether a block of that many bytes has room for so many others. */
    static boolean isSameSize(int bytes, int others) {
        return units(bytes) == units(others);
    }

    byte[] slab(int address) {
        return slabs[address >>> (SLAB_BITS - UNIT_BITS)];
    }

    static int offset(int address) {
        return (address & (UNITS_PER_SLAB - 1)) << UNIT_BITS;
    }

    /** Whether most of it is free, and it would be worth while to move what is left. */
    boolean isMostlyFree() {
        return slabs.length > 4 && freeUnits > (long) slabs.length * UNITS_PER_SLAB / 2;
    }

    private static int units(int bytes) {
        return (bytes + (1 << UNIT_BITS) - 1) >>> UNIT_BITS;
    }
}
