package dev.rollcall.gateway;

import dev.rollcall.domain.Presence;
import dev.rollcall.domain.UserId;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A snapshot of presence, and then its changes. Several changes of a user between two polls are conflated into the last. */
public abstract sealed class PresenceSubscription implements AutoCloseable
        permits AllUsersSubscription, UsersSubscription {
    /** How long a token of another instance, which has read more, is waited for. */
    private static final long MAX_WAIT_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final PresenceFeed feed;
    private final Runnable onChange;
    private final long waitsUntil = System.nanoTime() + MAX_WAIT_NANOS;

    /** Where the last batch ended. Until it has begun: where it shall begin; null: with a snapshot. */
    private @Nullable BatchToken position;

    private boolean begun;
    private boolean snapshotIsDue;

    /** Whether {@link #collect} has left something. */
    boolean more;

    PresenceSubscription(PresenceFeed feed, @Nullable BatchToken from, Runnable onChange) {
        this.feed = feed;
        this.position = from;
        this.onChange = onChange;
    }

    /**
     * Part of a snapshot, or changes.
     *
     * @param snapshot whether a snapshot begins here: what the subscriber knew before is void
     * @param presences each user once
     * @param more whether the next poll has the rest
     * @param nextBatch where a later subscription continues after this batch
     */
    public record Batch(boolean snapshot, List<Found> presences, boolean more, BatchToken nextBatch) {}

    /** A user's last published presence, but for the state before; null: the user is not known, or was forgotten. */
    public record Found(UserId user, @Nullable Presence presence) {}

    /**
     * The next batch, or null if nothing has changed. Does not wait. For one thread at a time.
     *
     * @param maxUsers at most so many users where all users are subscribed to
     */
    public @Nullable Batch poll(int maxUsers) {
        Collected found = feed.read(copy -> {
            if (!begun && !begin(copy)) {
                return null;
            }
            List<PresenceRecord> records = new ArrayList<>();
            BatchToken end = collect(copy, maxUsers, records);
            boolean snapshot = snapshotIsDue;
            snapshotIsDue = false;
            position = end;
            return new Collected(snapshot, records, end);
        });
        if (found == null || (found.records.isEmpty() && !found.snapshot)) {
            return null;
        }
        return new Batch(
                found.snapshot,
                found.records.stream()
                        .map(record -> new Found(record.user(), record.presence()))
                        .toList(),
                more,
                found.end);
    }

    private record Collected(boolean snapshot, List<PresenceRecord> records, BatchToken end) {}

    /** Where a later subscription continues after what was polled; null: with a snapshot. For the thread that polls. */
    public @Nullable BatchToken position() {
        return position;
    }

    boolean hasBegun() {
        return begun;
    }

    /** Returns false while it waits for what another instance has read already. */
    private boolean begin(PresenceCopy copy) {
        BatchToken from = position;
        PresenceFeed.Standing standing = from == null ? PresenceFeed.Standing.VOID : feed.standing(from, copy);
        if (standing == PresenceFeed.Standing.AHEAD && System.nanoTime() - waitsUntil < 0) {
            return false;
        }
        boolean resumes = standing == PresenceFeed.Standing.USABLE;
        snapshotIsDue |= !resumes;
        begin(copy, resumes ? from : null);
        begun = true;
        feed.waitsNoLonger(this);
        return true;
    }

    /**
     * Watches these users from now on. The next batch has the present states of those who are new, and nothing more of the
     * others.
     *
     * @return false if this is a subscription to all users, which stays one
     */
    public abstract boolean watch(Set<UserId> users);

    /** Begins with a snapshot, or with what has changed since. */
    abstract void begin(PresenceCopy copy, @Nullable BatchToken from);

    /** Finds what is to be delivered next, and returns the end of it. */
    abstract BatchToken collect(PresenceCopy copy, int maxUsers, List<PresenceRecord> found);

    // ---- called by the feed's thread, the first two while nobody polls ----

    /** Makes the next batch the beginning of a new snapshot of a copy that is still empty. */
    void restart() {
        snapshotIsDue = true;
        position = null;
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
