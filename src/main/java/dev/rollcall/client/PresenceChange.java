package dev.rollcall.client;

import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.PresenceUpdate.Presence;
import dev.rollcall.domain.UserId;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link PresenceSubscriber} tells its listener of a user.
 *
 * @param before the state that was last delivered here; where none was, the record's own {@code previous_state}; null:
 *     nothing was said before, or this is a {@link Kind#SNAPSHOT}
 * @param after null: the user was {@link Kind#FORGOTTEN}
 * @param gap false: nothing was said between {@code before} and {@code after}. True: there may have been changes
 *     between them that are not delivered here any more, because compaction took them away or because they were parked
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

    /** How this is meant. */
    public enum Kind {
        /** Where the user stands as this process begins with the partition: a state to know, not an event. */
        SNAPSHOT,
        /** The visible state or text changed. */
        CHANGE,
        /** There has been nothing to say for so long that the user is forgotten. */
        FORGOTTEN
    }

    PresenceChange asSnapshot() {
        return new PresenceChange(user, Kind.SNAPSHOT, null, after, false, sequence, at, partition, offset);
    }
}
