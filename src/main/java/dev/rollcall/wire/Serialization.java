package dev.rollcall.wire;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.Rejection;
import dev.rollcall.domain.Rejection.Reason;
import dev.rollcall.domain.RoutingView;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.text.Printable;
import dev.rollcall.v1.ClockPulse;
import dev.rollcall.v1.DeviceHeartbeat;
import dev.rollcall.v1.ShardHeartbeat;
import dev.rollcall.v1.UserPresence;
import dev.rollcall.v1.UserStatus;
import dev.rollcall.wire.Inbound.AppearOffline;
import dev.rollcall.wire.Inbound.Beat;
import dev.rollcall.wire.Inbound.ClockTick;
import dev.rollcall.wire.Inbound.Content;
import dev.rollcall.wire.Inbound.Rejected;
import dev.rollcall.wire.Inbound.ShardBeat;
import dev.rollcall.wire.Inbound.Status;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.jspecify.annotations.Nullable;

/**
 * The one serde mechanism: Avro for every value, in one {@link Format} or another, plain bytes for keys. What of users and shards
 * is stored is in a package of its own, for clients have no use for it. All are thread-safe.
 */
public final class Serialization {
    private Serialization() {}

    public static Serde<UserId> userIds() {
        return Serdes.serdeFrom(
                (topic, id) -> id == null ? null : id.bytes(),
                (topic, bytes) -> bytes == null ? null : UserId.ofBytes(bytes));
    }

    static Serde<Inbound> heartbeats(Format format) {
        Serde<Inbound> all = inputs(
                format,
                new Rejected(new Rejection(Reason.NULL_HEARTBEAT, "a heartbeat must have a value")),
                value -> value instanceof DeviceHeartbeat heartbeat
                        ? new Beat(Wire.toDomain(heartbeat))
                        : value instanceof ShardHeartbeat shard
                                ? new ShardBeat(Wire.toDomain(shard))
                                : value instanceof ClockPulse tick ? Wire.toDomain(tick) : null);
        return Serdes.serdeFrom(all.serializer(), (topic, bytes) -> {
            Heartbeat heartbeat = bytes == null ? null : HeartbeatReader.read(bytes);
            return heartbeat == null
                    ? all.deserializer().deserialize(topic, bytes)
                    : new Inbound(bytes, new Beat(heartbeat));
        });
    }

    static Serde<Inbound> statuses(Format format) {
        return inputs(
                format,
                new Status(StatusText.NONE),
                value -> value instanceof UserStatus status ? new Status(Wire.toDomain(status)) : null);
    }

    static Serde<Inbound> appearOffline(Format format) {
        return inputs(
                format,
                new AppearOffline(false),
                value -> value instanceof dev.rollcall.v1.AppearOffline flag
                        ? new AppearOffline(flag.getAppearOffline())
                        : null);
    }

    static Serde<Presence> presence(Format format) {
        return Serdes.serdeFrom(
                (topic, value) -> value == null ? null : format.ofOwn(Wire.write(value)),
                (topic, bytes) -> read(
                        format,
                        topic,
                        bytes,
                        value -> value instanceof UserPresence presence ? Wire.toDomain(presence) : null));
    }

    static Serde<RoutingView> routing(Format format) {
        return Serdes.serdeFrom(
                (topic, value) -> value == null ? null : format.ofOwn(SingleObject.encode(Wire.toAvro(value))),
                (topic, bytes) -> read(
                        format,
                        topic,
                        bytes,
                        value -> value instanceof dev.rollcall.v1.RoutingView view ? Wire.toDomain(view) : null));
    }

    /** The values of an input topic. Never fails: what cannot be used says so, and why. */
    private static Serde<Inbound> inputs(Format format, Content ofNull, Translation<Content> translation) {
        Deserializer<Inbound> deserializer = (topic, bytes) -> {
            if (bytes == null) {
                return new Inbound(null, ofNull);
            }
            try {
                SpecificRecord value = format.decode(bytes);
                Content content = translation.of(value);
                if (content == null) {
                    throw wrongTopic(value, topic);
                }
                return new Inbound(bytes, content);
            } catch (UnreadableException e) {
                return new Inbound(bytes, new Rejected(e.rejection()));
            }
        };
        return Serdes.serdeFrom(
                (topic, value) -> {
                    byte[] own = write(value.content());
                    return own == null ? null : format.ofOwn(own);
                },
                deserializer);
    }

    private static byte @Nullable [] write(Content content) {
        if (content instanceof Beat beat) {
            return SingleObject.encode(Wire.toAvro(beat.heartbeat()));
        } else if (content instanceof ShardBeat shard) {
            return SingleObject.encode(Wire.toAvro(shard.heartbeat()));
        } else if (content instanceof ClockTick tick) {
            return SingleObject.encode(Wire.tick(tick.instance()));
        } else if (content instanceof Status status) {
            return status.text().text() == null ? null : SingleObject.encode(Wire.toAvro(status.text()));
        } else if (content instanceof AppearOffline flag) {
            return SingleObject.encode(Wire.toAvro(flag.appearOffline()));
        }
        throw new IllegalArgumentException("there is no way to write " + Printable.of(content));
    }

    private static <T> @Nullable T read(
            Format format, String topic, byte @Nullable [] bytes, Translation<T> translation) {
        if (bytes == null) {
            return null;
        }
        try {
            SpecificRecord value = format.decode(bytes);
            T content = translation.of(value);
            if (content == null) {
                throw wrongTopic(value, topic);
            }
            return content;
        } catch (UnreadableException e) {
            throw new SerializationException("a value of " + topic + " cannot be read: " + e.getMessage(), e);
        }
    }

    private static UnreadableException wrongTopic(SpecificRecord value, String topic) {
        return new UnreadableException(
                Reason.WRONG_TOPIC,
                "%s does not belong on the topic %s".formatted(value.getSchema().getName(), topic));
    }

    private interface Translation<T> {
        /** What the record says; null: it does not belong here. */
        @Nullable
        T of(SpecificRecord value) throws UnreadableException;
    }
}
