package dev.rollcall.domain;

import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * One device was heard from, or its connection ended.
 *
 * @param deviceId the device, unique within its user
 * @param state the state that the device takes; null: see rule 2
 * @param connectionEnded whether this says that the connection is gone (rule 5)
 * @param leaseMs how long this keeps the device alive, in ms; empty: the default lease
 * @param shard the homeserver shard that speaks for the device; null: none named
 * @param session the session of that shard that holds the device's connection (rule 14); null: none, and the lease counts
 */
public record Heartbeat(
        String deviceId,
        @Nullable PresenceState state,
        boolean connectionEnded,
        OptionalLong leaseMs,
        @Nullable String shard,
        @Nullable String session) {

    /** One that keeps its device alive for a lease. */
    public Heartbeat(
            String deviceId,
            @Nullable PresenceState state,
            boolean connectionEnded,
            OptionalLong leaseMs,
            @Nullable String shard) {
        this(deviceId, state, connectionEnded, leaseMs, shard, null);
    }
}
