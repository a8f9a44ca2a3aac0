package dev.rollcall.client.sending;

import java.util.Comparator;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/**
 * When each device is due: a priority queue with lazy deletion. Scheduling a device later than it is scheduled already
 * changes nothing, so that a heartbeat costs no queue operation. Entries of cancelled devices, and entries that an
 * earlier one replaced, are removed when they are more than half of all. Thread-safe; times are in ms.
 */
final class DeviceSchedule {
    /** The queue is not swept for fewer stale entries than these. */
    private static final int MIN_SWEPT = 1_000;

    private record Entry(long at, TrackedDevice device) {
        boolean isStale() {
            return at != device.scheduledAt;
        }
    }

    private final PriorityQueue<Entry> entries = new PriorityQueue<>(Comparator.comparingLong(Entry::at));
    private int stale;

    /** Makes the device due at this time, unless it is due sooner. */
    synchronized void schedule(TrackedDevice device, long at) {
        if (at < device.scheduledAt) {
            entries.add(new Entry(at, device));
            boolean replaces = device.scheduledAt != TrackedDevice.NEVER;
            device.scheduledAt = at;
            if (replaces) {
                countStale();
            }
        }
    }

    synchronized void cancel(TrackedDevice device) {
        if (device.scheduledAt != TrackedDevice.NEVER) {
            device.scheduledAt = TrackedDevice.NEVER;
            countStale();
        }
    }

    /** Removes and returns the device that is due for longest; null: none is due. */
    synchronized @Nullable TrackedDevice poll(long now) {
        for (Entry first = entries.peek(); first != null && first.at <= now; first = entries.peek()) {
            entries.remove();
            if (!first.isStale()) {
                first.device.scheduledAt = TrackedDevice.NEVER;
                return first.device;
            }
            stale--;
        }
        return null;
    }

    /** Stale entries included. */
    synchronized int size() {
        return entries.size();
    }

    private void countStale() {
        stale++;
        if (stale > MIN_SWEPT && stale > entries.size() / 2) {
            entries.removeIf(Entry::isStale);
            stale = 0;
        }
    }
}
