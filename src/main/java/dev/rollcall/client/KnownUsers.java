package dev.rollcall.client;

import dev.rollcall.client.PresenceChange.Kind;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.PresenceUpdate.Presence;
import dev.rollcall.domain.UserId;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What was last heard of each user, on whichever partition, and what the next record means against that. Where
 * partitions were added a user's records go on on another one than before, and the last record on the old one stays
 * there: of two partitions the later instant holds, and at the same instant the higher sequence. No Kafka here.
 */
final class KnownUsers {
    /**
     * About 150 bytes per user with its key: what stays in memory for as long as the partition does.
     *
     * @param state null: the user was forgotten
     */
    private record Known(@Nullable PresenceState state, int partition, long sequence, long at) {
        boolean isOlderThan(long otherSequence, long otherAt) {
            return at < otherAt || (at == otherAt && sequence < otherSequence);
        }
    }

    private final Map<UserId, Known> known = new HashMap<>();

    /** While it is so, those who were forgotten are kept, so that no older word on them is taken for news. */
    private boolean olderMayCome = true;

    /** What a record means; null: it was there before, or there was a later one on another partition. */
    @Nullable
    PresenceChange changeOf(UserId user, @Nullable Presence value, long at, int partition, long offset) {
        Known last = known.get(user);
        long sequence = value == null ? 0 : value.sequence();
        if (last != null && last.partition != partition && !last.isOlderThan(sequence, at)) {
            return null;
        }
        PresenceState before = last == null ? null : last.state;
        if (value == null) {
            return new PresenceChange(user, Kind.FORGOTTEN, before, null, before == null, 0, at, partition, offset);
        }
        if (last == null || before == null) {
            return new PresenceChange(
                    user,
                    Kind.CHANGE,
                    value.previousState(),
                    value.at(at),
                    sequence != 1,
                    sequence,
                    at,
                    partition,
                    offset);
        }
        // The sequence alone won't do: it starts again when a user was forgotten, and compaction may have taken the
        // tombstone away. The instant tells: a record that is written twice has the instant that it had.
        if (last.partition == partition && sequence <= last.sequence && at <= last.at) {
            return null;
        }
        boolean gap = sequence != last.sequence + 1;
        return new PresenceChange(user, Kind.CHANGE, before, value.at(at), gap, sequence, at, partition, offset);
    }

    /** The listener has it, or is going to have it with the snapshot. */
    void took(PresenceChange change) {
        Presence after = change.after();
        if (after == null && !olderMayCome) {
            known.remove(change.user());
        } else {
            known.put(
                    change.user(),
                    new Known(
                            after == null ? null : after.state(), change.partition(), change.sequence(), change.at()));
        }
    }

    /** Whether nothing was heard of the user since this change. */
    boolean isLatest(PresenceChange change) {
        Known last = known.get(change.user());
        return last != null
                && last.partition == change.partition()
                && last.sequence == change.sequence()
                && last.at == change.at();
    }

    boolean isKnown(UserId user) {
        Known last = known.get(user);
        return last != null && last.state != null;
    }

    void remove(UserId user) {
        known.remove(user);
    }

    /** A user of a log that is not there any more. */
    record Vanished(PresenceState state, long at) {}

    /** Drops what was heard on a partition, and returns it. */
    Map<UserId, Vanished> drop(int partition) {
        Map<UserId, Vanished> gone = new HashMap<>();
        for (Iterator<Map.Entry<UserId, Known>> all = known.entrySet().iterator(); all.hasNext(); ) {
            Map.Entry<UserId, Known> one = all.next();
            Known last = one.getValue();
            if (last.partition == partition) {
                if (last.state != null) {
                    gone.put(one.getKey(), new Vanished(last.state, last.at));
                }
                all.remove();
            }
        }
        return gone;
    }

    /** Whether some partition was not yet read to its end, so that an older word on somebody may still come. */
    void olderMayCome(boolean may) {
        if (olderMayCome && !may) {
            known.values().removeIf(last -> last.state == null);
        }
        olderMayCome = may;
    }

    int size() {
        return known.size();
    }
}
