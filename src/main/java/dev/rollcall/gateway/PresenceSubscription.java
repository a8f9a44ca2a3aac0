package dev.rollcall.gateway;

import dev.rollcall.domain.UserId;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A snapshot of presence, and then its changes. Several changes of a user between two polls are conflated into the last. */
public abstract sealed class PresenceSubscription implements AutoCloseable
        permits AllUsersSubscription, UsersSubscription {
    private final Runnable onChange;
    private volatile boolean restart;

    PresenceSubscription(Runnable onChange) {
        this.onChange = onChange;
    }

    /**
     * Part of a snapshot, or changes.
     *
     * @param snapshot whether a snapshot begins here: what the subscriber knew before is void
     * @param presences each as {@link PresenceJson}, in UTF-8, in the order of the users' last changes
     * @param more whether the next poll has the rest
     * @param nextBatch where a later subscription continues after this batch
     */
    public record Batch(boolean snapshot, List<byte[]> presences, boolean more, BatchToken nextBatch) {}

    /**
     * The next batch, or null if nothing has changed. Does not wait. For one thread at a time.
     *
     * @param maxUsers at most so many users where all users are subscribed to
     */
    public abstract @Nullable Batch poll(int maxUsers);

    /** Makes the next batch the beginning of a new snapshot. */
    void restart() {
        restart = true;
        onChange.run();
    }

    /** Whether {@link #restart} was called since the last call of this method. */
    boolean takeRestart() {
        boolean requested = restart;
        restart = false;
        return requested;
    }

    /** A user of this subscription has changed. Called by the feed's thread. */
    void changed(UserId user) {
        onChange.run();
    }

    @Override
    public abstract void close();
}
