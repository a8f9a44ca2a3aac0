package dev.rollcall.client.reading;

import dev.rollcall.domain.PresenceState;
import org.jspecify.annotations.Nullable;

/**
 * A user's last record, and which record comes after it. When partitions are added a user may move to another one, and
 * the last record on the old one stays there: of two partitions' records the one with the later instant holds, and at the
 * same instant the one with the higher sequence.
 *
 * @param state null: the user was forgotten
 * @param sequence 0: the user was forgotten
 * @param at the instant of the change, in ms since the epoch
 */
public record LastRecord(@Nullable PresenceState state, int partition, long sequence, long at) {

    /** Whether a record that is read after this one holds now; otherwise it is a duplicate, or older. */
    public boolean isReplacedBy(LastRecord next) {
        if (partition != next.partition) {
            return at < next.at || (at == next.at && sequence < next.sequence);
        }
        // The sequence does not tell a duplicate: it starts again after the user was forgotten, and compaction may have
        // removed the tombstone. A record that was written twice has the same instant both times.
        return state == null || next.state == null || next.sequence > sequence || next.at > at;
    }
}
