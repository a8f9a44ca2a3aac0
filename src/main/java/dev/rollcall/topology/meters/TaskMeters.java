package dev.rollcall.topology.meters;

import dev.rollcall.domain.Presence;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.partition.PresencePartition;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import org.jspecify.annotations.Nullable;

/** How many there are of what on one partition. Written by its task, read by anybody. */
public final class TaskMeters {
    private final AtomicLongArray users = new AtomicLongArray(PresenceState.values().length);
    private final AtomicLong hidden = new AtomicLong();
    private final AtomicLong inMemory = new AtomicLong();
    private final AtomicLong devices = new AtomicLong();
    private final AtomicLong sessions = new AtomicLong();
    private final AtomicLong silentShards = new AtomicLong();
    private final AtomicLong behindMs = new AtomicLong();

    /** As {@link PresenceState#values} has them. */
    static int index(PresenceState state) {
        return switch (state) {
            case OFFLINE -> 0;
            case IDLE -> 1;
            case ONLINE -> 2;
        };
    }

    public void restored(UserSnapshot user) {
        if (user.emitted() != null) {
            users.incrementAndGet(index(user.emitted().state()));
        }
        hid(false, user.appearOffline());
    }

    /** {@code presence}: null: the user is forgotten. */
    public void emitted(@Nullable Presence presence) {
        if (presence == null) {
            users.decrementAndGet(index(PresenceState.OFFLINE));
            return;
        }
        if (presence.previousState() != null) {
            users.decrementAndGet(index(presence.previousState()));
        }
        users.incrementAndGet(index(presence.state()));
    }

    public void hid(boolean before, boolean after) {
        hidden.addAndGet((after ? 1 : 0) - (before ? 1 : 0));
    }

    public void look(PresencePartition partition) {
        inMemory.set(partition.size());
        devices.set(partition.devices());
        sessions.set(partition.openSessions());
        silentShards.set(partition.silentShards());
        behindMs.set(partition.sweepBehindMs());
    }

    long users(PresenceState state) {
        return users.get(index(state));
    }

    long hidden() {
        return hidden.get();
    }

    long inMemory() {
        return inMemory.get();
    }

    long devices() {
        return devices.get();
    }

    long sessions() {
        return sessions.get();
    }

    long silentShards() {
        return silentShards.get();
    }

    long behindMs() {
        return behindMs.get();
    }
}
