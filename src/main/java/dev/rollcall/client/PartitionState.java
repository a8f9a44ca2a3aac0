package dev.rollcall.client;

import dev.rollcall.client.PresenceChange.Kind;
import dev.rollcall.client.PresenceSubscriber.Progress;
import dev.rollcall.client.reading.LastRecord;
import dev.rollcall.client.reading.StartOffsets;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.UserId;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How far one partition was processed. First the records up to {@link StartOffsets#snapshotEnd} are loaded, of which the
 * snapshot is each user's last; then the snapshot is delivered; then each record is a change. Knows no Kafka client.
 */
final class PartitionState {
    private enum Phase {
        LOADING,
        DELIVERING_SNAPSHOT,
        LIVE
    }

    private final int partition;
    private final StartOffsets start;
    private final KnownUsers users;
    private final Map<UserId, PresenceChange> snapshot = new LinkedHashMap<>();
    private Map<UserId, LastRecord> removed;
    private Phase phase = Phase.LOADING;
    private long position;
    private long end;

    /**
     * Nothing was read yet.
     *
     * @param removed the users of a log that this partition replaces; those who are not in this log are delivered as
     *     {@link Kind#FORGOTTEN}
     */
    PartitionState(int partition, StartOffsets start, KnownUsers users, Map<UserId, LastRecord> removed) {
        this.partition = partition;
        this.start = start;
        this.users = users;
        this.removed = removed;
        this.position = start.position();
        this.end = start.end();
    }

    /** All records before this offset are processed. */
    long position() {
        return position;
    }

    /** All records before this offset are processed, unless the position is higher already. */
    void advanceTo(long offset) {
        position = Math.max(position, offset);
    }

    void updateEnd(long offset) {
        end = Math.max(end, offset);
    }

    boolean isLoading() {
        return phase == Phase.LOADING;
    }

    boolean isLive() {
        return phase == Phase.LIVE;
    }

    /** Whether the snapshot has all its records when all before this offset are loaded. */
    boolean reachesSnapshotEnd(long offset) {
        return offset >= start.snapshotEnd();
    }

    void snapshotLoaded() {
        phase = Phase.DELIVERING_SNAPSHOT;
        long offset = Math.max(0, start.snapshotEnd() - 1);
        removed.forEach((user, last) -> {
            if (!users.isKnown(user)) {
                snapshot.put(
                        user,
                        new PresenceChange(
                                user, Kind.FORGOTTEN, last.state(), null, true, 0, last.at(), partition, offset));
            }
        });
        removed = Map.of();
    }

    /** The next user of the snapshot; null: all were returned, and the changes follow. */
    @Nullable
    PresenceChange nextOfSnapshot() {
        Iterator<PresenceChange> left = snapshot.values().iterator();
        while (left.hasNext()) {
            PresenceChange next = left.next();
            left.remove(); // so that the texts don't stay in memory
            // Another partition may have had a later record of the user meanwhile.
            if (next.kind() == Kind.FORGOTTEN ? !users.isKnown(next.user()) : users.isLatest(next)) {
                return next;
            }
        }
        phase = Phase.LIVE;
        advanceTo(start.snapshotEnd());
        return null;
    }

    /** Loads a record into the snapshot. Returns false if it is a duplicate. */
    boolean load(UserId user, @Nullable Presence value, long at, long offset) {
        position = offset + 1;
        PresenceChange change = changeOf(user, value, at, offset);
        if (change == null) {
            return false;
        }
        users.update(change);
        snapshot.remove(user); // so that the snapshot is in the order of the log
        if (change.kind() != Kind.FORGOTTEN) {
            snapshot.put(user, change.asSnapshot());
        }
        return true;
    }

    /** The change that a record makes; null: it is a duplicate. */
    @Nullable
    PresenceChange changeOf(UserId user, @Nullable Presence value, long at, long offset) {
        return users.changeOf(user, value, at, partition, offset);
    }

    void delivered(PresenceChange change) {
        users.update(change);
        advanceTo(change.offset() + 1);
    }

    /** The change was not delivered, so that the user's next one has a gap. */
    void parked(PresenceChange change) {
        if (change.kind() == Kind.SNAPSHOT) {
            users.remove(change.user());
        }
        advanceTo(change.offset() + 1);
    }

    Progress progress() {
        return new Progress(position, end, isLive() && position >= start.completeAt());
    }
}
