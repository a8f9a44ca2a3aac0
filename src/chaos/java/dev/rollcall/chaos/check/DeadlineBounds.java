package dev.rollcall.chaos.check;

import dev.rollcall.chaos.check.PartitionLog.Silence;
import dev.rollcall.chaos.check.SessionBounds.At;
import dev.rollcall.chaos.check.UserLog.Beat;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How early and how late a device may expire: beside its lease, a silent log, a silent shard and a take-over extend it.
 * All in ms by the partition's time.
 */
final class DeadlineBounds {
    private final History history;
    private final Settings settings;
    private final PartitionLog partition;
    private final Position position;
    private final boolean everHidden;
    private final SessionBounds sessions;
    private final Map<String, Set<String>> shardsOf = new HashMap<>();

    DeadlineBounds(History history, Position position) {
        this.history = history;
        this.settings = history.settings();
        this.partition = history.partition();
        this.position = position;
        this.sessions = new SessionBounds(history);
        this.everHidden = history.log().isEverHidden();
        for (Beat beat : history.log().beats) {
            if (beat.shard() != null) {
                shardsOf.computeIfAbsent(beat.device(), any -> new HashSet<>()).add(beat.shard());
            }
        }
    }

    /** Moves the bounds apart by as much as the stamps stepped back. */
    static void widen(Hypothesis hypothesis, long ms) {
        hypothesis.devices.stream()
                .filter(device -> device.hold() == null)
                .forEach(device -> hypothesis.put(device.withDeadline(
                        new Span(device.deadline().lo() - ms, device.deadline().hi() + ms),
                        device.ownLatest() + ms,
                        device.disturbed())));
    }

    /** Each disturbance adds to the deadline as earlier ones left it, if that has not ended the device yet. */
    static void beginDisturbance(Hypothesis hypothesis) {
        hypothesis.devices.forEach(device -> hypothesis.put(device.withDeadline(
                device.deadline(),
                Math.max(device.ownLatest(), device.deadline().hi()),
                device.disturbed())));
    }

    /**
     * Where the log was silent although a processor was running, a live device's deadline is extended by the length of
     * the silence, at most by a lease. That is certain for the first silence since its last record only: silences do not
     * add up.
     */
    void extendForSilence(Hypothesis hypothesis, Silence silence) {
        if (!history.mayExtend(silence)) {
            return;
        }
        long lasted = silence.to() - silence.from();
        boolean certain = silence.certain() && silence.sinceTickMs() <= settings.tickMs();
        for (Device device : hypothesis.devices) {
            if (device.hold() != null) {
                continue;
            }
            Span deadline = device.deadline();
            boolean recordBefore = device.lease().lastRecord() <= silence.from();
            long lo = deadline.lo();
            if (certain
                    && recordBefore
                    && lo > silence.from()
                    && lo == device.lease().end()) {
                lo = Math.max(
                        lo,
                        silence.to()
                                + Math.min(
                                        lasted, runningMs(device, device.lease().ms())));
            }
            long hi = deadline.hi();
            long ownLatest = device.ownLatest();
            boolean mayBeHeld = !device.lease().closed() && shardsOf.containsKey(device.id());
            boolean mayHaveBeenLive = hi + (mayBeHeld ? settings.shardHoldMs() : 0) > silence.from();
            if (mayHaveBeenLive && (recordBefore || !silence.certain() || device.disturbed())) {
                long extended = silence.to()
                        + Math.min(lasted, runningMs(device, device.lease().longestMs()));
                hi = Math.max(hi, extended);
                ownLatest = Math.max(ownLatest, extended);
            }
            if (lo != deadline.lo() || hi != deadline.hi()) {
                hypothesis.put(device.withDeadline(new Span(lo, hi), ownLatest, device.disturbed()));
            }
        }
    }

    private long runningMs(Device device, long leaseMs) {
        return device.lease().closed() ? settings.graceMs() : leaseMs;
    }

    /**
     * Extends deadlines where a task may have been taken over. The first record that the new owner reads may be as late as
     * that. But the owner before has read no clock tick by which the device had to end, so its end is noticed at most one
     * lease late for each time that the task may have changed hands in this disturbance (promise 4).
     */
    void extendForTakeOver(Hypothesis hypothesis, long at) {
        for (Device device : hypothesis.devices) {
            Span deadline = device.deadline();
            if (device.hold() != null) {
                hypothesis.put(device.withDeadline(deadline, device.ownLatest(), true));
                continue;
            }
            boolean mayBeHeld = !device.lease().closed() && shardsOf.containsKey(device.id());
            long before = (history.disturbances().all().takeOvers(at) - 1)
                    * device.lease().longestMs();
            long liveUntil = device.ownLatest() + before + (mayBeHeld ? settings.shardHoldMs() : 0);
            long goneBy = Math.max(
                    liveUntil + settings.tickMs() + settings.slackMs(),
                    history.clock().firstTimeFrom(liveUntil));
            long extended = Math.min(at, goneBy) + device.lease().longestMs();
            Span after = device.lease().closed()
                    ? new Span(Math.min(deadline.lo(), device.lease().endedBy()), deadline.hi())
                    : new Span(deadline.lo(), Math.max(deadline.hi(), extended));
            hypothesis.put(device.withDeadline(after, device.ownLatest(), true));
        }
        hypothesis.storedLastActive =
                hypothesis.emitted == null ? Hypothesis.NEVER : Hypothesis.orNever(hypothesis.emitted.lastActive());
    }

    /** Since when a device is OFFLINE when it ends, as far as that is known. */
    Span since(Device device) {
        Hold hold = device.hold();
        return hold == null ? device.deadline() : sessions.end(hold, here()).since();
    }

    /** No device ends before that time, if it has no further record of its own. */
    long due(Device device) {
        Hold hold = device.hold();
        return hold == null ? device.deadline().lo() : sessions.due(hold, here());
    }

    /** When a device has to end that is still there when the logs end. */
    long latest(Device device) {
        Hold hold = device.hold();
        if (hold != null) {
            return sessions.end(hold, new At(Long.MAX_VALUE, history.until()))
                    .shown()
                    .hi();
        }
        return device.deadline().hi()
                + (mayBeHeld(device, Long.MAX_VALUE, history.until()) ? settings.shardHoldMs() : 0);
    }

    /** Whether the session that holds a device has ended by that clock tick; null: it is open. */
    @Nullable
    Boolean hasSessionEnded(Hold hold, long now) {
        return sessions.hasEnded(hold, here(), now, position.disturbed);
    }

    /** Whether a session is certainly alive. */
    boolean isAlive(Hold.Session session) {
        return sessions.isAlive(session, here());
    }

    private At here() {
        return new At(position.offset, position.time);
    }

    /** When a device ends, as far as that is known when it is that time. */
    Span end(Device device, long now) {
        Hold hold = device.hold();
        if (hold != null) {
            return sessions.end(hold, here()).shown();
        }
        if (device.lease().closed() || device.deadline().lo() > now || !shardsOf.containsKey(device.id())) {
            return device.deadline();
        }
        if (device.deadline().isExact() && !device.disturbed() && !everHidden) {
            ShardLog shard = device.lease().shard() == null
                    ? null
                    : partition.shards.get(device.lease().shard());
            Long end = shard == null
                    ? (Long) device.deadline().lo()
                    : shard.end(
                            device.deadline().lo(),
                            device.lease().lastRecord(),
                            device.lease().ms(),
                            position.offset,
                            now);
            if (end != null) {
                return Span.at(end);
            }
        }
        return mayBeHeld(device, position.offset, now)
                ? new Span(device.deadline().lo(), device.deadline().hi() + settings.shardHoldMs())
                : device.deadline();
    }

    private boolean mayBeHeld(Device device, long atOffset, long now) {
        for (String name : shardsOf.getOrDefault(device.id(), Set.of())) {
            ShardLog shard = partition.shards.get(name);
            if (shard != null && shard.mayBeSilent(device.lease().lastRecord(), atOffset, now)) {
                return !device.lease().closed();
            }
        }
        return false;
    }
}
