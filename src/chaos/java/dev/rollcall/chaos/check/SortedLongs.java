package dev.rollcall.chaos.check;

import java.util.Arrays;

/** A growing list of numbers in ascending order. */
final class SortedLongs {
    private long[] values = new long[16];
    private int size;

    void add(long value) {
        if (size == values.length) {
            values = Arrays.copyOf(values, size * 2);
        }
        values[size++] = value;
    }

    long get(int index) {
        return values[index];
    }

    int size() {
        return size;
    }

    /** The index of the first one that is that or greater; the size if there is none. */
    int firstFrom(long value) {
        int low = 0;
        int high = size;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (values[middle] < value) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /** The index of the last one that is that or less; -1 if there is none. */
    int lastUpTo(long value) {
        return value == Long.MAX_VALUE ? size - 1 : firstFrom(value + 1) - 1;
    }
}
