package dev.rollcall.client;

import dev.rollcall.client.PresenceChange.Kind;
import dev.rollcall.client.reading.LastRecord;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.UserId;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Each user's last record, from which the change that the next record makes is computed: about 150 bytes per user. Knows
 * no Kafka client.
 */
final class KnownUsers {
    private final Map<UserId, LastRecord> known = new HashMap<>();

    private boolean keepForgotten = true;

    /** The change that a record makes; null: it is a duplicate, or a later one is on another partition. */
    @Nullable
    PresenceChange changeOf(UserId user, @Nullable Presence value, long at, int partition, long offset) {
        LastRecord last = known.get(user);
        long sequence = value == null ? 0 : value.sequence();
        if (last != null
                && !last.isReplacedBy(new LastRecord(value == null ? null : value.state(), partition, sequence, at))) {
            return null;
        }
        PresenceState before = last == null ? null : last.state();
        if (value == null) {
            return new PresenceChange(user, Kind.FORGOTTEN, before, null, before == null, 0, at, partition, offset);
        }
        if (last == null || before == null) {
            return new PresenceChange(
                    user, Kind.CHANGE, value.previousState(), value, sequence != 1, sequence, at, partition, offset);
        }
        boolean gap = sequence != last.sequence() + 1;
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
                    new LastRecord(
                            after == null ? null : after.state(), change.partition(), change.sequence(), change.at()));
        }
    }

    /** Whether there was no later record of the user. */
    boolean isLatest(PresenceChange change) {
        LastRecord last = known.get(change.user());
        return last != null
                && last.partition() == change.partition()
                && last.sequence() == change.sequence()
                && last.at() == change.at();
    }

    boolean isKnown(UserId user) {
        LastRecord last = known.get(user);
        return last != null && last.state() != null;
    }

    void remove(UserId user) {
        known.remove(user);
    }

    /** Removes the users of a partition, and returns those who were not forgotten. */
    Map<UserId, LastRecord> removeAll(int partition) {
        Map<UserId, LastRecord> removed = new HashMap<>();
        for (Iterator<Map.Entry<UserId, LastRecord>> all = known.entrySet().iterator(); all.hasNext(); ) {
            Map.Entry<UserId, LastRecord> one = all.next();
            LastRecord last = one.getValue();
            if (last.partition() == partition) {
                if (last.state() != null) {
                    removed.put(one.getKey(), last);
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
            known.values().removeIf(last -> last.state() == null);
        }
        keepForgotten = keep;
    }

    int size() {
        return known.size();
    }
}
