package dev.rollcall.topology;

import dev.rollcall.domain.UserFacts;
import dev.rollcall.domain.UserId;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.Nullable;

/**
 * Finds the users who were quiet for the retention time (rule 11) by walking slowly through the store, a slice with each
 * pulse. They outnumber everybody else, so they are not kept in memory, and nobody minds if one is forgotten a day late.
 */
final class RetentionWalk {
    /** A walk begins this many times within the retention time: so much later than due is a user forgotten, at most. */
    private static final int WALKS_PER_RETENTION = 30;

    private static final int SLICE = 1_000;

    private final KeyValueStore<UserId, UserFacts> users;
    private final long retentionMs;
    private final long intervalMs;
    private long nextWalk = Long.MIN_VALUE;
    private @Nullable UserId reached;

    RetentionWalk(KeyValueStore<UserId, UserFacts> users, long retentionMs) {
        this.users = users;
        this.retentionMs = retentionMs;
        this.intervalMs = Math.max(1, retentionMs / WALKS_PER_RETENTION);
    }

    /** Whether it is about time to go on, by whatever clock: only a reason to ask, not to forget anybody. */
    boolean isDue(long time) {
        return (reached != null || time >= nextWalk) && users.approximateNumEntries() > 0;
    }

    /** The users of the next slice who were quiet for the retention time, as of now (ms since the epoch). */
    List<UserId> dueBy(long now) {
        if (reached == null) {
            if (now < nextWalk) {
                return List.of();
            }
            nextWalk = now + intervalMs;
        }
        List<UserId> due = new ArrayList<>();
        try (KeyValueIterator<UserId, UserFacts> slice = reached == null ? users.all() : users.range(reached, null)) {
            for (int looked = 0; looked < SLICE && slice.hasNext(); looked++) {
                KeyValue<UserId, UserFacts> user = slice.next();
                reached = user.key;
                Long quietSince = user.value.quietSince();
                if (quietSince != null && quietSince + retentionMs <= now) {
                    due.add(user.key);
                }
            }
            if (!slice.hasNext()) {
                reached = null;
            }
        }
        return due;
    }
}
