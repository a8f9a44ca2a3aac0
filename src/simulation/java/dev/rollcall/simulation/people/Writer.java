package dev.rollcall.simulation.people;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.StatusText;
import dev.rollcall.session.ShardHeartbeat;
import dev.rollcall.simulation.judge.History.Topic;
import dev.rollcall.simulation.kafka.Cluster;
import dev.rollcall.simulation.kafka.Log;
import dev.rollcall.simulation.kafka.Producer;
import dev.rollcall.simulation.kafka.Producer.Acknowledgement;
import dev.rollcall.wire.CarriedHeartbeat;
import dev.rollcall.wire.Inbound;
import dev.rollcall.wire.Topics;
import java.util.OptionalLong;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Serializer;
import org.jspecify.annotations.Nullable;

/** Encodes what people do as the contract has it, and writes it where it belongs. */
public final class Writer {
    private static final Serializer<Inbound> VALUES =
            Topics.ofContract().heartbeats().values().serializer();

    private final Cluster cluster;
    private final Producer producer;

    Writer(Cluster cluster, Producer producer) {
        this.cluster = cluster;
        this.producer = producer;
    }

    int partitions() {
        return cluster.partitions();
    }

    int partition(byte[] user) {
        return cluster.partition(user);
    }

    static byte[] encode(Heartbeat heartbeat) {
        return VALUES.serialize("any", Inbound.of(new Inbound.Beat(heartbeat)));
    }

    static Heartbeat heartbeat(
            String device,
            @Nullable PresenceState state,
            boolean closed,
            long leaseMs,
            @Nullable String shard,
            @Nullable String session) {
        OptionalLong lease = leaseMs > 0 ? OptionalLong.of(leaseMs) : OptionalLong.empty();
        return new Heartbeat(device, state, closed, lease, shard, session);
    }

    void heartbeat(byte[] user, byte[] value) {
        write(Topic.DEVICE_HEARTBEAT, partition(user), user, value, new RecordHeaders(), null);
    }

    void status(byte[] user, StatusText text, byte @Nullable [] carried) {
        Headers headers = new RecordHeaders();
        if (carried != null) {
            headers.add(CarriedHeartbeat.HEADER, carried);
        }
        byte[] value = VALUES.serialize("any", Inbound.of(new Inbound.Status(text)));
        write(Topic.STATUS, partition(user), user, value, headers, null);
    }

    void appearOffline(byte[] user, boolean on, @Nullable Acknowledgement acknowledgement) {
        byte[] value = VALUES.serialize("any", Inbound.of(new Inbound.AppearOffline(on)));
        write(Topic.APPEAR_OFFLINE, partition(user), user, value, new RecordHeaders(), acknowledgement);
    }

    void shardHeartbeat(int partition, ShardHeartbeat heartbeat) {
        byte[] value = VALUES.serialize("any", Inbound.of(new Inbound.ShardBeat(heartbeat)));
        write(Topic.DEVICE_HEARTBEAT, partition, null, value, new RecordHeaders(), null);
    }

    void write(
            Topic topic,
            int partition,
            byte @Nullable [] key,
            byte @Nullable [] value,
            Headers headers,
            @Nullable Acknowledgement acknowledgement) {
        Log log = cluster.log(topic, partition);
        producer.send(log, key, value, headers, acknowledgement);
    }
}
