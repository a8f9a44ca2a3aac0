package dev.rollcall.bench;

import dev.rollcall.domain.PresenceState;
import org.jspecify.annotations.Nullable;

/** A heartbeat in a Flink job. A class with public fields, because Flink has a serializer for such. */
public final class FlinkBeat {
    public String user = "";
    public String device = "";
    public @Nullable PresenceState state;

    /** In ms since the epoch. */
    public long at;

    /** In ms. */
    public long leaseMs;
}
