package dev.rollcall.bench;

import dev.rollcall.domain.Presence;
import dev.rollcall.domain.PresenceState;
import org.jspecify.annotations.Nullable;

/** A change of presence in a Flink job. All times in ms since the epoch. */
public final class FlinkChange {
    public String user = "";
    public PresenceState state = PresenceState.OFFLINE;
    public @Nullable PresenceState previous;
    public long since;
    public long lastActive;
    public long sequence;

    Presence presence() {
        return new Presence(state, previous, null, since, lastActive, sequence);
    }
}
