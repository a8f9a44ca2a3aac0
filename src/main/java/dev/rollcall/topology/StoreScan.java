package dev.rollcall.topology;

import dev.rollcall.domain.UserId;
import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.memory.LiveUsers;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.Nullable;

/**
 * Finds users in the store for whom there may be something to do, slice by slice, one with each clock tick: those who could be
 * forgotten (rule 11), and those without a device whose text expires before long (rule 8). They outnumber all others, so they are
 * not kept in memory; it does no harm to forget one a day late.
 */
final class StoreScan {
    /** How many scans begin within the retention time: a user is forgotten no later than one interval after it. */
    private static final int SCANS_PER_RETENTION = 30;

    /** How many begin within the time from which on a text has to be in memory. */
    private static final int SCANS_PER_TEXT_HORIZON = 2;

    private static final int SLICE = 1_000;

    private final KeyValueStore<UserId, UserSnapshot> users;
    private final long retentionMs;
    private final long intervalMs;
    private long nextScan = Long.MIN_VALUE;
    private long askedAt = Long.MIN_VALUE;
    private @Nullable UserId reached;

    StoreScan(KeyValueStore<UserId, UserSnapshot> users, long retentionMs) {
        this.users = users;
        this.retentionMs = retentionMs;
        this.intervalMs = Math.max(
                1, Math.min(retentionMs / SCANS_PER_RETENTION, LiveUsers.TEXT_HORIZON_MS / SCANS_PER_TEXT_HORIZON));
    }

    /**
     * Whether to ask the partition for the time, so that the scan can go on: while it is under way, and now and then where
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
                    now < nextScan && nextScan - now <= intervalMs; // the stamps may have leapt ahead and returned
            if (isEarly) {
                return List.of();
            }
            nextScan = now + intervalMs;
        }
        List<UserId> due = new ArrayList<>();
        try (KeyValueIterator<UserId, UserSnapshot> slice = users.range(reached, null)) {
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
        return user.forgettableSince() != UserSnapshot.NEVER && user.forgettableSince() + retentionMs <= now;
    }

    private static boolean isTextNear(UserSnapshot user, long now) {
        Long expiresAt = user.status().expiresAt();
        return expiresAt != null && user.devices().isEmpty() && expiresAt - now <= LiveUsers.TEXT_HORIZON_MS;
    }
}
