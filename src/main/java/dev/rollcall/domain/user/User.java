package dev.rollcall.domain.user;

import static dev.rollcall.domain.UserSnapshot.NEVER;

import dev.rollcall.domain.Decision;
import dev.rollcall.domain.Decision.StoreWrite;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceRules;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.PresenceUpdate;
import dev.rollcall.domain.Rejection;
import dev.rollcall.domain.RoutingView;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.domain.UserSnapshot.TakenEarly;
import dev.rollcall.time.LogActivity.Finding;
import dev.rollcall.time.PartitionClock;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One user: the devices, the text, whether the user appears offline, and what was emitted. Takes inputs, and collects what
 * follows from them until {@link #takeDecision}. Times in ms: {@code at} is the partition's time, a stamp is what a broker's
 * clock said (see {@link PartitionClock}).
 */
public final class User {
    private final UserId id;
    private final PresenceRules rules;
    private final PartitionClock clock;

    private final Devices devices;
    private final Emissions emissions;
    private final RoutingLog routing;
    private StatusText status;
    private boolean appearOffline;

    /** When the text and the flag that hold were written: a misrouted one that is older must not undo them (rule 7). */
    private long statusAt;

    private long appearOfflineAt;

    private @Nullable TakenEarly takenEarly;

    private List<PresenceUpdate> updates = List.of();
    private boolean needsStoring;

    public User(UserId id, UserSnapshot snapshot, PartitionScope scope) {
        this.id = id;
        rules = scope.rules();
        clock = scope.clock();
        devices = new Devices(snapshot.devices(), snapshot.leftOnline(), snapshot.leftIdle(), scope);
        emissions = new Emissions(snapshot.emitted(), snapshot.lastActive(), snapshot.forgettableSince());
        routing = new RoutingLog(rules.routing(), snapshot.routingSequence());
        status = snapshot.status();
        appearOffline = snapshot.appearOffline();
        statusAt = snapshot.statusAt();
        appearOfflineAt = snapshot.appearOfflineAt();
        takenEarly = snapshot.takenEarly();
    }

    public UserSnapshot snapshot() {
        return new UserSnapshot(
                devices.snapshot(),
                status,
                appearOffline,
                emissions.last(),
                emissions.lastActive(),
                emissions.forgettableSince(),
                statusAt,
                appearOfflineAt,
                devices.leftOnline(),
                devices.leftIdle(),
                routing.sequence(),
                clock.ahead(),
                takenEarly);
    }

    public UserId id() {
        return id;
    }

    public boolean appearsOffline() {
        return appearOffline;
    }

    /** The partition's time at which something may end that no session decides about; {@link Long#MAX_VALUE}: nothing can. */
    public long nextDeadline() {
        return Math.min(devices.nextOwnEnd(), textEnd());
    }

    private long textEnd() {
        Long textExpiry = status.expiresAt();
        return textExpiry == null ? Long.MAX_VALUE : clock.timeAt(textExpiry);
    }

    /**
     * Takes a heartbeat.
     *
     * @param at its time on the partition
     * @param stamp what the broker's clock said then
     * @return why it was refused; null: it was not
     */
    public @Nullable Rejection heartbeat(Heartbeat heartbeat, long at, long stamp) {
        Device device = devices.find(heartbeat.deviceId());
        if (devices.countsForNothing(heartbeat, device)) {
            return null;
        }
        boolean isNew = device == null;
        if (device == null) {
            if (heartbeat.connectionEnded() && heartbeat.state() == null) {
                return null; // there is no state that could hold for the grace time
            }
            if (devices.isFull(heartbeat.deviceId())) {
                return Rejection.TOO_MANY_DEVICES;
            }
            device = new Device(heartbeat.deviceId(), stamp);
            devices.add(device);
            devices.keepAlive(device, heartbeat, at);
        }
        long time = Math.max(at, device.lastRecord()); // the order in the log is the truth
        PresenceState before = device.state();
        boolean hadEnded = device.connectionEnded();
        if (heartbeat.state() != null) {
            device.take(heartbeat.state(), stamp);
        }
        if (heartbeat.connectionEnded()) {
            device.end(time, Math.min(time + rules.graceMs(), devices.latestEnd(device, time)));
        } else {
            devices.keepAlive(device, heartbeat, time);
            if (device.state() == PresenceState.ONLINE && !appearOffline && stamp >= appearOfflineAt) {
                emissions.active(stamp);
            }
        }
        boolean changed = isNew || before != device.state();
        if (changed) {
            if (!isNew) {
                devices.left(before, stamp, !appearOffline);
            }
            route(
                    heartbeat.connectionEnded() ? RoutingView.Reason.CONNECTION_END : RoutingView.Reason.HEARTBEAT,
                    stamp);
            emit(false, stamp, stamp);
        }
        needsStoring |=
                changed || hadEnded || device.connectionEnded() || device.needsStoring(rules.lastSeenPersistMs());
        return null;
    }

    /** The last heartbeat was one of these, which were taken before their turn; null: it was taken in turn. */
    public void takenEarly(@Nullable TakenEarly heartbeats) {
        takenEarly = heartbeats;
    }

    /**
     * Takes a heartbeat that was misrouted, and first written with {@code firstStamp}, as somebody says: one whose lease is
     * over, or that is older than the device's last, changes nothing (rule 7). It came at the partition's time {@code arrivedAt}.
     */
    public @Nullable Rejection misroutedHeartbeat(Heartbeat heartbeat, long firstStamp, long arrivedAt) {
        Device device = devices.find(heartbeat.deviceId());
        long at = Math.min(clock.timeAt(firstStamp), arrivedAt);
        boolean isOver = at + devices.leaseMs(heartbeat, arrivedAt) <= arrivedAt;
        if (isOver || (device != null && at < device.lastRecord())) {
            return null;
        }
        return heartbeat(heartbeat, at, clock.stampOf(at));
    }

    /** Takes a text, and a heartbeat if one was written as one record with it: others see both at once. */
    public @Nullable Rejection status(StatusText newStatus, @Nullable Heartbeat with, long stamp) {
        return status(newStatus, with, stamp, stamp);
    }

    /**
     * Takes a text that was misrouted, and first written with {@code firstStamp}: one that was written before the one that
     * holds changes nothing (rule 7).
     */
    public void misroutedStatus(StatusText newStatus, long firstStamp, long stamp) {
        if (firstStamp >= statusAt) {
            var unused = status(newStatus, null, firstStamp, stamp);
        }
    }

    private @Nullable Rejection status(StatusText newStatus, @Nullable Heartbeat with, long writtenAt, long stamp) {
        long reached = Math.max(stamp, clock.stampOf(clock.now()));
        StatusText taken = newStatus.isExpired(reached) ? StatusText.NONE : newStatus;
        boolean isNewText = !Objects.equals(taken.text(), status.text());
        status = taken;
        statusAt = writtenAt;
        needsStoring = true;
        if (isNewText) {
            route(RoutingView.Reason.STATUS, stamp);
        }
        int before = updates.size();
        Rejection rejection = with == null ? null : heartbeat(with, clock.timeOf(stamp), stamp);
        emit(isNewText && updates.size() == before, stamp, stamp); // an update of the state has the text
        routeIfBlank(stamp);
        return rejection;
    }

    public void appearOffline(boolean newFlag, long stamp) {
        appearOffline(newFlag, stamp, stamp);
    }

    /** As {@link #misroutedStatus}. */
    public void misroutedAppearOffline(boolean newFlag, long firstStamp, long stamp) {
        if (firstStamp >= appearOfflineAt) {
            appearOffline(newFlag, firstStamp, stamp);
        }
    }

    private void appearOffline(boolean newFlag, long writtenAt, long stamp) {
        appearOfflineAt = writtenAt;
        needsStoring = true;
        if (newFlag != appearOffline) {
            appearOffline = newFlag;
            route(RoutingView.Reason.APPEAR_OFFLINE, stamp);
        }
        emit(false, stamp, stamp);
        routeIfBlank(stamp);
    }

    // ---- time ----

    /** After a restart, before the first record: makes the devices' shards known, and starts the clock at the last record. */
    public void restore(long clockAheadMs) {
        boolean isVisible = !appearOffline; // nobody may notice when a hidden user's devices wrote
        clock.startAt(isVisible ? devices.lastRecord() : PartitionClock.UNKNOWN, isVisible ? clockAheadMs : 0);
        devices.restore();
    }

    /** Extends the deadlines of devices that could not be heard from. */
    public void extendDeadlines(Finding finding) {
        devices.extendDeadlines(finding, !appearOffline);
    }

    /**
     * Ends what has come to its end by the last clock tick, one instant after the other, so that what is emitted does not depend
     * on how often this is called.
     */
    public void expire() {
        long now = clock.now();
        while (true) {
            devices.hold(now);
            long instant = Math.min(devices.nextEnd(), textEnd());
            if (instant > now) {
                break;
            }
            expireAt(instant);
        }
        long forgottenAt = emissions.forgottenAt(rules.retentionMs());
        if (devices.isEmpty() && forgottenAt <= clock.stampOf(now)) {
            add(emissions.forget(forgottenAt));
            statusAt = NEVER;
            appearOfflineAt = NEVER;
            needsStoring = true;
            routeIfBlank(forgottenAt);
        }
    }

    private void expireAt(long instant) {
        Departures departures = new Departures();
        for (Device device : devices.removeEnded(instant)) {
            long at = clock.stampOf(device.deadline());
            devices.release(device);
            devices.left(device.state(), at, !appearOffline);
            departures.add(device, at);
        }
        long stamp = clock.stampOf(instant);
        boolean isNewText = status.isExpired(stamp);
        if (isNewText) {
            status = StatusText.NONE;
        }
        needsStoring = true;
        route(departures.reason(), departures.isEmpty() ? stamp : departures.last());
        // A held device's state may have been taken up, or have gone with another device, since its own deadline.
        emit(isNewText, stamp, Math.max(departures.lastAbove(devices.union()), devices.earliestOf(devices.union())));
        routeIfBlank(stamp);
    }

    // ---- what follows ----

    /** Takes what has followed from the inputs and from time since the last call. */
    public Decision takeDecision(@Nullable Rejection rejection) {
        if (!needsStoring && rejection == null) {
            return Decision.NOTHING;
        }
        Decision decision = new Decision(updates, routing.take(), write(), rejection);
        updates = List.of();
        needsStoring = false;
        return decision;
    }

    private StoreWrite write() {
        if (!needsStoring || isBlank()) {
            return needsStoring ? new StoreWrite.Delete() : new StoreWrite.None();
        }
        devices.forEach(Device::stored);
        return new StoreWrite.Put(snapshot());
    }

    /**
     * Emits what others see, if that has changed.
     *
     * @param at when something may have changed
     * @param stateChangedAt since when the state is what it is, if it is another one than before
     */
    private void emit(boolean isNewText, long at, long stateChangedAt) {
        PresenceState state = appearOffline ? PresenceState.OFFLINE : devices.union();
        add(emissions.emit(state, status.text(), isNewText, at, stateChangedAt));
        boolean isRemembered = emissions.last() != null || statusAt != NEVER || appearOfflineAt != NEVER;
        if (isRemembered && status.text() == null && !appearOffline && state == PresenceState.OFFLINE) {
            emissions.startForgetting(at);
        } else {
            emissions.stopForgetting();
        }
    }

    private void add(@Nullable PresenceUpdate update) {
        if (update != null) {
            updates = updates.isEmpty() ? new ArrayList<>(1) : updates;
            updates.add(update);
            needsStoring = true;
        }
    }

    /** Tells the operator's own services of each change, hidden or not, if there are any. */
    private void route(RoutingView.Reason reason, long at) {
        routing.add(devices, appearOffline, status.text(), reason, at, clock);
    }

    private void routeIfBlank(long at) {
        if (isBlank() && routing.sequence() > 0) {
            route(RoutingView.Reason.FORGOTTEN, at);
            routing.restart();
        }
    }

    private boolean isBlank() {
        return devices.isEmpty()
                && status.text() == null
                && !appearOffline
                && emissions.last() == null
                && emissions.forgettableSince() == NEVER;
    }
}
