package dev.rollcall.client;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.wire.Topics;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Sends what devices and users do, each event as it comes; a homeserver shard wants {@link PresencePublisher}. Each call
 * returns a future that completes when the brokers have the record, and fails if they don't get it. What the processor
 * would refuse is refused here, with an {@link IllegalArgumentException} that says why. Thread-safe.
 *
 * <p>A call returns at once, unless the brokers cannot be asked for the topic's partitions or the producer's buffer is
 * full: then it waits, {@code max.block.ms} at most.
 */
public final class EventSender implements AutoCloseable {
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);

    private final EventRecords records;
    private final Producer<byte[], byte[]> producer;

    /**
     * Connects to the cluster. {@code settings} are a Kafka producer's; {@code bootstrap.servers} is required.
     *
     * @throws IllegalArgumentException for a setting that would put a user's records on another partition than
     *     murmur2 of the key says, where nobody would look for them
     */
    public EventSender(Topics topics, Map<String, ?> settings) {
        this(topics, connect(settings));
    }

    EventSender(Topics topics, Producer<byte[], byte[]> producer) {
        this.records = new EventRecords(topics);
        this.producer = producer;
    }

    public CompletableFuture<Void> heartbeat(UserId user, Heartbeat heartbeat) {
        return send(records.heartbeat(user, heartbeat));
    }

    /** As {@link #heartbeat(UserId, Heartbeat)}, for one that was prepared. */
    public CompletableFuture<Void> heartbeat(UserId user, PreparedHeartbeat heartbeat) {
        return send(records.heartbeat(user, heartbeat));
    }

    /** Checks and encodes a heartbeat that is to be sent often: most of the work of sending one. */
    public PreparedHeartbeat prepare(Heartbeat heartbeat) {
        return records.prepare(heartbeat);
    }

    /** Sets the user's text, or clears it with {@link StatusText#NONE}. */
    public CompletableFuture<Void> status(UserId user, StatusText text) {
        return send(records.status(user, text));
    }

    public CompletableFuture<Void> appearOffline(UserId user, boolean appearOffline) {
        return send(records.appearOffline(user, appearOffline));
    }

    @Override
    public void close() {
        close(CLOSE_TIMEOUT);
    }

    /** What is not sent by then is not sent, and its future fails. */
    void close(Duration timeout) {
        producer.close(timeout);
    }

    CompletableFuture<Void> send(ProducerRecord<byte[], byte[]> record) {
        CompletableFuture<Void> sent = new CompletableFuture<>();
        Callback callback = (metadata, failure) -> {
            if (failure == null) {
                sent.complete(null);
            } else {
                sent.completeExceptionally(failure);
            }
        };
        try {
            var unused = producer.send(record, callback);
        } catch (KafkaException | IllegalStateException e) {
            // Some failures a producer reports by throwing. Two ways to fail are one too many.
            sent.completeExceptionally(e);
        }
        return sent;
    }

    private static Producer<byte[], byte[]> connect(Map<String, ?> settings) {
        for (String key :
                List.of(ProducerConfig.PARTITIONER_CLASS_CONFIG, ProducerConfig.PARTITIONER_IGNORE_KEYS_CONFIG)) {
            if (settings.containsKey(key)) {
                throw new IllegalArgumentException(
                        "%s must not be set: a user's records are found by murmur2 of the key".formatted(key));
            }
        }
        Map<String, Object> all = new HashMap<>();
        all.put(ProducerConfig.ACKS_CONFIG, "all");
        all.putAll(settings);
        // Asked for expressly, it makes the producer refuse every setting that would lose or reorder records.
        all.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
        return new KafkaProducer<>(all, new ByteArraySerializer(), new ByteArraySerializer());
    }
}
