package dev.rollcall.client;

import dev.rollcall.domain.Presence;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.UserId;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link PresenceSubscriber} delivers of a user.
 *
 * @param before the state that was last delivered here; where none was, the record's own {@code previous_state}; null:
 *     there is no state before, or this is a {@link Kind#SNAPSHOT}
 * @param after null: the user was {@link Kind#FORGOTTEN}
 * @param gap true: there may have been changes between {@code before} and {@code after} that are not delivered, because
 *     compaction removed them or because they were parked
 * @param sequence the record's: 1 for a user's first, and one more with each; 0 for {@link Kind#FORGOTTEN}, after which
 *     it starts at 1 again
 * @param at the instant of the change, in ms since the epoch
 * @param partition the record's, on the topic of presence
 * @param offset the record's
 */
public record PresenceChange(
        UserId user,
        Kind kind,
        @Nullable PresenceState before,
        @Nullable Presence after,
        boolean gap,
        long sequence,
        long at,
        int partition,
        long offset) {

    /** Why it is delivered. */
    public enum Kind {
        /** The user's state when this process starts reading the partition: not an event. */
        SNAPSHOT,
        /** The visible state or text changed. */
        CHANGE,
        /** The processor dropped the user, who had nothing to show for a long time (rule 11). */
        FORGOTTEN
    }

    PresenceChange asSnapshot() {
        return new PresenceChange(user, Kind.SNAPSHOT, null, after, false, sequence, at, partition, offset);
    }
}
