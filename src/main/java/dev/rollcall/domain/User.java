package dev.rollcall.domain;

import dev.rollcall.domain.Announcement.Forgotten;
import dev.rollcall.domain.Announcement.Presence;
import dev.rollcall.domain.RoutingView.Reason;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One user: the devices, the text, the flag, and what was last said. Takes inputs, and collects what follows from them
 * until {@link #conclude}. All times in ms since the epoch.
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
    Presence said;

    long lastActive = NEVER;
    long quietSince = NEVER;

    /** When a device last left ONLINE, and IDLE. Only where a device was held can that be after its own deadline. */
    long leftOnline = NEVER;

    long leftIdle = NEVER;
    long routingSequence;

    // What follows from the input.
    private @Nullable List<Announcement> announcements;
    private @Nullable List<RoutingView> routing;
    private boolean needsSaving;

    User(UserId id, PresenceRules rules) {
        this.id = id;
        this.rules = rules;
    }

    static User of(UserId id, UserFacts facts, PresenceRules rules) {
        User user = new User(id, rules);
        facts.devices().forEach(device -> user.devices.add(Device.of(device)));
        user.status = facts.status();
        user.hidden = facts.hidden();
        user.said = facts.said();
        user.lastActive = orNever(facts.lastActive());
        user.quietSince = orNever(facts.quietSince());
        user.leftOnline = orNever(facts.leftOnline());
        user.leftIdle = orNever(facts.leftIdle());
        user.routingSequence = facts.routingSequence();
        return user;
    }

    List<Device> devices() {
        return devices;
    }

    /** The first time at which something of this user may end; {@link Long#MAX_VALUE}: nothing can. */
    long nextDeadline() {
        Long textExpiry = status.expiresAt();
        long next = textExpiry == null ? Long.MAX_VALUE : textExpiry;
        for (int i = 0; i < devices.size(); i++) {
            next = Math.min(next, devices.get(i).heldUntil());
        }
        return next;
    }

    // ---- inputs ----

    @Nullable
    Refusal heartbeat(Heartbeat heartbeat, long at, long now, Shards shards) {
        Device device = find(heartbeat.deviceId());
        long leaseMs = heartbeat.leaseMs().orElse(rules.leaseMs());
        if (at + leaseMs <= now || (device != null && at < device.lastRecord())) {
            return null; // rule 7: it comes too late to change anything
        }
        boolean isNew = device == null;
        if (device == null) {
            if (heartbeat.connectionEnded() && heartbeat.state() == null) {
                return null; // there is no state that could hold for the grace time
            }
            if (devices.size() >= rules.maxDevices() || !hasRoomFor(heartbeat.deviceId())) {
                return Refusal.TOO_MANY_DEVICES;
            }
            device = new Device(heartbeat.deviceId(), at, leaseMs, heartbeat.shard());
            devices.add(device);
        }
        PresenceState before = device.state();
        boolean endedBefore = device.connectionEnded();
        if (heartbeat.state() != null) {
            device.take(heartbeat.state(), at);
        }
        if (heartbeat.connectionEnded()) {
            device.end(at, Math.min(at + rules.graceMs(), shards.latestEnd(device, now)));
        } else {
            device.renew(at, leaseMs, heartbeat.shard());
            if (device.state() == PresenceState.ONLINE && !hidden) {
                lastActive = Math.max(lastActive, at);
            }
        }
        boolean changed = isNew || before != device.state();
        if (changed) {
            if (!isNew) {
                left(before, at);
            }
            route(heartbeat.connectionEnded() ? Reason.CONNECTION_END : Reason.HEARTBEAT, at);
            announce(at, at);
        }
        if (changed || endedBefore || device.connectionEnded() || device.needsSaving(rules.lastSeenPersistMs())) {
            needsSaving = true;
        }
        return null;
    }

    void status(StatusText newStatus, long at, long now) {
        StatusText taken = newStatus.isExpired(Math.max(at, now)) ? StatusText.NONE : newStatus;
        if (!taken.equals(status)) {
            boolean newText = !Objects.equals(taken.text(), status.text());
            status = taken;
            needsSaving = true;
            if (newText) {
                route(Reason.STATUS, at);
            }
            announce(at, at);
            routeIfBlank(at);
        }
    }

    void appearOffline(boolean on, long at) {
        if (on != hidden) {
            hidden = on;
            needsSaving = true;
            route(Reason.APPEAR_OFFLINE, at);
            announce(at, at);
            routeIfBlank(at);
        }
    }

    /**
     * Lets time pass: ends what has come to its end by now, one instant after the other, so that what is said does not
     * depend on how often somebody looks.
     */
    void settle(long now, Shards shards) {
        while (true) {
            for (int i = 0; i < devices.size(); i++) {
                if (devices.get(i).heldUntil() <= now) {
                    shards.hold(devices.get(i), now);
                }
            }
            long instant = nextDeadline();
            if (instant > now) {
                break;
            }
            endAll(instant);
        }
        if (quietSince != NEVER && devices.isEmpty() && forgottenAt() <= now) {
            long at = forgottenAt();
            addAnnouncement(new Forgotten(at));
            said = null;
            lastActive = NEVER;
            quietSince = NEVER;
            needsSaving = true;
            routeIfBlank(at);
        }
    }

    /** Takes what followed from the inputs since the last call. */
    Decision conclude(@Nullable Refusal refusal) {
        if (!needsSaving && refusal == null) {
            return Decision.NOTHING;
        }
        Decision.Durable durable;
        if (!needsSaving) {
            durable = new Decision.Keep();
        } else if (isBlank()) {
            durable = new Decision.Erase();
        } else {
            durable = new Decision.Save(save());
        }
        List<Announcement> toSay = announcements == null ? List.of() : announcements;
        List<RoutingView> toRoute = routing == null ? List.of() : routing;
        announcements = null;
        routing = null;
        needsSaving = false;
        return new Decision(toSay, toRoute, durable, refusal);
    }

    // ---- what follows ----

    private void endAll(long instant) {
        long onlineGone = NEVER;
        long idleGone = NEVER;
        long lastGone = NEVER;
        Reason reason = Reason.STATUS;
        for (Iterator<Device> all = devices.iterator(); all.hasNext(); ) {
            Device device = all.next();
            if (device.heldUntil() <= instant) {
                all.remove();
                left(device.state(), device.deadline());
                lastGone = Math.max(lastGone, device.deadline());
                if (device.state() == PresenceState.ONLINE) {
                    onlineGone = Math.max(onlineGone, device.deadline());
                } else if (device.state() == PresenceState.IDLE) {
                    idleGone = Math.max(idleGone, device.deadline());
                }
                if (!device.connectionEnded()) {
                    reason = Reason.EXPIRY;
                } else if (reason == Reason.STATUS) {
                    reason = Reason.CONNECTION_END;
                }
            }
        }
        if (status.isExpired(instant)) {
            status = StatusText.NONE;
        }
        needsSaving = true;
        route(reason, lastGone == NEVER ? instant : lastGone);
        // Only those who left a higher state than the one that remains have changed it.
        announce(unionOfDevices() == PresenceState.OFFLINE ? Math.max(onlineGone, idleGone) : onlineGone, instant);
        routeIfBlank(instant);
    }

    /** Tells the operator's own services, if there are any: of each change, hidden or not. */
    private void route(Reason reason, long at) {
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
                devices.stream().map(Device::routed).toList(),
                reason,
                routingSequence,
                at));
    }

    private void routeIfBlank(long at) {
        if (isBlank() && routingSequence > 0) {
            route(Reason.FORGOTTEN, at);
            routingSequence = 0;
        }
    }

    /** Says the visible state and text, if they differ from what was last said (rule 10). */
    private void announce(long stateChangedAt, long textChangedAt) {
        PresenceState state = visibleState();
        String text = status.text();
        boolean newState = said == null || said.state() != state;
        boolean newText = !Objects.equals(said == null ? null : said.status(), text);
        boolean nothingToSay = said == null && state == PresenceState.OFFLINE && text == null;
        if (!nothingToSay && (newState || newText)) {
            long changedAt = stateChangedAt == NEVER ? textChangedAt : stateChangedAt;
            long since = said != null && !newState ? said.since() : beginOf(state, changedAt);
            said = new Presence(
                    state,
                    said == null ? null : said.state(),
                    text,
                    since,
                    orNull(lastActive),
                    said == null ? 1 : said.sequence() + 1,
                    !newText ? since : newState ? Math.max(since, textChangedAt) : textChangedAt);
            addAnnouncement(said);
            needsSaving = true;
        }
        if (said == null || text != null || hidden || state != PresenceState.OFFLINE) {
            quietSince = NEVER;
        } else if (quietSince == NEVER) {
            quietSince = Math.max(Math.max(stateChangedAt, textChangedAt), said.since());
        }
    }

    /**
     * When a state began: at the change that caused it. But a held device is noticed to be gone long after its own
     * deadline (rule 13), and then the state is no older than the first remaining device in it, the last departure from a
     * higher one, and what was said before.
     */
    private long beginOf(PresenceState state, long changedAt) {
        long begin = said == null ? changedAt : Math.max(changedAt, said.since());
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
        return quietSince + rules.retentionMs();
    }

    private boolean isBlank() {
        return devices.isEmpty() && status.text() == null && !hidden && said == null;
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

    private void addAnnouncement(Announcement announcement) {
        if (announcements == null) {
            announcements = new ArrayList<>(1);
        }
        announcements.add(announcement);
    }

    private UserFacts save() {
        return new UserFacts(
                devices.stream().map(Device::save).toList(),
                status,
                hidden,
                said,
                orNull(lastActive),
                orNull(quietSince),
                orNull(leftOnline),
                orNull(leftIdle),
                routingSequence);
    }

    static @Nullable Long orNull(long time) {
        return time == NEVER ? null : (Long) time;
    }

    static long orNever(@Nullable Long time) {
        return time == null ? NEVER : time;
    }
}
