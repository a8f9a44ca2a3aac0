package dev.rollcall.gateway;

import dev.rollcall.domain.UserId;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A snapshot of presence, and then its changes. Several changes of a user between two polls are conflated into the last. */
public abstract sealed class PresenceSubscription implements AutoCloseable
        permits AllUsersSubscription, UsersSubscription {
    private final PresenceFeed feed;
    private final Runnable onChange;
    private boolean snapshotIsDue;

    /** Whether {@link #collect} has left something. */
    boolean more;

    PresenceSubscription(PresenceFeed feed, boolean snapshot, Runnable onChange) {
        this.feed = feed;
        this.snapshotIsDue = snapshot;
        this.onChange = onChange;
    }

    /**
     * Part of a snapshot, or changes.
     *
     * @param snapshot whether a snapshot begins here: what the subscriber knew before is void
     * @param presences each as {@link PresenceJson}, in UTF-8, each user once
     * @param more whether the next poll has the rest
     * @param nextBatch where a later subscription continues after this batch
     */
    public record Batch(boolean snapshot, List<byte[]> presences, boolean more, BatchToken nextBatch) {}

    /**
     * The next batch, or null if nothing has changed. Does not wait. For one thread at a time.
     *
     * @param maxUsers at most so many users where all users are subscribed to
     */
    public @Nullable Batch poll(int maxUsers) {
        Found found = feed.read(copy -> {
            List<PresenceRecord> records = new ArrayList<>();
            BatchToken end = collect(copy, maxUsers, records);
            boolean snapshot = snapshotIsDue;
            snapshotIsDue = false;
            return new Found(snapshot, records, end);
        });
        if (found == null || (found.records.isEmpty() && !found.snapshot)) {
            return null;
        }
        return new Batch(
                found.snapshot, found.records.stream().map(PresenceRecord::json).toList(), more, found.end);
    }

    private record Found(boolean snapshot, List<PresenceRecord> records, BatchToken end) {}

    /** Finds what is to be delivered next, and returns the end of it. */
    abstract BatchToken collect(PresenceCopy copy, int maxUsers, List<PresenceRecord> found);

    // ---- called by the feed's thread, the first two while nobody polls ----

    /** Makes the next batch the beginning of a new snapshot of a copy that is still empty. */
    void restart() {
        snapshotIsDue = true;
    }

    /** A user of this subscription has changed. */
    abstract void changed(UserId user);

    /** Tells the subscriber that there is something to poll. */
    void wake() {
        onChange.run();
    }

    @Override
    public abstract void close();
}
