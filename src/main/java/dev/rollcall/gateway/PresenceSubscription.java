package dev.rollcall.gateway;

import dev.rollcall.domain.UserId;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One who watches: first where everybody stands, then what has changed since the last time, the latest of each user. */
public abstract sealed class PresenceSubscription implements AutoCloseable
        permits AllUsersSubscription, UsersSubscription {
    private final Runnable onChange;
    private volatile boolean anew;

    PresenceSubscription(Runnable onChange) {
        this.onChange = onChange;
    }

    /**
     * What there is to tell.
     *
     * @param beginsAnew whether this is where a snapshot begins: what the watcher knew before is void
     * @param presences each as {@link PresenceJson}, in UTF-8, in the order of their last changes
     * @param more whether the rest is to be taken at once
     * @param since how far the watcher has heard with this
     */
    public record Batch(boolean beginsAnew, List<byte[]> presences, boolean more, SinceToken since) {}

    /** Takes what there is to tell, so many users at most; null: nothing. By one thread at a time. */
    public abstract @Nullable Batch take(int atMost);

    /** What was told before is void: the next batch is where a snapshot begins. */
    void beginAnew() {
        anew = true;
        onChange.run();
    }

    /** Whether that is to be done now. True once. */
    boolean takesAnew() {
        boolean now = anew;
        anew = false;
        return now;
    }

    /** Somebody who is watched has changed. Called by the feed's thread. */
    void changed(UserId user) {
        onChange.run();
    }

    @Override
    public abstract void close();
}
