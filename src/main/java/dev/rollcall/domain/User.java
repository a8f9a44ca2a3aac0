package dev.rollcall.domain;

import dev.rollcall.domain.PresenceUpdate.Forgotten;
import dev.rollcall.domain.PresenceUpdate.Presence;
import dev.rollcall.domain.RoutingView.Reason;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One user: the devices, the text, the flag, and what was last emitted. Takes inputs, and collects what follows from them
 * until {@link #conclude}. Times in ms; all are stamps but those of the devices (see {@link PartitionClock}).
 */
final class User {
    static final long NEVER = Long.MIN_VALUE;

    final UserId id;
    private final PresenceRules rules;

    /** Where it is in the {@link UserTable}, if it is. */
    int slot = UserTable.NO_SLOT;

    // What has to be kept between two inputs, and nobody but PackedUser may touch.

    /** The bucket of {@link Deadlines} in which this user is, which alone changes it. */
    long bucket = Deadlines.NONE;

    private final List<Device> devices = new ArrayList<>(1);
    StatusText status = StatusText.NONE;
    boolean hidden;

    @Nullable
    Presence emitted;

    long lastActive = NEVER;
    long forgettableSince = NEVER;

    /** When the text and the flag that hold were written: a misrouted one that is older must not undo them (rule 7). */
    long statusAt = NEVER;

    long appearOfflineAt = NEVER;

    /** When a device last left ONLINE, and IDLE. Only where a device was held can that be after its own deadline. */
    long leftOnline = NEVER;

    long leftIdle = NEVER;
    long routingSequence;

    // What follows from the input.
    private @Nullable List<PresenceUpdate> updates;
    private @Nullable List<RoutingView> routing;
    private boolean needsSaving;

    User(UserId id, PresenceRules rules) {
        this.id = id;
        this.rules = rules;
    }

    static User of(UserId id, UserSnapshot snapshot, PresenceRules rules) {
        User user = new User(id, rules);
        snapshot.devices().forEach(device -> user.devices.add(Device.of(device)));
        user.status = snapshot.status();
        user.hidden = snapshot.hidden();
        user.emitted = snapshot.emitted();
        user.lastActive = orNever(snapshot.lastActive());
        user.forgettableSince = orNever(snapshot.forgettableSince());
        user.statusAt = orNever(snapshot.statusAt());
        user.appearOfflineAt = orNever(snapshot.appearOfflineAt());
        user.leftOnline = orNever(snapshot.leftOnline());
        user.leftIdle = orNever(snapshot.leftIdle());
        user.routingSequence = snapshot.routingSequence();
        return user;
    }

    List<Device> devices() {
        return devices;
    }

    /** After a take-over: makes its devices' shards known, and starts the clock where they were last heard from. */
    void restored(PartitionClock clock, long clockAheadMs, Shards shards) {
        long lastRecord = PartitionClock.UNKNOWN;
        for (int i = 0; i < devices.size() && !hidden; i++) {
            lastRecord = Math.max(lastRecord, devices.get(i).lastRecord());
        }
        clock.startAt(lastRecord, hidden ? 0 : clockAheadMs); // nobody may notice what a hidden user wrote
        devices.forEach(device -> shards.add(device.shard()));
    }

    /** The partition's time at which something of this user may end; {@link Long#MAX_VALUE}: nothing can. */
    long nextDeadline(PartitionClock clock) {
        Long textExpiry = status.expiresAt();
        long next = textExpiry == null ? Long.MAX_VALUE : clock.timeAt(textExpiry);
        for (int i = 0; i < devices.size(); i++) {
            next = Math.min(next, devices.get(i).heldUntil());
        }
        return next;
    }

    // ---- inputs ----

    /**
     * Takes a heartbeat.
     *
     * @param at its time on the partition
     * @param stamp what the broker's clock said then
     */
    @Nullable
    Refusal heartbeat(Heartbeat heartbeat, long at, long stamp, PartitionClock clock, Shards shards) {
        Device device = find(heartbeat.deviceId());
        boolean isNew = device == null;
        if (device == null) {
            if (heartbeat.connectionEnded() && heartbeat.state() == null) {
                return null; // there is no state that could hold for the grace time
            }
            if (devices.size() >= rules.maxDevices() || !hasRoomFor(heartbeat.deviceId())) {
                return Refusal.TOO_MANY_DEVICES;
            }
            device = new Device(heartbeat.deviceId(), stamp);
            device.renew(at, heartbeat.leaseMs(), rules.leaseMs());
            devices.add(device);
            setShard(device, heartbeat.shard(), shards);
        }
        long time = Math.max(at, device.lastRecord()); // the order in the log is the truth
        PresenceState before = device.state();
        boolean endedBefore = device.connectionEnded();
        if (heartbeat.state() != null) {
            device.take(heartbeat.state(), stamp);
        }
        if (heartbeat.connectionEnded()) {
            device.end(time, Math.min(time + rules.graceMs(), shards.latestEnd(device, clock.now())));
        } else {
            device.renew(time, heartbeat.leaseMs(), rules.leaseMs());
            setShard(device, heartbeat.shard(), shards);
            if (device.state() == PresenceState.ONLINE && !hidden && stamp >= appearOfflineAt) {
                lastActive = Math.max(lastActive, stamp);
            }
        }
        boolean changed = isNew || before != device.state();
        if (changed) {
            if (!isNew) {
                left(before, stamp);
            }
            route(heartbeat.connectionEnded() ? Reason.CONNECTION_END : Reason.HEARTBEAT, stamp, clock);
            emit(stamp, stamp);
        }
        if (changed || endedBefore || device.connectionEnded() || device.needsSaving(rules.lastSeenPersistMs())) {
            needsSaving = true;
        }
        return null;
    }

    /**
     * Takes a heartbeat that was misrouted: one whose lease is over, or that is older than the device's last, changes nothing
     * (rule 7).
     *
     * @param firstStamp the stamp with which it was first written, as somebody says
     * @param arrivedAt the partition's time when it came
     */
    @Nullable
    Refusal misroutedHeartbeat(
            Heartbeat heartbeat, long firstStamp, long arrivedAt, PartitionClock clock, Shards shards) {
        Device device = find(heartbeat.deviceId());
        long at = Math.min(clock.timeAt(firstStamp), arrivedAt);
        boolean isOver = at + heartbeat.leaseMs().orElse(rules.leaseMs()) <= arrivedAt;
        if (isOver || (device != null && at < device.lastRecord())) {
            return null;
        }
        return heartbeat(heartbeat, at, clock.stampOf(at), clock, shards);
    }

    /**
     * Takes a text.
     *
     * @param writtenAt the stamp with which it was first written
     * @param stamp the one with which it arrived, no earlier than that
     */
    void status(StatusText newStatus, long writtenAt, long stamp, PartitionClock clock) {
        StatusText taken =
                newStatus.isExpired(Math.max(stamp, clock.stampOf(clock.now()))) ? StatusText.NONE : newStatus;
        boolean newText = !Objects.equals(taken.text(), status.text());
        status = taken;
        statusAt = writtenAt;
        needsSaving = true;
        if (newText) {
            route(Reason.STATUS, stamp, clock);
        }
        emit(stamp, stamp);
        routeIfBlank(stamp, clock);
    }

    /** Takes a flag; times as with {@link #status}. */
    void appearOffline(boolean on, long writtenAt, long stamp, PartitionClock clock) {
        appearOfflineAt = writtenAt;
        needsSaving = true;
        if (on != hidden) {
            hidden = on;
            route(Reason.APPEAR_OFFLINE, stamp, clock);
        }
        emit(stamp, stamp);
        routeIfBlank(stamp, clock);
    }

    /**
     * Lets time pass: ends what has come to its end by now, one instant after the other, so that what is emitted does not
     * depend on how often somebody looks.
     */
    void settle(PartitionClock clock, Shards shards) {
        long now = clock.now();
        while (true) {
            for (int i = 0; i < devices.size(); i++) {
                if (devices.get(i).heldUntil() <= now) {
                    shards.hold(devices.get(i), now);
                }
            }
            long instant = nextDeadline(clock);
            if (instant > now) {
                break;
            }
            endAll(instant, clock, shards);
        }
        if (forgettableSince != NEVER && devices.isEmpty() && forgottenAt() <= clock.stampOf(now)) {
            forget(clock);
        }
    }

    private void forget(PartitionClock clock) {
        long at = forgottenAt();
        if (emitted != null) {
            addAnnouncement(new Forgotten(at));
        }
        emitted = null;
        lastActive = NEVER;
        forgettableSince = NEVER;
        statusAt = NEVER;
        appearOfflineAt = NEVER;
        needsSaving = true;
        routeIfBlank(at, clock);
    }

    /** Takes what followed from the inputs since the last call. */
    Decision conclude(@Nullable Refusal refusal, PartitionClock clock) {
        if (!needsSaving && refusal == null) {
            return Decision.NOTHING;
        }
        Decision.Durable durable;
        if (!needsSaving) {
            durable = new Decision.Keep();
        } else if (isBlank()) {
            durable = new Decision.Erase();
        } else {
            durable = new Decision.Save(save(clock));
        }
        List<PresenceUpdate> toSay = updates == null ? List.of() : updates;
        List<RoutingView> toRoute = routing == null ? List.of() : routing;
        updates = null;
        routing = null;
        needsSaving = false;
        return new Decision(toSay, toRoute, durable, refusal);
    }

    // ---- what follows ----

    private void endAll(long instant, PartitionClock clock, Shards shards) {
        long onlineGone = NEVER;
        long idleGone = NEVER;
        long lastGone = NEVER;
        Reason reason = Reason.STATUS;
        for (Iterator<Device> all = devices.iterator(); all.hasNext(); ) {
            Device device = all.next();
            if (device.heldUntil() <= instant) {
                all.remove();
                shards.remove(device.shard());
                long gone = clock.stampOf(device.deadline());
                left(device.state(), gone);
                lastGone = Math.max(lastGone, gone);
                if (device.state() == PresenceState.ONLINE) {
                    onlineGone = Math.max(onlineGone, gone);
                } else if (device.state() == PresenceState.IDLE) {
                    idleGone = Math.max(idleGone, gone);
                }
                if (!device.connectionEnded()) {
                    reason = Reason.EXPIRY;
                } else if (reason == Reason.STATUS) {
                    reason = Reason.CONNECTION_END;
                }
            }
        }
        long stamp = clock.stampOf(instant);
        if (status.isExpired(stamp)) {
            status = StatusText.NONE;
        }
        needsSaving = true;
        route(reason, lastGone == NEVER ? stamp : lastGone, clock);
        // Only those who left a higher state than the one that remains have changed it.
        emit(unionOfDevices() == PresenceState.OFFLINE ? Math.max(onlineGone, idleGone) : onlineGone, stamp);
        routeIfBlank(stamp, clock);
    }

    /** Tells the operator's own services, if there are any: of each change, hidden or not. */
    private void route(Reason reason, long at, PartitionClock clock) {
        if (!rules.routing()) {
            return;
        }
        if (routing == null) {
            routing = new ArrayList<>(1);
        }
        routingSequence++;
        routing.add(new RoutingView(
                unionOfDevices(),
                hidden,
                status.text(),
                devices.stream().map(device -> device.routed(clock)).toList(),
                reason,
                routingSequence,
                at));
    }

    private void routeIfBlank(long at, PartitionClock clock) {
        if (isBlank() && routingSequence > 0) {
            route(Reason.FORGOTTEN, at, clock);
            routingSequence = 0;
        }
    }

    /** Says the visible state and text, if they differ from what was last emitted (rule 10). */
    private void emit(long stateChangedAt, long textChangedAt) {
        PresenceState state = visibleState();
        String text = status.text();
        boolean newState = emitted == null || emitted.state() != state;
        boolean newText = !Objects.equals(emitted == null ? null : emitted.status(), text);
        boolean nothingToSay = emitted == null && state == PresenceState.OFFLINE && text == null;
        if (!nothingToSay && (newState || newText)) {
            long changedAt = stateChangedAt == NEVER ? textChangedAt : stateChangedAt;
            long since = emitted != null && !newState ? emitted.since() : beginOf(state, changedAt);
            emitted = new Presence(
                    state,
                    emitted == null ? null : emitted.state(),
                    text,
                    since,
                    orNull(lastActive),
                    emitted == null ? 1 : emitted.sequence() + 1,
                    !newText ? since : newState ? Math.max(since, textChangedAt) : textChangedAt);
            addAnnouncement(emitted);
            needsSaving = true;
        }
        boolean nothingToForget = emitted == null && statusAt == NEVER && appearOfflineAt == NEVER;
        if (nothingToForget || text != null || hidden || state != PresenceState.OFFLINE) {
            forgettableSince = NEVER;
        } else if (forgettableSince == NEVER) {
            forgettableSince =
                    Math.max(Math.max(stateChangedAt, textChangedAt), emitted == null ? NEVER : emitted.since());
        }
    }

    /**
     * When a state began: at the change that caused it. But a held device is noticed to be gone long after its own
     * deadline (rule 13), and then the state is no older than the first remaining device in it, the last departure from a
     * higher one, and what was emitted before.
     */
    private long beginOf(PresenceState state, long changedAt) {
        long begin = emitted == null ? changedAt : Math.max(changedAt, emitted.since());
        if (hidden) {
            return begin; // which no device has a part in
        }
        if (state != PresenceState.ONLINE) {
            begin = Math.max(begin, leftOnline);
        }
        if (state == PresenceState.OFFLINE) {
            return Math.max(begin, leftIdle);
        }
        long first = Long.MAX_VALUE;
        for (Device device : devices) {
            if (device.state() == state) {
                first = Math.min(first, device.since());
            }
        }
        return Math.max(begin, first);
    }

    private void left(PresenceState state, long at) {
        if (hidden) {
            return;
        }
        switch (state) {
            case ONLINE -> leftOnline = Math.max(leftOnline, at);
            case IDLE -> leftIdle = Math.max(leftIdle, at);
            case OFFLINE -> {}
        }
    }

    private PresenceState visibleState() {
        return hidden ? PresenceState.OFFLINE : unionOfDevices();
    }

    /** Rule 1: ONLINE with a live ONLINE device; else IDLE with a live IDLE one; else OFFLINE. */
    private PresenceState unionOfDevices() {
        PresenceState union = PresenceState.OFFLINE;
        for (int i = 0; i < devices.size(); i++) {
            union = PresenceState.union(union, devices.get(i).state());
        }
        return union;
    }

    private long forgottenAt() {
        return forgettableSince + rules.retentionMs();
    }

    private boolean isBlank() {
        return devices.isEmpty() && status.text() == null && !hidden && emitted == null && forgettableSince == NEVER;
    }

    /** A heartbeat that names no shard leaves it as it was (rule 4). */
    private static void setShard(Device device, @Nullable String shard, Shards shards) {
        if (shard != null && !shard.equals(device.shard())) {
            shards.remove(device.shard());
            shards.add(shard);
            device.shard = shard;
        }
    }

    private @Nullable Device find(String deviceId) {
        for (int i = 0; i < devices.size(); i++) {
            if (devices.get(i).id.equals(deviceId)) {
                return devices.get(i);
            }
        }
        return null;
    }

    /**
     * Whether what is stored of the user stays within its bounds with one more device, whatever its later heartbeats name.
     */
    private boolean hasRoomFor(String deviceId) {
        long bytes = deviceBytes(deviceId);
        for (int i = 0; i < devices.size(); i++) {
            bytes += deviceBytes(devices.get(i).id);
        }
        return bytes <= PresenceRules.MAX_DEVICES_BYTES;
    }

    private static int deviceBytes(String id) {
        return id.getBytes(StandardCharsets.UTF_8).length + PresenceRules.DEVICE_BYTES;
    }

    private void addAnnouncement(PresenceUpdate update) {
        if (updates == null) {
            updates = new ArrayList<>(1);
        }
        updates.add(update);
    }

    private UserSnapshot save(PartitionClock clock) {
        return new UserSnapshot(
                devices.stream().map(Device::save).toList(),
                status,
                hidden,
                emitted,
                orNull(lastActive),
                orNull(forgettableSince),
                orNull(statusAt),
                orNull(appearOfflineAt),
                orNull(leftOnline),
                orNull(leftIdle),
                routingSequence,
                clock.ahead());
    }

    static @Nullable Long orNull(long time) {
        return time == NEVER ? null : (Long) time;
    }

    static long orNever(@Nullable Long time) {
        return time == null ? NEVER : time;
    }
}
