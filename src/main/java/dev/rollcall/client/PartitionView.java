package dev.rollcall.client;

import dev.rollcall.client.KnownUsers.Vanished;
import dev.rollcall.client.PresenceChange.Kind;
import dev.rollcall.domain.PresenceUpdate.Presence;
import dev.rollcall.domain.UserId;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How far one partition was read. First the records up to {@link Begin#snapshotEnd} are folded into one word on each
 * user, then each record is a change. No Kafka here.
 */
final class PartitionView {
    /**
     * How to begin with a partition.
     *
     * @param position where reading begins
     * @param snapshotEnd the first offset that is a change and not the snapshot
     * @param completeAt before this offset is what has to be delivered until there is nothing missing here: the
     *     snapshot, and where there is none, because the partition was added meanwhile, the changes that it had then
     * @param end where the log ended then
     */
    record Begin(long position, long snapshotEnd, long completeAt, long end) {}

    private enum Phase {
        FOLDING,
        SNAPSHOT,
        LIVE
    }

    private final int partition;
    private final Begin begin;
    private final KnownUsers users;
    private final Map<UserId, PresenceChange> snapshot = new LinkedHashMap<>();
    private Map<UserId, Vanished> vanished;
    private Phase phase = Phase.FOLDING;
    private long position;
    private long end;

    /**
     * A partition of which nothing was read yet.
     *
     * @param vanished who was known of the log that was here before; of those who are not in this one the listener is
     *     told that they were forgotten
     */
    PartitionView(int partition, Begin begin, KnownUsers users, Map<UserId, Vanished> vanished) {
        this.partition = partition;
        this.begin = begin;
        this.users = users;
        this.vanished = vanished;
        this.position = begin.position;
        this.end = begin.end;
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
        return offset >= begin.snapshotEnd;
    }

    void endFolding() {
        phase = Phase.SNAPSHOT;
        vanished.forEach((user, last) -> {
            if (!users.isKnown(user)) {
                snapshot.put(
                        user,
                        new PresenceChange(
                                user,
                                Kind.FORGOTTEN,
                                last.state(),
                                null,
                                true,
                                0,
                                last.at(),
                                partition,
                                Math.max(0, begin.snapshotEnd - 1)));
            }
        });
        vanished = Map.of();
    }

    /** The next of the snapshot that was not yet given out; null: that was all, and the changes begin. */
    @Nullable
    PresenceChange nextOfSnapshot() {
        Iterator<PresenceChange> left = snapshot.values().iterator();
        while (left.hasNext()) {
            PresenceChange next = left.next();
            left.remove(); // so that the texts don't stay in memory
            if (next.kind() == Kind.FORGOTTEN ? !users.isKnown(next.user()) : users.isLatest(next)) {
                return next; // otherwise a later word came from another partition meanwhile
            }
        }
        phase = Phase.LIVE;
        skipTo(begin.snapshotEnd);
        return null;
    }

    /** Takes a record into the snapshot. Returns whether it said something new. */
    boolean fold(UserId user, @Nullable Presence value, long at, long offset) {
        position = offset + 1;
        PresenceChange change = changeOf(user, value, at, offset);
        if (change == null) {
            return false;
        }
        users.took(change);
        snapshot.remove(user); // so that the snapshot is in the order of the log
        if (change.kind() != Kind.FORGOTTEN) {
            snapshot.put(user, change.asSnapshot());
        }
        return true;
    }

    /** What a record means; null: it was there before. */
    @Nullable
    PresenceChange changeOf(UserId user, @Nullable Presence value, long at, long offset) {
        return users.changeOf(user, value, at, partition, offset);
    }

    /** The listener has it. */
    void took(PresenceChange change) {
        users.took(change);
        skipTo(change.offset() + 1);
    }

    /** The listener would not have it, so that its next change comes with a gap. */
    void parked(PresenceChange change) {
        if (change.kind() == Kind.SNAPSHOT) {
            users.remove(change.user());
        }
        skipTo(change.offset() + 1);
    }

    PresenceSubscriber.Progress progress() {
        return new PresenceSubscriber.Progress(position, end, isLive() && position >= begin.completeAt);
    }
}
