package dev.rollcall.client;

import dev.rollcall.client.reading.StartOffsets;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.UserId;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A subscriber's copy of presence, from what {@link PartitionState} and {@link KnownUsers} make of what is read. */
public final class SimulatedReader {
    private final KnownUsers users = new KnownUsers();
    private final Map<Integer, PartitionState> states = new HashMap<>();
    private final Map<UserId, Presence> copy = new HashMap<>();

    /** Begins with a partition: {@link #load} has what is in it up to there. */
    public void start(int partition, long first, long end) {
        states.put(partition, new PartitionState(partition, new StartOffsets(first, end, end, end), users, Map.of()));
    }

    /** A record of the partition from before the start. */
    public void load(int partition, UserId user, @Nullable Presence value, long at, long offset) {
        state(partition).load(user, value, at, offset);
    }

    /** All that was in the partition at the start was loaded. */
    public void loaded(int partition) {
        PartitionState state = state(partition);
        state.snapshotLoaded();
        for (PresenceChange next = state.nextOfSnapshot(); next != null; next = state.nextOfSnapshot()) {
            deliver(state, next);
        }
        users.keepForgotten(false);
    }

    /** A record that is new, or a repetition. */
    public void read(int partition, UserId user, @Nullable Presence value, long at, long offset) {
        PartitionState state = state(partition);
        PresenceChange change = state.changeOf(user, value, at, offset);
        if (change != null) {
            deliver(state, change);
        }
    }

    private void deliver(PartitionState state, PresenceChange change) {
        Presence after = change.after();
        if (after == null) {
            copy.remove(change.user());
        } else {
            copy.put(change.user(), after);
        }
        state.delivered(change);
    }

    private PartitionState state(int partition) {
        PartitionState state = states.get(partition);
        if (state == null) {
            throw new IllegalStateException("partition %d was not started".formatted(partition));
        }
        return state;
    }

    /** Whom the listener takes for present, and how. */
    public Map<UserId, Presence> copy() {
        return copy;
    }
}
