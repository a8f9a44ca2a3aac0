package dev.rollcall.simulation.people;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.StatusText;
import dev.rollcall.session.ShardHeartbeat;
import dev.rollcall.simulation.time.EventQueue;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** Writes by itself what the contract has, and repeats nothing that is lost. Whatever it is told while it is paused is lost, too. */
final class ByHand implements ShardProcess {
    private final EventQueue time;
    private final Shard shard;
    private final Writer writer;
    private final String session;
    private final long startedAt;
    private final long leaseMs;
    private boolean isOver;

    private ByHand(EventQueue time, Shard shard, Writer writer, String session, long startedAt, long leaseMs) {
        this.time = time;
        this.shard = shard;
        this.writer = writer;
        this.session = session;
        this.startedAt = startedAt;
        this.leaseMs = leaseMs;
    }

    static ByHand start(EventQueue time, Shard shard, Writer writer, String session, long startedAt, long leaseMs) {
        ByHand process = new ByHand(time, shard, writer, session, startedAt, leaseMs);
        process.beat(process.heartbeat(false));
        return process;
    }

    private ShardHeartbeat heartbeat(boolean ended) {
        return new ShardHeartbeat(shard.name(), session, startedAt, OptionalLong.of(leaseMs), ended);
    }

    private void beat(ShardHeartbeat heartbeat) {
        if (isOver) {
            return;
        }
        if (shard.isBeating()) {
            tell(heartbeat);
        }
        time.afterMillis(leaseMs / 3, () -> beat(heartbeat));
    }

    private void tell(ShardHeartbeat heartbeat) {
        for (int partition = 0; partition < writer.partitions(); partition++) {
            if (partition != shard.silentOn()) {
                writer.shardHeartbeat(partition, heartbeat);
            }
        }
    }

    @Override
    public String session() {
        return session;
    }

    @Override
    public long pollLeaseMs() {
        return Long.MAX_VALUE;
    }

    @Override
    public void opened(Device device, @Nullable PresenceState state) {
        heartbeat(device.user(), device.heartbeat(state, false));
    }

    @Override
    public void polled(Device device) {
        if (shard.isServing()) {
            writer.heartbeat(device.user(), device.usual());
        }
    }

    @Override
    public void stateSet(Device device, PresenceState state) {
        heartbeat(device.user(), device.heartbeat(state, false));
    }

    @Override
    public boolean closed(Device device, boolean isLast) {
        if (isLast && shard.isServing()) {
            writer.heartbeat(device.user(), Writer.encode(device.heartbeat(null, true, shard.name(), session)));
            return true;
        }
        return false;
    }

    @Override
    public void heartbeat(byte[] user, Heartbeat heartbeat) {
        if (shard.isServing()) {
            writer.heartbeat(user, Writer.encode(heartbeat));
        }
    }

    @Override
    public void status(byte[] user, StatusText text, @Nullable Heartbeat carried) {
        writer.status(user, text, carried == null ? null : Writer.encode(carried));
    }

    @Override
    public void appearOffline(byte[] user, boolean on, Runnable whenAcknowledged) {
        writer.appearOffline(user, on, (at, written) -> whenAcknowledged.run());
    }

    @Override
    public void reachabilityChanged() {}

    @Override
    public void calm() {}

    @Override
    public void pause() {}

    @Override
    public void goOn() {}

    @Override
    public void end() {
        tell(heartbeat(true));
        isOver = true;
    }

    @Override
    public void vanish() {
        isOver = true;
    }

    @Override
    public void speakAsZombie(Device device, boolean closed) {
        device.speakAs(session, closed);
    }

    @Override
    public void goOnAsZombie(long inMs, long forMs) {
        isOver = true;
        ShardHeartbeat heartbeat = heartbeat(false);
        for (long at = inMs; at < inMs + forMs; at += leaseMs / 3) {
            time.afterMillis(at, () -> tell(heartbeat));
        }
    }
}
