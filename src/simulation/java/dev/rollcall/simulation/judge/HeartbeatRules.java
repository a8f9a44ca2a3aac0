package dev.rollcall.simulation.judge;

import dev.rollcall.simulation.judge.Decoded.Heartbeat;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** What a heartbeat does to a user's devices: rules 2 to 5, 7, 9, 12 and 14. */
final class HeartbeatRules {
    /** All of a user's devices have to fit into that, where each takes its id and 600 bytes (rule 12). */
    private static final int MAX_USER_BYTES = 768 * 1024;

    private static final int DEVICE_BYTES = 600;

    private final Ground ground;
    private final JudgeSettings settings;

    HeartbeatRules(Ground ground) {
        this.ground = ground;
        this.settings = ground.settings;
    }

    /** Whether the heartbeat does the one thing that nearly all do, in which no rule leaves anything open. */
    static boolean isPlain(Variant variant, Heartbeat heartbeat, Moment moment) {
        if (moment.misrouted() || moment.lo() != moment.hi() || heartbeat.closed() || heartbeat.session() != null) {
            return false;
        }
        Device device = variant.device(heartbeat.device());
        return device == null || device.session == null;
    }

    void apply(User user, Variant variant, Heartbeat heartbeat, Moment written, Choices choices) {
        Moment moment = inOrder(variant.device(heartbeat.device()), written);
        variant.refuses = false;
        variant.mayRefuse = false;
        Device device = variant.device(heartbeat.device());
        if (device == null && isFull(variant, heartbeat)) {
            refuse(variant, heartbeat, moment);
            return;
        }
        if (device != null && moment.misrouted() && isOlder(device, moment, choices)) {
            return;
        }
        if (heartbeat.session() != null) {
            withSession(user, variant, device, heartbeat, moment, choices);
        } else if (moment.misrouted() && isOver(moment, leaseOf(heartbeat), choices)) {
            return;
        } else if (heartbeat.closed()) {
            closed(user, variant, device, heartbeat, moment);
        } else {
            withoutSession(user, variant, device, heartbeat, moment, choices);
        }
    }

    /** Rule 7: what is stamped behind the last record of its device counts from that one. */
    private static Moment inOrder(@Nullable Device device, Moment moment) {
        return device == null || moment.misrouted() || moment.lo() >= device.heardHi
                ? moment
                : new Moment(
                        Math.max(moment.lo(), device.heardLo),
                        Math.max(moment.hi(), device.heardHi),
                        moment.stamp(),
                        moment.arrived(),
                        moment.arrivedStamp(),
                        false);
    }

    /** Rule 12: one more live device than may be. Where the heartbeat would change nothing anyway, both are right. */
    private void refuse(Variant variant, Heartbeat heartbeat, Moment moment) {
        boolean changesNothing = heartbeat.closed() && (heartbeat.state() == null || heartbeat.session() != null);
        if (heartbeat.session() != null) {
            Session session = ground.shards.session(heartbeat);
            changesNothing |= session.superseded || session.saidEnded;
        }
        variant.mayRefuse = changesNothing || moment.misrouted();
        variant.refuses = !variant.mayRefuse;
    }

    private boolean isFull(Variant variant, Heartbeat heartbeat) {
        if (variant.devices.size() >= settings.maxDevicesPerUser()) {
            return true;
        }
        if (variant.devices.size() < MAX_USER_BYTES / (DEVICE_BYTES + 255L) - 1) {
            return false;
        }
        long bytes = (long) DEVICE_BYTES + utf8(heartbeat.device());
        for (Device device : variant.devices) {
            bytes += DEVICE_BYTES + utf8(device.id);
        }
        return bytes > MAX_USER_BYTES;
    }

    private static int utf8(String id) {
        return id.getBytes(StandardCharsets.UTF_8).length;
    }

    /** Rule 7: a misrouted record never undoes a newer one. Of two of one instant rules.md does not say which is newer. */
    private static boolean isOlder(Device device, Moment moment, Choices choices) {
        boolean surely = moment.stamp() < device.stampLo && moment.hi() < device.heardLo;
        boolean possibly = moment.stamp() <= device.stampHi || moment.lo() <= device.heardHi;
        return choices.between(surely, possibly);
    }

    /** Rule 7: a record whose lease is over when it arrives; by the last clock tick, or by its own place in the log. */
    private boolean isOver(Moment moment, long leaseMs, Choices choices) {
        return choices.between(
                moment.hi() + leaseMs <= ground.lastTick,
                moment.lo() + leaseMs <= Math.max(ground.lastTick, moment.arrived()));
    }

    private long leaseOf(Heartbeat heartbeat) {
        return heartbeat.lease() > 0 ? heartbeat.lease() : settings.deviceLeaseMs();
    }

    private void withSession(
            User user, Variant variant, @Nullable Device device, Heartbeat heartbeat, Moment moment, Choices choices) {
        Session session = ground.shards.session(heartbeat);
        if (session.superseded) {
            return;
        }
        if (heartbeat.closed()) {
            // Only of the session that holds the device: else it changes nothing, also of a device that nobody knows.
            if (device != null && device.session == session) {
                closed(user, variant, device, heartbeat, moment);
            }
            return;
        }
        if (session.saidEnded) {
            return;
        }
        boolean alive = choices.between(
                session.surelyAlive(moment.arrived()),
                session.possiblyAlive(moment.arrived()) || (ground.isTakenOver && session.mayBeStoredAlive()));
        if (!alive && moment.misrouted() && isOver(moment, settings.shardLeaseMs(), choices)) {
            return;
        }
        Device opened = device == null ? added(variant, heartbeat, moment) : device;
        opened.session = session;
        opened.shard = session.shard;
        opened.waiting = !alive;
        opened.lease(settings.shardLeaseMs(), settings.shardLeaseMs());
        opened.end(moment.lo() + settings.shardLeaseMs(), moment.hi() + settings.shardLeaseMs());
        session.users.add(user);
        if (!alive) {
            session.waiters.add(user);
        }
        opened(variant, opened, heartbeat, moment, device == null);
        user.lookAt(Ending.of(opened, ground, moment.lo()).endLo());
    }

    private void withoutSession(
            User user, Variant variant, @Nullable Device device, Heartbeat heartbeat, Moment moment, Choices choices) {
        if (device != null
                && device.session != null
                && !takesOver(device, device.session, heartbeat, moment, choices)) {
            // A state that is set while a connection is open does not end it.
            opened(variant, device, heartbeat, moment, false);
            return;
        }
        Device live = device == null ? added(variant, heartbeat, moment) : device;
        long leaseMs = leaseOf(heartbeat);
        boolean ownLease = heartbeat.lease() > 0 || device == null || device.closed || device.session != null;
        if (ownLease || (moment.hi() + leaseMs >= live.endHi && moment.lo() + leaseMs >= live.endLo)) {
            live.lease(leaseMs, leaseMs);
            live.end(moment.lo() + leaseMs, moment.hi() + leaseMs);
        } else {
            // Rule 4: the later of the two ends holds. Which of the two leases a later extension has is left open.
            live.lease(Math.min(live.leaseLo, leaseMs), Math.max(live.leaseHi, leaseMs));
            live.end(Math.max(live.endLo, moment.lo() + leaseMs), Math.max(live.endHi, moment.hi() + leaseMs));
        }
        live.session = null;
        live.waiting = false;
        if (heartbeat.shard() != null) {
            live.shard = heartbeat.shard();
        }
        opened(variant, live, heartbeat, moment, device == null);
        user.lookAt(live.endLo);
    }

    /** Rule 14: whether a heartbeat without a session takes the device over from the session that holds it. */
    private boolean takesOver(Device device, Session session, Heartbeat heartbeat, Moment moment, Choices choices) {
        if (heartbeat.lease() > 0 || device.closed || device.decided != null) {
            return true;
        }
        if (heartbeat.shard() != null && !heartbeat.shard().equals(session.shard)) {
            return true;
        }
        if (device.waiting) {
            // "Its own time counts": by the last clock tick, or by the record's own time.
            return choices.between(
                    device.endHi <= ground.lastTick, device.endLo <= Math.max(ground.lastTick, moment.arrived()));
        }
        return choices.between(session.surelyEnded(ground.lastTick), session.possiblyEnded(ground.lastTick));
    }

    private static Device added(Variant variant, Heartbeat heartbeat, Moment moment) {
        Device device = new Device(heartbeat.device());
        device.firstHeard = moment.hi();
        device.stateSince = Variant.NEVER;
        variant.devices.add(device);
        return device;
    }

    /** Rule 2, and last_active of rules 9 and 10. */
    private void opened(Variant variant, Device device, Heartbeat heartbeat, Moment moment, boolean isNew) {
        device.closed = false;
        device.cap = Long.MAX_VALUE;
        device.decided = null;
        State state = heartbeat.state();
        take(variant, device, state != null ? state : isNew ? State.ONLINE : device.state, moment, isNew);
        heard(device, moment);
        // One from before the flag was last changed was written when others were not to see it, or not yet.
        if (device.state == State.ONLINE && !variant.hidden && moment.stamp() >= variant.flagStamp) {
            variant.activeLo = Math.max(variant.activeLo, moment.stamp());
            variant.activeHi = Math.max(variant.activeHi, moment.stamp());
        }
    }

    private static void take(Variant variant, Device device, State taken, Moment moment, boolean isNew) {
        if (!isNew && taken != device.state) {
            variant.leaves(device.state, moment.stamp(), moment.stamp());
        }
        device.take(taken, moment.stamp());
    }

    private static void heard(Device device, Moment moment) {
        device.heardLo = moment.lo();
        device.heardHi = moment.hi();
        device.stampLo = moment.stamp();
        device.stampHi = moment.stamp();
    }

    /** Rule 5. It is not activity. */
    private void closed(User user, Variant variant, @Nullable Device device, Heartbeat heartbeat, Moment moment) {
        long graceLo = moment.lo() + settings.disconnectGraceMs();
        long graceHi = moment.hi() + settings.disconnectGraceMs();
        if (device == null) {
            if (heartbeat.state() == null) {
                return;
            }
            Device ending = added(variant, heartbeat, moment);
            ending.shard = heartbeat.shard();
            ending.lease(settings.disconnectGraceMs(), settings.disconnectGraceMs());
            ending.end(
                    Math.min(graceLo, moment.lo() + leaseOf(heartbeat)),
                    Math.min(graceHi, moment.hi() + leaseOf(heartbeat)));
            close(user, variant, ending, heartbeat, moment, true);
            return;
        }
        if (device.decided != null) {
            return;
        }
        if (device.closed) {
            // A second end: its own grace time, or the one that runs; never beyond the lease.
            device.end(Math.min(device.endLo, graceLo), Math.max(device.endLo, Math.min(graceHi, device.cap)));
        } else if (device.session != null && !device.waiting) {
            // Never beyond the end of the session's hold as it stands now.
            long holdMs = settings.shardHoldMs();
            device.cap = device.session.holdEndHi(holdMs);
            device.end(Math.min(graceLo, device.session.holdEndLo(holdMs)), Math.min(graceHi, device.cap));
        } else if (device.waiting) {
            long holdMs = settings.shardHoldMs();
            device.cap = device.endHi + holdMs;
            device.end(Math.min(graceLo, device.endLo + holdMs), Math.min(graceHi, device.endHi + holdMs));
        } else {
            closeLease(device, heartbeat, moment, graceLo, graceHi);
        }
        if (ground.isTakenOver) { // it is about to have one lease more, so that nothing cuts its grace time off
            device.endHi = Math.max(device.endHi, graceHi);
            device.cap = Math.max(device.cap, graceHi);
        }
        close(user, variant, device, heartbeat, moment, false);
    }

    /** A device that is held although its lease is over (rule 13), by a tick behind that, has its grace time. */
    private void closeLease(Device device, Heartbeat heartbeat, Moment moment, long graceLo, long graceHi) {
        Ending held = Ending.of(device, ground, moment.lo());
        boolean surelyHeld = device.endHi <= ground.lastTick && held.endLo() > moment.hi();
        long lo = surelyHeld ? Math.min(graceLo, held.endLo()) : Math.min(graceLo, device.endLo);
        long hi = Math.min(graceHi, Math.max(device.endHi, held.endHi()));
        if (device.endLo <= moment.hi() && held.endHi() > moment.lo()) {
            hi = graceHi;
        }
        if (heartbeat.lease() > 0) {
            lo = Math.min(lo, moment.lo() + heartbeat.lease());
            hi = Math.max(hi, Math.min(graceHi, moment.hi() + heartbeat.lease()));
        }
        device.cap = Math.max(device.endHi, hi);
        device.end(Math.min(lo, hi), hi);
    }

    private void close(User user, Variant variant, Device device, Heartbeat heartbeat, Moment moment, boolean isNew) {
        State state = heartbeat.state();
        if (state != null) {
            take(variant, device, state, moment, isNew);
        }
        device.closed = true;
        heard(device, moment);
        user.lookAt(Ending.of(device, ground, moment.lo()).endLo());
    }
}
