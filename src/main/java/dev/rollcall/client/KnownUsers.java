package dev.rollcall.client;

import dev.rollcall.client.PresenceChange.Kind;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.UserId;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Each user's last record, from which the change that the next record makes is computed. When partitions are added a
 * user may move to another one, and the last record on the old one stays there: of two partitions' records the one with
 * the later instant holds, and at the same instant the one with the higher sequence. Knows no Kafka client.
 */
final class KnownUsers {
    /**
     * What is kept of a user: about 150 bytes with its key.
     *
     * @param state null: the user was forgotten
     */
    private record Known(@Nullable PresenceState state, int partition, long sequence, long at) {
        boolean isOlderThan(long otherSequence, long otherAt) {
            return at < otherAt || (at == otherAt && sequence < otherSequence);
        }
    }

    private final Map<UserId, Known> known = new HashMap<>();

    private boolean keepForgotten = true;

    /** The change that a record makes; null: it is a duplicate, or a later one is on another partition. */
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
                    user, Kind.CHANGE, value.previousState(), value, sequence != 1, sequence, at, partition, offset);
        }
        // The sequence does not tell a duplicate: it starts again after the user was forgotten, and compaction may have
        // removed the tombstone. A record that was written twice has the same instant both times.
        if (last.partition == partition && sequence <= last.sequence && at <= last.at) {
            return null;
        }
        boolean gap = sequence != last.sequence + 1;
        return new PresenceChange(user, Kind.CHANGE, before, value, gap, sequence, at, partition, offset);
    }

    /** Takes over a change that was delivered, or is part of the snapshot. */
    void update(PresenceChange change) {
        Presence after = change.after();
        if (after == null && !keepForgotten) {
            known.remove(change.user());
        } else {
            known.put(
                    change.user(),
                    new Known(
                            after == null ? null : after.state(), change.partition(), change.sequence(), change.at()));
        }
    }

    /** Whether there was no later record of the user. */
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

    /** The last record of a user who was removed. */
    record LastKnown(PresenceState state, long at) {}

    /** Removes the users of a partition, and returns those who were not forgotten. */
    Map<UserId, LastKnown> removeAll(int partition) {
        Map<UserId, LastKnown> removed = new HashMap<>();
        for (Iterator<Map.Entry<UserId, Known>> all = known.entrySet().iterator(); all.hasNext(); ) {
            Map.Entry<UserId, Known> one = all.next();
            Known last = one.getValue();
            if (last.partition == partition) {
                if (last.state != null) {
                    removed.put(one.getKey(), new LastKnown(last.state, last.at));
                }
                all.remove();
            }
        }
        return removed;
    }

    /**
     * Whether to remember who was forgotten, initially yes. It is needed as long as a partition was not read to its end:
     * an older record on it must not bring the user back.
     */
    void keepForgotten(boolean keep) {
        if (keepForgotten && !keep) {
            known.values().removeIf(last -> last.state == null);
        }
        keepForgotten = keep;
    }

    int size() {
        return known.size();
    }
}
