package dev.rollcall.client;

import dev.rollcall.client.sending.Background;
import dev.rollcall.client.sending.EventSender;
import dev.rollcall.wire.Topics;
import java.time.Duration;
import java.time.Instant;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.producer.Producer;

/** The real {@link PresencePublisher}, on a simulated producer and in virtual time. */
public final class SimulatedPublisher {
    private SimulatedPublisher() {}

    /**
     * Starts one.
     *
     * @param clock monotonic, in ms
     * @param startedAt what its wall clock says, in ms since the epoch
     */
    public static PresencePublisher start(
            String shard,
            Duration lease,
            LongSupplier clock,
            long startedAt,
            Producer<byte[], byte[]> producer,
            Background background) {
        return PresencePublisher.forShard(shard)
                .lease(lease)
                .clock(() -> Instant.ofEpochMilli(clock.getAsLong()))
                .wallClock(() -> Instant.ofEpochMilli(startedAt))
                .start(new EventSender(Topics.ofContract(), producer), background);
    }
}
