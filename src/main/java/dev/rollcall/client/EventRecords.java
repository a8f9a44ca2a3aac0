package dev.rollcall.client;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.Limits;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.wire.Inbound;
import dev.rollcall.wire.Topic;
import dev.rollcall.wire.Topics;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;

/**
 * Events as the records of the contract: the right topic, key and bytes. What the processor would refuse is refused
 * here, with an {@link IllegalArgumentException} that says why. Thread-safe.
 */
final class EventRecords {
    private final Topics topics;

    EventRecords(Topics topics) {
        this.topics = topics;
    }

    ProducerRecord<byte[], byte[]> heartbeat(UserId user, Heartbeat heartbeat) {
        return record(topics.heartbeats(), user, new Inbound.Beat(heartbeat));
    }

    ProducerRecord<byte[], byte[]> status(UserId user, StatusText text) {
        return record(topics.statuses(), user, new Inbound.Status(text));
    }

    ProducerRecord<byte[], byte[]> appearOffline(UserId user, boolean appearOffline) {
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
        // Read back, because then there is one place that knows what is allowed.
        Inbound asRead = topic.values().deserializer().deserialize(topic.name(), value);
        if (asRead.content() instanceof Inbound.Rejected bad) {
            throw new IllegalArgumentException(bad.rejection().detail());
        }
        return value;
    }
}
