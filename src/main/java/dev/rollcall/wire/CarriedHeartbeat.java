package dev.rollcall.wire;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.Rejection;
import dev.rollcall.domain.Rejection.Reason;
import dev.rollcall.wire.Inbound.Beat;
import dev.rollcall.wire.Inbound.Content;
import dev.rollcall.wire.Inbound.Rejected;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.Serde;
import org.jspecify.annotations.Nullable;

/**
 * A heartbeat in a header of a record of {@code status}: a text and a state that are set together are one record, and so become
 * visible together. Its value is that of the heartbeat on its own topic, in Rollcall's own format whatever that of the topics is.
 */
public final class CarriedHeartbeat {
    public static final String HEADER = "rollcall.heartbeat";

    private static final Serde<Inbound> HEARTBEATS = Serialization.heartbeats(Format.OWN);

    private CarriedHeartbeat() {}

    /** The header's value. */
    public static byte[] encode(Heartbeat heartbeat) {
        return HEARTBEATS.serializer().serialize(HEADER, Inbound.of(new Beat(heartbeat)));
    }

    /** What a record of {@code status} carries: a {@link Beat}, or why it cannot be used; null: nothing. */
    public static @Nullable Content of(Headers headers) {
        Header carried = headers.lastHeader(HEADER);
        if (carried == null) {
            return null;
        }
        Content content =
                HEARTBEATS.deserializer().deserialize(HEADER, carried.value()).content();
        return content instanceof Beat || content instanceof Rejected
                ? content
                : new Rejected(new Rejection(
                        Reason.WRONG_TOPIC, "the header %s has a record that is no DeviceHeartbeat".formatted(HEADER)));
    }
}
