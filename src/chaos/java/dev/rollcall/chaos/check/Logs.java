package dev.rollcall.chaos.check;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The topics as they lie, each partition in the order of its offsets.
 *
 * @param readAt when the presence was read, by the brokers' clock in ms since the epoch: what lay in the inputs by
 *     then, less the slack, must be answered
 * @param presence all that was emitted; nothing of it may have been compacted away
 * @param compacted the last record of each user who has one that is no tombstone, as a new consumer sees it; null: was
 *     not read
 */
public record Logs(
        long readAt,
        List<Entry> heartbeats,
        List<Entry> statuses,
        List<Entry> flags,
        List<Entry> presence,
        @Nullable List<Entry> compacted) {

    /** The same inputs with another output, which is not compacted. */
    public Logs withPresence(List<Entry> other) {
        return new Logs(readAt, heartbeats, statuses, flags, other, null);
    }
}
