package dev.rollcall.domain.user;

import static dev.rollcall.domain.UserSnapshot.NEVER;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceRules;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.RoutingView;
import dev.rollcall.domain.UserSnapshot.DeviceSnapshot;
import dev.rollcall.session.Session;
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
    private final PartitionScope scope;
    private final List<Device> live;

    /** When a device last left ONLINE, and IDLE: a stamp. Where a device was held, that can be after its own deadline. */
    private long leftOnline;

    private long leftIdle;

    Devices(List<DeviceSnapshot> devices, long leftOnline, long leftIdle, PartitionScope scope) {
        this.scope = scope;
        this.live = new ArrayList<>(Math.max(1, devices.size()));
        devices.forEach(device -> live.add(new Device(device, scope.sessions())));
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

    /** What comes from an earlier session does (rule 14), and an end from one that does not hold the device. */
    boolean countsForNothing(Heartbeat heartbeat, @Nullable Device device) {
        String session = heartbeat.session();
        String shard = heartbeat.shard();
        if (session == null || shard == null) {
            return false;
        }
        boolean isOthers = heartbeat.connectionEnded() && (device == null || !device.isHeldBy(shard, session));
        return isOthers || scope.sessions().refuses(shard, session, heartbeat.connectionEnded());
    }

    /** A heartbeat of a device whose connection has not ended: decides what it lives by from now on. */
    void keepAlive(Device device, Heartbeat heartbeat, long time) {
        if (heartbeat.shard() != null && heartbeat.session() != null) {
            long arrivedAt = Math.max(time, scope.clock().time());
            device.open(scope.sessions().open(heartbeat.shard(), heartbeat.session(), arrivedAt), time, scope);
        } else if (device.staysInSession(heartbeat, scope.clock().now())) {
            device.heard(time);
        } else {
            device.close(time, scope);
            device.renew(time, heartbeat.leaseMs(), scope.rules().leaseMs());
            device.setShard(heartbeat.shard(), scope.shards());
        }
    }

    /** How long a heartbeat keeps its device alive; one that a session holds that was heard, without end. */
    long leaseMs(Heartbeat heartbeat, long arrivedAt) {
        return heartbeat.shard() == null || heartbeat.session() == null
                ? heartbeat.leaseMs().orElse(scope.rules().leaseMs())
                : scope.sessions().leaseMs(heartbeat.shard(), heartbeat.session(), arrivedAt);
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

    /** The partition's time at which the next one goes that no session holds; {@link Long#MAX_VALUE}: there is none. */
    long nextOwnEnd() {
        long next = Long.MAX_VALUE;
        for (int i = 0; i < live.size(); i++) {
            next = Math.min(next, live.get(i).ownHeldUntil());
        }
        return next;
    }

    /** The partition's time at which the next one goes as things stand; {@link Long#MAX_VALUE}: there is none. */
    long nextEnd() {
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
    void extendDeadlines(Finding finding, boolean isVisible) {
        for (Device device : live) {
            if (device.isOpen()) {
                continue; // its session's deadline is extended
            }
            if (finding instanceof Finding.TakeOver takeOver) {
                takenOver(device, takeOver.at(), isVisible);
            } else if (finding instanceof Finding.Gap gap) {
                extendOver(device, gap);
            }
        }
    }

    private void takenOver(Device device, long at, boolean isVisible) {
        if (isVisible) {
            scope.shards().recordActivity(device.shard(), at);
        }
        if (!device.connectionEnded()) {
            extendTo(at + device.leaseMs(), device);
        }
    }

    private void extendOver(Device device, Finding.Gap gap) {
        if (device.heldUntil() <= gap.from()) {
            scope.shards().hold(device, gap.from()); // no clock tick has looked since its deadline
        }
        boolean wasLive = device.lastRecord() <= gap.from() && device.heldUntil() > gap.from();
        if (wasLive) {
            long atMost = device.connectionEnded() ? scope.rules().graceMs() : device.leaseMs();
            extendTo(gap.to() + Math.min(gap.to() - gap.from(), atMost), device);
        }
    }

    private void extendTo(long time, Device device) {
        device.extendTo(time);
        if (device.session() != null && !device.connectionEnded()) {
            device.holdUntil(device.deadline() + scope.rules().shardHoldMs());
        }
    }

    /** After a restart: makes the shards and sessions known that they name. */
    void restore() {
        for (Device device : live) {
            scope.shards().add(device.shard());
            if (device.session() != null) {
                device.session().add();
            }
        }
    }

    /** Holds those whose deadline has come and whose shard is silent (rule 13). */
    void hold(long now) {
        for (Device device : live) {
            if (device.heldUntil() <= now) {
                scope.shards().hold(device, now);
            }
        }
    }

    /**
     * When a live device goes at the latest if it is not heard from again. Before the first record that shows when the partition
     * was taken over: at least one lease after this record.
     */
    long latestEnd(Device device, long time) {
        Session session = device.session();
        if (scope.clock().isTakenOver() || device.connectionEnded()) {
            return scope.shards().latestEnd(device, scope.clock().now());
        } else if (session != null && device.isOpen()) {
            return session.heldUntilIfTakenOver(time, scope.rules().sessions());
        }
        long holdMs = session == null ? 0 : scope.rules().shardHoldMs();
        return Math.max(device.heldUntil(), time + device.leaseMs() + holdMs);
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

    /** Forgets what one of them had named. */
    void release(Device device) {
        scope.shards().remove(device.shard());
        device.leaveSession(scope.sessions());
    }

    /** A device left a state at that stamp; {@code isVisible}: others could see it. */
    void left(PresenceState state, long at, boolean isVisible) {
        switch (isVisible ? state : PresenceState.OFFLINE) {
            case ONLINE -> leftOnline = Math.max(leftOnline, at);
            case IDLE -> leftIdle = Math.max(leftIdle, at);
            case OFFLINE -> {}
        }
    }

    /** Whether one more is too many, or would be too much to store, whatever its later heartbeats name. */
    boolean isFull(String id) {
        long bytes = bytes(id);
        for (int i = 0; i < live.size(); i++) {
            bytes += bytes(live.get(i).id());
        }
        return live.size() >= scope.rules().maxDevices() || bytes > PresenceRules.MAX_DEVICES_BYTES;
    }

    private static int bytes(String id) {
        return id.getBytes(StandardCharsets.UTF_8).length + PresenceRules.DEVICE_BYTES;
    }
}
