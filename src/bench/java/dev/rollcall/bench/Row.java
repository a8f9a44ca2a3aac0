package dev.rollcall.bench;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.PresenceState;
import java.nio.ByteBuffer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.jspecify.annotations.Nullable;

/**
 * What the rivals keep of a user: one device, and no more than the benchmark's log needs. All times in ms since the epoch.
 *
 * @param sequence how many times something was emitted
 */
record Row(PresenceState state, long since, long lastSeen, long deadline, long sequence) {
    private static final int BYTES = 1 + 4 * Long.BYTES;
    private static final PresenceState[] STATES = PresenceState.values();

    /** The row after a heartbeat, as rules 1, 2 and 4 have it. */
    static Row after(@Nullable Row before, Heartbeat heartbeat, long at, long leaseMs) {
        long deadline = at + heartbeat.leaseMs().orElse(leaseMs);
        if (before == null) {
            PresenceState state = heartbeat.state() == null ? PresenceState.ONLINE : heartbeat.state();
            return new Row(state, at, at, deadline, 1);
        }
        PresenceState live = before.state == PresenceState.OFFLINE ? PresenceState.ONLINE : before.state;
        PresenceState state = heartbeat.state() == null ? live : heartbeat.state();
        return state == before.state
                ? new Row(state, before.since, at, deadline, before.sequence)
                : new Row(state, at, at, deadline, before.sequence + 1);
    }

    /** The row after its deadline. */
    Row expired() {
        return new Row(PresenceState.OFFLINE, deadline, lastSeen, deadline, sequence + 1);
    }

    Presence presence(@Nullable Row before) {
        return new Presence(state, before == null ? null : before.state, null, since, lastSeen, sequence);
    }

    static Serde<Row> serde() {
        return Serdes.serdeFrom(
                (topic, row) -> row == null ? null : row.toBytes(),
                (topic, bytes) -> bytes == null ? null : ofBytes(bytes));
    }

    @SuppressWarnings("EnumOrdinal") // no row outlives the round that wrote it
    private byte[] toBytes() {
        return ByteBuffer.allocate(BYTES)
                .put((byte) state.ordinal())
                .putLong(since)
                .putLong(lastSeen)
                .putLong(deadline)
                .putLong(sequence)
                .array();
    }

    private static Row ofBytes(byte[] bytes) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        return new Row(STATES[buffer.get()], buffer.getLong(), buffer.getLong(), buffer.getLong(), buffer.getLong());
    }
}
