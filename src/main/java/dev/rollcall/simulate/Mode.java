package dev.rollcall.simulate;

import dev.rollcall.domain.PresenceState;
import org.jspecify.annotations.Nullable;

/** What a simulated device is doing, and for how long, in seconds. */
enum Mode {
    ACTIVE(PresenceState.ONLINE, 60, 1_200),
    IDLE(PresenceState.IDLE, 60, 600),
    /** The connection was closed. */
    AWAY(null, 120, 1_800),
    /** No network for a while, without a close; shorter or longer than a lease of 30 s. */
    TUNNEL(null, 10, 90),
    /** Gone without a close: a flat battery, a lid that was shut. */
    VANISHED(null, 600, 3_600);

    /** Null: it sends nothing. */
    final @Nullable PresenceState state;

    private final int minSeconds;
    private final int maxSeconds;

    Mode(@Nullable PresenceState state, int minSeconds, int maxSeconds) {
        this.state = state;
        this.minSeconds = minSeconds;
        this.maxSeconds = maxSeconds;
    }

    /** {@code dice} is a random number, 0 to 1. */
    long durationMs(double dice) {
        return Math.round(1_000 * (minSeconds + dice * (maxSeconds - minSeconds)));
    }
}
