package dev.rollcall.client;

import java.util.Comparator;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/**
 * Which device to look at when. Heartbeats don't move a device's entry: when its time comes, somebody looks, and enters
 * it again. The entry of a device that has ended stays until then. Thread-safe.
 */
final class WakeUps {
    private record Entry(long at, TrackedDevice device) {}

    private final PriorityQueue<Entry> entries = new PriorityQueue<>(Comparator.comparingLong(Entry::at));

    /** Has the device looked at by this time, in ms. */
    synchronized void wake(TrackedDevice device, long at) {
        if (at < device.wakeAt) {
            device.wakeAt = at;
            entries.add(new Entry(at, device));
        }
    }

    /** The device that has waited longest of those whose time has come; null: there is none. */
    synchronized @Nullable TrackedDevice next(long now) {
        for (Entry first = entries.peek(); first != null && first.at <= now; first = entries.peek()) {
            entries.remove();
            // An earlier entry may have overtaken this one.
            if (first.at == first.device.wakeAt) {
                first.device.wakeAt = Long.MAX_VALUE;
                return first.device;
            }
        }
        return null;
    }

    synchronized int size() {
        return entries.size();
    }
}
