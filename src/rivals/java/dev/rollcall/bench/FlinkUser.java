package dev.rollcall.bench;

import dev.rollcall.domain.PresenceState;
import java.util.ArrayList;
import java.util.List;

/** What a Flink job keeps of a user. All times in ms since the epoch. */
public final class FlinkUser {
    public List<Device> devices = new ArrayList<>();
    public PresenceState shown = PresenceState.OFFLINE;
    public long sequence;
    public long lastActive;

    /** When the one timer of this user is to fire; {@link #NEVER}: there is none. */
    public long timer = NEVER;

    static final long NEVER = Long.MAX_VALUE;

    /** A device that is live. */
    public static final class Device {
        public String id = "";
        public PresenceState state = PresenceState.OFFLINE;
        public long deadline;
    }

    /** Rules 1, 2 and 4. */
    void take(FlinkBeat beat) {
        Device device = device(beat.device);
        if (beat.state != null) {
            device.state = beat.state;
        }
        device.deadline = beat.at + beat.leaseMs;
        if (device.state == PresenceState.ONLINE) {
            lastActive = beat.at;
        }
    }

    private Device device(String id) {
        for (Device device : devices) {
            if (device.id.equals(id)) {
                return device;
            }
        }
        Device device = new Device();
        device.id = id;
        device.state = PresenceState.ONLINE;
        devices.add(device);
        return device;
    }

    /** Drops the devices whose leases are over. */
    void expire(long now) {
        devices.removeIf(device -> device.deadline <= now);
    }

    PresenceState union() {
        PresenceState union = PresenceState.OFFLINE;
        for (Device device : devices) {
            union = PresenceState.union(union, device.state);
        }
        return union;
    }

    /** When the first lease ends; {@link #NEVER} without devices. */
    long nextDeadline() {
        long next = NEVER;
        for (Device device : devices) {
            next = Math.min(next, device.deadline);
        }
        return next;
    }
}
