package dev.rollcall.chaos;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.session.ShardHeartbeat;
import java.util.OptionalLong;

/** One life of a shard that holds connections. */
record ShardSession(String shard, String id, long startedAt) {
    ShardHeartbeat heartbeat(boolean ended) {
        return new ShardHeartbeat(shard, id, startedAt, OptionalLong.empty(), ended);
    }

    /** The same heartbeat, but that this session holds the device, or has held it. */
    Heartbeat of(Heartbeat heartbeat) {
        return new Heartbeat(
                heartbeat.deviceId(), heartbeat.state(), heartbeat.connectionEnded(), OptionalLong.empty(), shard, id);
    }
}
