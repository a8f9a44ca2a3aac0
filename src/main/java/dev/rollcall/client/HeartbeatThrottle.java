package dev.rollcall.client;

import dev.rollcall.domain.PresenceState;
import org.jspecify.annotations.Nullable;

/**
 * Which of one device's heartbeats are worth sending: those that change something, at once; of those that change
 * nothing, one per interval. It lives from the device's first heartbeat to its end, so that the first one after an end
 * goes out at once too. {@code now} is an argument, in ms from any fixed point; not thread-safe.
 *
 * <p>Relays that change nothing were found to be the dominant cost of presence in a homeserver (element-hq/synapse
 * #19941).
 */
final class HeartbeatThrottle {
    /** What to do with a heartbeat. */
    enum Verdict {
        /** It says something new: send it. */
        CHANGE,
        /** It says nothing new, but it is time: send it. */
        DUE,
        /** Too soon after the last one. */
        TOO_SOON
    }

    private final long intervalMs;
    private final long phaseMs;

    private boolean begun;
    private @Nullable PresenceState state;
    private long due;

    /**
     * A device of which nothing was sent yet.
     *
     * @param intervalMs the least time between two heartbeats that change nothing
     * @param phaseMs when, counted from the first heartbeat, the next may follow: 1 to {@code intervalMs}. Drawn per
     *     device, it keeps those that begin together, after a restart of the shard for instance, from beating together
     *     ever after (the spikes of element-hq/synapse #15878). Earlier than the interval and not later, because every
     *     gap that is longer is one fewer heartbeat that can be lost
     */
    HeartbeatThrottle(long intervalMs, long phaseMs) {
        if (phaseMs < 1 || phaseMs > intervalMs) {
            throw new IllegalArgumentException("the phase must be 1 to %d ms: it is %d".formatted(intervalMs, phaseMs));
        }
        this.intervalMs = intervalMs;
        this.phaseMs = phaseMs;
    }

    /**
     * The device was heard from. Counts it as sent unless it is too soon.
     *
     * @param newState the state it takes; null: it keeps the one it has
     */
    Verdict heard(@Nullable PresenceState newState, long now) {
        if (!begun) {
            begun = true;
            state = newState;
            due = now + phaseMs;
            return Verdict.CHANGE;
        }
        if (newState != null && newState != state) {
            // Leaves the due time alone: moving it would undo the phase for everybody who changes together.
            state = newState;
            return Verdict.CHANGE;
        }
        if (now < due) {
            return Verdict.TOO_SOON;
        }
        due = now + intervalMs;
        return Verdict.DUE;
    }

    /** What was to be sent could not be: the next heartbeat is due at once. */
    void failed(long now) {
        due = Math.min(due, now);
    }

    /** The last state that was named; null: none was. */
    @Nullable
    PresenceState state() {
        return state;
    }

    /** From when on a heartbeat that changes nothing is sent. */
    long due() {
        return due;
    }
}
