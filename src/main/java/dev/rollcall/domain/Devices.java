package dev.rollcall.domain;

import static dev.rollcall.domain.UserSnapshot.NEVER;

import dev.rollcall.domain.UserSnapshot.DeviceSnapshot;
import dev.rollcall.time.LogActivity.Finding;
import dev.rollcall.time.PartitionClock;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The live devices of one user, and when those that are gone left the states that others saw. */
final class Devices {
    private final List<Device> live;

    /** When a device last left ONLINE, and IDLE: a stamp. Where a device was held, that can be after its own deadline. */
    private long leftOnline;

    private long leftIdle;

    Devices(List<DeviceSnapshot> devices, long leftOnline, long leftIdle) {
        this.live = new ArrayList<>(Math.max(1, devices.size()));
        devices.forEach(device -> live.add(new Device(device)));
        this.leftOnline = leftOnline;
        this.leftIdle = leftIdle;
    }

    List<DeviceSnapshot> snapshot() {
        List<DeviceSnapshot> all = new ArrayList<>(live.size());
        for (int i = 0; i < live.size(); i++) {
            all.add(live.get(i).snapshot());
        }
        return all;
    }

    List<RoutingView.RoutedDevice> routed(PartitionClock clock) {
        return live.stream().map(device -> device.routed(clock)).toList();
    }

    boolean isEmpty() {
        return live.isEmpty();
    }

    int size() {
        return live.size();
    }

    long leftOnline() {
        return leftOnline;
    }

    long leftIdle() {
        return leftIdle;
    }

    void forEach(Consumer<Device> action) {
        live.forEach(action);
    }

    void add(Device device) {
        live.add(device);
    }

    @Nullable
    Device find(String id) {
        for (int i = 0; i < live.size(); i++) {
            if (live.get(i).id().equals(id)) {
                return live.get(i);
            }
        }
        return null;
    }

    /** Rule 1: ONLINE with a live ONLINE device; else IDLE with a live IDLE one; else OFFLINE. */
    PresenceState union() {
        PresenceState union = PresenceState.OFFLINE;
        for (int i = 0; i < live.size(); i++) {
            union = PresenceState.union(union, live.get(i).state());
        }
        return union;
    }

    /**
     * The earliest time at which the devices' union can have become this state: no earlier than the first remaining device in
     * it, and the last departure from a higher one.
     */
    long earliestOf(PresenceState union) {
        long first = NEVER;
        for (int i = 0; i < live.size(); i++) {
            Device device = live.get(i);
            if (union != PresenceState.OFFLINE && device.state() == union) {
                first = first == NEVER ? device.since() : Math.min(first, device.since());
            }
        }
        return switch (union) {
            case ONLINE -> first;
            case IDLE -> Math.max(first, leftOnline);
            case OFFLINE -> Math.max(leftOnline, leftIdle);
        };
    }

    /** The partition's time at which the next one goes; {@link Long#MAX_VALUE}: there is none. */
    long nextDeadline() {
        long next = Long.MAX_VALUE;
        for (int i = 0; i < live.size(); i++) {
            next = Math.min(next, live.get(i).heldUntil());
        }
        return next;
    }

    /** The last record of any of them, in the partition's time. */
    long lastRecord() {
        long last = PartitionClock.UNKNOWN;
        for (int i = 0; i < live.size(); i++) {
            last = Math.max(last, live.get(i).lastRecord());
        }
        return last;
    }

    /** Extends the deadlines of those that could not be heard from; {@code isVisible}: others may see what they do. */
    void extendDeadlines(Finding finding, boolean isVisible, PresenceRules rules, Shards shards) {
        if (finding instanceof Finding.TakeOver takeOver) {
            live.forEach(device -> takenOver(device, takeOver.at(), isVisible, shards));
        } else if (finding instanceof Finding.Gap gap) {
            live.forEach(device -> extendOver(device, gap, rules, shards));
        }
    }

    private static void takenOver(Device device, long at, boolean isVisible, Shards shards) {
        if (isVisible) {
            shards.recordActivity(device.shard(), at);
        }
        if (!device.connectionEnded()) {
            device.extendTo(at + device.leaseMs());
        }
    }

    private static void extendOver(Device device, Finding.Gap gap, PresenceRules rules, Shards shards) {
        if (device.heldUntil() <= gap.from()) {
            shards.hold(device, gap.from()); // no clock tick has looked since its deadline
        }
        boolean wasLive = device.lastRecord() <= gap.from() && device.heldUntil() > gap.from();
        if (wasLive) {
            long atMost = device.connectionEnded() ? rules.graceMs() : device.leaseMs();
            device.extendTo(gap.to() + Math.min(gap.to() - gap.from(), atMost));
        }
    }

    /** Removes those that have come to their end by then, and returns them; mostly one or none. */
    List<Device> removeEnded(long time) {
        List<Device> ended = new ArrayList<>(1);
        for (Iterator<Device> all = live.iterator(); all.hasNext(); ) {
            Device device = all.next();
            if (device.heldUntil() <= time) {
                all.remove();
                ended.add(device);
            }
        }
        return ended;
    }

    /** A device left a state at that stamp; {@code isVisible}: others could see it. */
    void left(PresenceState state, long at, boolean isVisible) {
        switch (isVisible ? state : PresenceState.OFFLINE) {
            case ONLINE -> leftOnline = Math.max(leftOnline, at);
            case IDLE -> leftIdle = Math.max(leftIdle, at);
            case OFFLINE -> {}
        }
    }

    /** Whether the stored user stays within its bounds with one more device, whatever its later heartbeats name. */
    boolean hasRoomFor(String id) {
        long bytes = bytes(id);
        for (int i = 0; i < live.size(); i++) {
            bytes += bytes(live.get(i).id());
        }
        return bytes <= PresenceRules.MAX_DEVICES_BYTES;
    }

    private static int bytes(String id) {
        return id.getBytes(StandardCharsets.UTF_8).length + PresenceRules.DEVICE_BYTES;
    }
}
