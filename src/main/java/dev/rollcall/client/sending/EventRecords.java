package dev.rollcall.client.sending;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.Limits;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.session.ShardHeartbeat;
import dev.rollcall.wire.CarriedHeartbeat;
import dev.rollcall.wire.Inbound;
import dev.rollcall.wire.Topic;
import dev.rollcall.wire.Topics;
import java.util.OptionalLong;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;

/**
 * Makes the producer records of events: topic, key and value. What the processor would refuse throws an {@link
 * IllegalArgumentException} with the reason. Thread-safe.
 */
public final class EventRecords {
    private final Topics topics;

    public EventRecords(Topics topics) {
        this.topics = topics;
    }

    /** Throws if no heartbeat can name this shard. */
    public void requireValidShard(String shard) {
        var unused = prepare(new Heartbeat("device", null, false, OptionalLong.empty(), shard));
    }

    public ProducerRecord<byte[], byte[]> heartbeat(UserId user, Heartbeat heartbeat) {
        return record(topics.heartbeats(), user, new Inbound.Beat(heartbeat));
    }

    /** A shard's heartbeat, which has no key and is for one partition. */
    ProducerRecord<byte[], byte[]> shardHeartbeat(int partition, ShardHeartbeat heartbeat) {
        byte[] value = encode(topics.heartbeats(), new Inbound.ShardBeat(heartbeat));
        return new ProducerRecord<>(heartbeats(), partition, null, value);
    }

    /** The name of the topic of heartbeats. */
    String heartbeats() {
        return topics.heartbeats().name();
    }

    public ProducerRecord<byte[], byte[]> status(UserId user, StatusText text) {
        return record(topics.statuses(), user, new Inbound.Status(text));
    }

    /** A heartbeat, which is one record with the text if that is not null: others see both at once. */
    public ProducerRecord<byte[], byte[]> heartbeat(UserId user, Heartbeat heartbeat, @Nullable StatusText text) {
        ProducerRecord<byte[], byte[]> alone = heartbeat(user, heartbeat);
        if (text == null) {
            return alone;
        }
        ProducerRecord<byte[], byte[]> both = status(user, text);
        both.headers().add(CarriedHeartbeat.HEADER, CarriedHeartbeat.encode(heartbeat));
        return both;
    }

    public ProducerRecord<byte[], byte[]> appearOffline(UserId user, boolean appearOffline) {
        return record(topics.appearOffline(), user, new Inbound.AppearOffline(appearOffline));
    }

    ProducerRecord<byte[], byte[]> heartbeat(UserId user, PreparedHeartbeat heartbeat) {
        return record(topics.heartbeats(), user, heartbeat.value());
    }

    PreparedHeartbeat prepare(Heartbeat heartbeat) {
        return new PreparedHeartbeat(encode(topics.heartbeats(), new Inbound.Beat(heartbeat)));
    }

    private static ProducerRecord<byte[], byte[]> record(
            Topic<UserId, Inbound> topic, UserId user, Inbound.Content content) {
        return record(topic, user, encode(topic, content));
    }

    private static ProducerRecord<byte[], byte[]> record(
            Topic<UserId, Inbound> topic, UserId user, byte @Nullable [] value) {
        if (!user.isValid()) {
            throw new IllegalArgumentException("the user id must be 1 to %d bytes of UTF-8: it has %d"
                    .formatted(Limits.MAX_ID_BYTES, user.bytes().length));
        }
        return new ProducerRecord<>(topic.name(), user.bytes(), value);
    }

    private static byte[] encode(Topic<UserId, Inbound> topic, Inbound.Content content) {
        byte[] value = topic.values().serializer().serialize(topic.name(), Inbound.of(content));
        // Decoded again, so that the rules for a valid value are in the deserializer only.
        Inbound decoded = topic.values().deserializer().deserialize(topic.name(), value);
        if (decoded.content() instanceof Inbound.Rejected rejected) {
            throw new IllegalArgumentException(rejected.rejection().detail());
        }
        return value;
    }
}
