package dev.rollcall.bench;

import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.UserId;
import java.util.HashMap;
import java.util.Map;

/** What was emitted in all, in figures that two contestants only share if they emitted the same. */
final class OutputDigest {
    private final Map<UserId, PresenceState> last = new HashMap<>();
    private long transitions;
    private long checksum;

    /**
     * The comparable part.
     *
     * @param live users who are not OFFLINE at the end
     * @param checksum over user, state and instant of every transition, in any order
     */
    record Figures(long transitions, long live, long checksum) {}

    /** Hashes the text, not the id: ids are hashed with a seed of their own in each process. */
    void transition(UserId user, PresenceState state, long at) {
        last.put(user, state);
        transitions++;
        checksum += LogPlan.mix(
                LogPlan.mix(user.toString().hashCode() * 31L + state.name().hashCode()) ^ at);
    }

    Figures figures() {
        long live = last.values().stream()
                .filter(state -> state != PresenceState.OFFLINE)
                .count();
        return new Figures(transitions, live, checksum);
    }
}
