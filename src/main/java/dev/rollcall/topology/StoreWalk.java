package dev.rollcall.topology;

import dev.rollcall.domain.PresencePartition;
import dev.rollcall.domain.UserId;
import dev.rollcall.domain.UserSnapshot;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.Nullable;

/**
 * Finds the users who were quiet for the retention time (rule 11), and those without a device whose text expires before long
 * (rule 8), by walking slowly through the store, a slice with each pulse. They outnumber everybody else, so they are not kept
 * in memory, and nobody minds if one is forgotten a day late.
 */
final class StoreWalk {
    /** A walk begins this many times within the retention time: so much later than due is a user forgotten, at most. */
    private static final int WALKS_PER_RETENTION = 30;

    /** And within the time from which on a text has to be in memory: a walk takes far less than that. */
    private static final int WALKS_PER_TEXT_HORIZON = 2;

    private static final int SLICE = 1_000;

    private final KeyValueStore<UserId, UserSnapshot> users;
    private final long retentionMs;
    private final long intervalMs;
    private long nextWalk = Long.MIN_VALUE;
    private long askedAt = Long.MIN_VALUE;
    private @Nullable UserId reached;

    StoreWalk(KeyValueStore<UserId, UserSnapshot> users, long retentionMs) {
        this.users = users;
        this.retentionMs = retentionMs;
        this.intervalMs = Math.max(
                1,
                Math.min(
                        retentionMs / WALKS_PER_RETENTION, PresencePartition.TEXT_HORIZON_MS / WALKS_PER_TEXT_HORIZON));
    }

    /**
     * Whether to ask the partition for the time, so that the walk can go on: while it is under way, and now and then where
     * nobody else asks.
     *
     * @param elapsedMs on any clock: only how long ago the last call was that answered yes counts, and only as a reason to ask
     */
    boolean needsTime(long elapsedMs) {
        boolean longAgo = askedAt == Long.MIN_VALUE || Math.abs(elapsedMs - askedAt) >= intervalMs;
        boolean needed = (reached != null || longAgo) && users.approximateNumEntries() > 0;
        if (needed) {
            askedAt = elapsedMs;
        }
        return needed;
    }

    /** The users of the next slice for whom there may be something to do, as of now (a stamp, in ms since the epoch). */
    List<UserId> dueBy(long now) {
        if (reached == null) {
            boolean isEarly =
                    now < nextWalk && nextWalk - now <= intervalMs; // the stamps may have leapt ahead and returned
            if (isEarly) {
                return List.of();
            }
            nextWalk = now + intervalMs;
        }
        List<UserId> due = new ArrayList<>();
        try (KeyValueIterator<UserId, UserSnapshot> slice =
                reached == null ? users.all() : users.range(reached, null)) {
            for (int looked = 0; looked < SLICE && slice.hasNext(); looked++) {
                KeyValue<UserId, UserSnapshot> user = slice.next();
                reached = user.key;
                if (isForgettable(user.value, now) || isTextNear(user.value, now)) {
                    due.add(user.key);
                }
            }
            if (!slice.hasNext()) {
                reached = null;
            }
        }
        return due;
    }

    private boolean isForgettable(UserSnapshot user, long now) {
        return user.forgettableSince() != null && user.forgettableSince() + retentionMs <= now;
    }

    private static boolean isTextNear(UserSnapshot user, long now) {
        Long expiresAt = user.status().expiresAt();
        return expiresAt != null && user.devices().isEmpty() && expiresAt - now <= PresencePartition.TEXT_HORIZON_MS;
    }
}
