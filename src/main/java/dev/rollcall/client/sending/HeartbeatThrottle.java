package dev.rollcall.client.sending;

import dev.rollcall.domain.PresenceState;
import org.jspecify.annotations.Nullable;

/**
 * Decides which of one device's heartbeats with a lease are sent: those that change something at once, the others once per interval.
 * There is a new throttle after a device's end, so that its next heartbeat is sent at once. {@code now} is in ms from
 * any fixed point; not thread-safe.
 *
 * <p>Relays that change nothing were found to be the dominant cost of presence in a homeserver (element-hq/synapse
 * #19941).
 */
final class HeartbeatThrottle {
    /** What to do with a heartbeat. */
    enum Verdict {
        /** It is the first or changes the state: send it. */
        CHANGE,
        /** It changes nothing, but the interval is over: send it. */
        DUE,
        /** It changes nothing, and the interval is not over: drop it. */
        TOO_SOON
    }

    private final long intervalMs;
    private final long phaseMs;

    private boolean begun;
    private @Nullable PresenceState state;
    private long due;

    /**
     * Has sent nothing yet.
     *
     * @param intervalMs the shortest time between two heartbeats that change nothing
     * @param phaseMs the time from the first heartbeat to the second, 1 to {@code intervalMs}. It differs from device to
     *     device, so that devices that connect at the same time, after a restart of the shard for instance, don't send
     *     at the same time from then on (the spikes of element-hq/synapse #15878). It is never longer than the interval,
     *     because fewer heartbeats could then be lost within a lease
     */
    HeartbeatThrottle(long intervalMs, long phaseMs) {
        if (phaseMs < 1 || phaseMs > intervalMs) {
            throw new IllegalArgumentException("the phase must be 1 to %d ms: it is %d".formatted(intervalMs, phaseMs));
        }
        this.intervalMs = intervalMs;
        this.phaseMs = phaseMs;
    }

    /**
     * Decides on a heartbeat, and counts it as sent unless it is {@link Verdict#TOO_SOON}.
     *
     * @param newState null: the device keeps its state
     */
    Verdict decide(@Nullable PresenceState newState, long now) {
        if (!begun) {
            begun = true;
            state = newState;
            due = now + phaseMs;
            return Verdict.CHANGE;
        }
        if (newState != null && newState != state) {
            // The due time stays: moving it would undo the phases of devices that change at the same time.
            state = newState;
            return Verdict.CHANGE;
        }
        if (now < due) {
            return Verdict.TOO_SOON;
        }
        due = now + intervalMs;
        return Verdict.DUE;
    }

    /** Another heartbeat has set the state: those to come must not undo it. */
    void stateWasSet(PresenceState newState) {
        state = newState;
    }

    /** The heartbeat could not be sent: the next one is due at once. */
    void failed(long now) {
        due = Math.min(due, now);
    }

    /** The last state that was given; null: none was. */
    @Nullable
    PresenceState state() {
        return state;
    }
}
