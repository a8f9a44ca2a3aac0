package dev.rollcall.topology;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceRules;
import dev.rollcall.domain.Rejection.Reason;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.partition.Partition;
import dev.rollcall.session.ShardHeartbeat;
import dev.rollcall.wire.Inbound;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.kafka.streams.test.TestRecord;
import org.jspecify.annotations.Nullable;

/**
 * The whole topology as a {@link Partition}. Nobody writes clock ticks by hand here: time passes, the processor's punctuator writes
 * one, and it comes back through its topic.
 */
final class TopologyPartition implements Partition {
    private final TopologyContext topology;

    TopologyPartition(PresenceRules rules) {
        topology = new TopologyContext(RollcallConfig.of(Map.ofEntries(
                Map.entry("device.lease.ms", Long.toString(rules.leaseMs())),
                Map.entry("disconnect.grace.ms", Long.toString(rules.graceMs())),
                Map.entry("user.retention.ms", Long.toString(rules.retentionMs())),
                Map.entry("max.devices.per.user", Integer.toString(rules.maxDevices())),
                Map.entry("shard.quiet.ms", Long.toString(rules.shardSilenceMs())),
                Map.entry("shard.hold.ms", Long.toString(rules.shardHoldMs())),
                Map.entry("shard.lease.ms", Long.toString(rules.shardLeaseMs())),
                Map.entry("shard.resume.ms", Long.toString(rules.shardResumeMs())),
                Map.entry("last.seen.persist.ms", Long.toString(rules.lastSeenPersistMs())),
                Map.entry("pulse.interval.ms", Long.toString(rules.logGapMs() / 3)))));
    }

    @Override
    public void heartbeat(UserId user, Heartbeat heartbeat, long at) {
        comeTo(at);
        topology.heartbeat(user, heartbeat, at);
    }

    @Override
    public void shardHeartbeat(ShardHeartbeat heartbeat, long at) {
        comeTo(at);
        topology.send(
                topology.topics().heartbeats().name(), null, topology.bytes(new Inbound.ShardBeat(heartbeat)), at);
    }

    @Override
    public void stampedHeartbeat(UserId user, Heartbeat heartbeat, long stamp) {
        topology.heartbeat(user, heartbeat, stamp);
    }

    @Override
    public void stampedTick(long stamp) {
        topology.send(
                topology.topics().heartbeats().name(), null, topology.bytes(new Inbound.ClockTick("elsewhere")), stamp);
    }

    @Override
    public void misroutedHeartbeat(UserId user, Heartbeat heartbeat, long first, long at) {
        comeTo(at);
        topology.misrouted(topology.topics().heartbeats(), user, new Inbound.Beat(heartbeat), first, at);
    }

    @Override
    public void status(UserId user, StatusText status, long at) {
        comeTo(at);
        topology.status(user, status, at);
    }

    @Override
    public void misroutedStatus(UserId user, StatusText status, long first, long at) {
        comeTo(at);
        topology.misrouted(topology.topics().statuses(), user, new Inbound.Status(status), first, at);
    }

    @Override
    public void appearOffline(UserId user, boolean on, long at) {
        comeTo(at);
        topology.appearOffline(user, on, at);
    }

    @Override
    public void misroutedAppearOffline(UserId user, boolean on, long first, long at) {
        comeTo(at);
        topology.misrouted(topology.topics().appearOffline(), user, new Inbound.AppearOffline(on), first, at);
    }

    @Override
    public void tick(long at) {
        topology.advanceTo(at);
    }

    /** The processor walks through its store by itself. */
    @Override
    public void review(UserId user) {}

    @Override
    public void restart() {
        topology.restart();
    }

    @Override
    public List<Emitted> emitted() {
        return topology.emitted();
    }

    @Override
    public @Nullable Reason rejection() {
        for (TestRecord<byte[], byte[]> letter : topology.deadLetters()) {
            String reason =
                    new String(letter.headers().lastHeader(DeadLetter.REASON).value(), StandardCharsets.UTF_8);
            return Reason.valueOf(reason.toUpperCase(Locale.ROOT));
        }
        return null;
    }

    @Override
    public @Nullable UserSnapshot stored(UserId user) {
        return topology.users().get(user);
    }

    @Override
    public void close() {
        topology.close();
    }

    /** Up to just before then, so that a clock tick of that very instant comes after the record. */
    private void comeTo(long at) {
        topology.advanceTo(at - 1);
    }
}
