package dev.rollcall.partition;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.PresenceUpdate;
import dev.rollcall.domain.Rejection.Reason;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.session.ShardHeartbeat;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** One partition of Rollcall in a test, whatever it is made of: the domain alone, or the whole topology. Times in ms. */
public interface Partition extends AutoCloseable {
    /** A heartbeat that the broker stamped. */
    void heartbeat(UserId user, Heartbeat heartbeat, long at);

    /** A shard that holds connections was heard from (rule 14). */
    void shardHeartbeat(ShardHeartbeat heartbeat, long at);

    /** A heartbeat, and a clock tick, with that stamp, whatever the time is: the broker's clock is wrong. */
    void stampedHeartbeat(UserId user, Heartbeat heartbeat, long stamp);

    void stampedTick(long stamp);

    /** A heartbeat that was written to another partition at {@code first}, and came here at {@code at}. */
    void misroutedHeartbeat(UserId user, Heartbeat heartbeat, long first, long at);

    void status(UserId user, StatusText status, long at);

    void misroutedStatus(UserId user, StatusText status, long first, long at);

    void appearOffline(UserId user, boolean on, long at);

    void misroutedAppearOffline(UserId user, boolean on, long first, long at);

    /** Time has come to then, and whatever makes it known to the partition happens. */
    void tick(long at);

    void review(UserId user);

    /** A crash, and another processor with what was stored. */
    void restart();

    /** What was emitted since the last call. */
    List<Emitted> emitted();

    /** Whether the last heartbeat was refused, and why. */
    @Nullable
    Reason rejection();

    @Nullable
    UserSnapshot stored(UserId user);

    @Override
    void close();

    /** Something was emitted of a user. */
    record Emitted(UserId user, PresenceUpdate update) {
        /** Of a user who is not forgotten. */
        public Presence presence() {
            return Objects.requireNonNull(update.presence(), "the user is forgotten");
        }
    }
}
