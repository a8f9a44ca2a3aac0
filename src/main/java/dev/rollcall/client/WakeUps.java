package dev.rollcall.client;

import java.util.Comparator;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/**
 * Which device to look at when. Heartbeats don't move a device's entry: when its time comes, somebody looks, and enters
 * it again. Entries of devices that have ended, and those that an earlier one has overtaken, are swept out once they are
 * more than half of all. Thread-safe.
 */
final class WakeUps {
    /** Fewer than that are not worth a sweep. */
    private static final int MIN_SWEPT = 1_000;

    private record Entry(long at, TrackedDevice device) {
        boolean isDead() {
            return at != device.wakeAt;
        }
    }

    private final PriorityQueue<Entry> entries = new PriorityQueue<>(Comparator.comparingLong(Entry::at));
    private int dead;

    /** Has the device looked at by this time, in ms. */
    synchronized void wake(TrackedDevice device, long at) {
        if (at < device.wakeAt) {
            entries.add(new Entry(at, device));
            boolean overtakes = device.wakeAt != Long.MAX_VALUE;
            device.wakeAt = at;
            if (overtakes) {
                oneMoreIsDead();
            }
        }
    }

    /** The device has ended. */
    synchronized void forget(TrackedDevice device) {
        if (device.wakeAt != Long.MAX_VALUE) {
            device.wakeAt = Long.MAX_VALUE;
            oneMoreIsDead();
        }
    }

    /** The device that has waited longest of those whose time has come; null: there is none. */
    synchronized @Nullable TrackedDevice next(long now) {
        for (Entry first = entries.peek(); first != null && first.at <= now; first = entries.peek()) {
            entries.remove();
            if (!first.isDead()) {
                first.device.wakeAt = Long.MAX_VALUE;
                return first.device;
            }
            dead--;
        }
        return null;
    }

    synchronized int size() {
        return entries.size();
    }

    private void oneMoreIsDead() {
        dead++;
        if (dead > MIN_SWEPT && dead > entries.size() / 2) {
            entries.removeIf(Entry::isDead);
            dead = 0;
        }
    }
}
