package dev.rollcall.client;

import dev.rollcall.client.PresenceChange.Kind;
import dev.rollcall.domain.Announcement.Presence;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.UserId;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What was said of the users of one partition, and what the next record means against that. First the records up to
 * {@link #snapshotEnd} are folded into one word on each user, then each record is a change. No Kafka here.
 */
final class PartitionView {
    /** About 150 bytes per user with its key: what stays in memory for as long as the partition does. */
    private record Known(PresenceState state, long sequence, long at) {}

    private enum Phase {
        FOLDING,
        SNAPSHOT,
        LIVE
    }

    private final int partition;
    private final long snapshotEnd;
    private final Map<UserId, Known> known = new HashMap<>();
    private final Map<UserId, PresenceChange> snapshot = new LinkedHashMap<>();
    private Phase phase = Phase.FOLDING;
    private long position;
    private long end;

    /**
     * @param position where reading begins
     * @param snapshotEnd the first offset that is a change and not the snapshot
     * @param end as far as is known
     */
    PartitionView(int partition, long position, long snapshotEnd, long end) {
        this.partition = partition;
        this.position = position;
        this.snapshotEnd = snapshotEnd;
        this.end = end;
    }

    /** All before this offset is dealt with. */
    long position() {
        return position;
    }

    /** What comes after this has nothing to do with users: transaction markers, holes. */
    void skipTo(long offset) {
        position = Math.max(position, offset);
    }

    /** Where the log ends, as far as is known. */
    long end() {
        return end;
    }

    void endIsAt(long offset) {
        end = Math.max(end, offset);
    }

    boolean isFolding() {
        return phase == Phase.FOLDING;
    }

    boolean isLive() {
        return phase == Phase.LIVE;
    }

    /** Whether, having read up to this offset, the snapshot is whole. */
    boolean reachesSnapshotEnd(long offset) {
        return offset >= snapshotEnd;
    }

    void endFolding() {
        phase = Phase.SNAPSHOT;
    }

    /** The next of the snapshot that was not yet given out; null: that was all, and the changes begin. */
    @Nullable
    PresenceChange nextOfSnapshot() {
        Iterator<PresenceChange> left = snapshot.values().iterator();
        if (left.hasNext()) {
            PresenceChange next = left.next();
            left.remove(); // so that the texts don't stay in memory
            return next;
        }
        phase = Phase.LIVE;
        skipTo(snapshotEnd);
        return null;
    }

    /** Takes a record into the snapshot. Returns whether it said something new. */
    boolean fold(UserId user, @Nullable Presence value, long at, long offset) {
        position = offset + 1;
        PresenceChange change = changeOf(user, value, at, offset);
        if (change == null) {
            return false;
        }
        took(change);
        snapshot.remove(user); // so that the snapshot is in the order of the log
        if (change.kind() != Kind.FORGOTTEN) {
            snapshot.put(user, change.asSnapshot());
        }
        return true;
    }

    /** What a record means; null: it was there before. */
    @Nullable
    PresenceChange changeOf(UserId user, @Nullable Presence value, long at, long offset) {
        Known last = known.get(user);
        PresenceState before = last == null ? null : last.state;
        if (value == null) {
            return new PresenceChange(user, Kind.FORGOTTEN, before, null, last == null, 0, at, partition, offset);
        }
        if (last == null) {
            return new PresenceChange(
                    user,
                    Kind.CHANGE,
                    value.previousState(),
                    value.at(at),
                    value.sequence() != 1,
                    value.sequence(),
                    at,
                    partition,
                    offset);
        }
        // The sequence alone won't do: it starts again when a user was forgotten, and compaction may have taken the
        // tombstone away. The instant tells: a record that is written twice has the instant that it had.
        if (value.sequence() <= last.sequence && at <= last.at) {
            return null;
        }
        boolean gap = value.sequence() != last.sequence + 1;
        return new PresenceChange(
                user, Kind.CHANGE, before, value.at(at), gap, value.sequence(), at, partition, offset);
    }

    /** The listener has it. */
    void took(PresenceChange change) {
        Presence after = change.after();
        if (after == null) {
            known.remove(change.user());
        } else {
            known.put(change.user(), new Known(after.state(), change.sequence(), change.at()));
        }
    }

    /** The listener would not have it, so that its next change comes with a gap. */
    void parked(PresenceChange change) {
        if (change.kind() == Kind.SNAPSHOT) {
            known.remove(change.user());
        }
    }
}
