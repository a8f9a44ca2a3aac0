package dev.rollcall.client.sending;

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
 * Sends each event as it comes; a homeserver shard wants a {@code PresencePublisher}.
 * Each call returns a future that completes when all in-sync brokers have the record, and fails if they don't get it.
 * What the processor would refuse throws an {@link IllegalArgumentException} with the reason. Thread-safe.
 *
 * <p>A call blocks for up to {@code max.block.ms} while the producer has no metadata of the topic or its buffer is full.
 */
public final class EventSender implements AutoCloseable {
    /** Less than a session's lease and the time for which its devices are held, by default. */
    private static final int METADATA_MAX_AGE_MS = 30_000;

    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);

    private final EventRecords records;
    private final Producer<byte[], byte[]> producer;

    /**
     * Connects to the cluster. {@code settings} are a Kafka producer's; {@code bootstrap.servers} is required.
     *
     * @throws IllegalArgumentException for a setting that would choose another partition than murmur2 of the key:
     *     the processor would not accept a user's records there
     */
    public EventSender(Topics topics, Map<String, ?> settings) {
        this(topics, connect(settings));
    }

    /** Settings of a producer: how long it may block, and how long a record may then be on its way. */
    public static Map<String, Object> deadline(Duration block, Duration delivery) {
        return Map.of(
                ProducerConfig.MAX_BLOCK_MS_CONFIG,
                block.toMillis(),
                ProducerConfig.LINGER_MS_CONFIG,
                0,
                ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG,
                (int) delivery.toMillis() / 2,
                ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG,
                (int) delivery.toMillis());
    }

    /** Over a producer that exists: it must choose partitions by murmur2 of the key. */
    public EventSender(Topics topics, Producer<byte[], byte[]> producer) {
        this.records = new EventRecords(topics);
        this.producer = producer;
    }

    public CompletableFuture<Void> heartbeat(UserId user, Heartbeat heartbeat) {
        return send(records.heartbeat(user, heartbeat));
    }

    /** As {@link #heartbeat(UserId, Heartbeat)}, without validating and encoding again. */
    public CompletableFuture<Void> heartbeat(UserId user, PreparedHeartbeat heartbeat) {
        return send(records.heartbeat(user, heartbeat));
    }

    /** Validates and encodes a heartbeat that is sent often: most of the cost of sending one. */
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

    /** The futures of records that are not sent within the timeout fail. */
    void close(Duration timeout) {
        producer.close(timeout);
    }

    CompletableFuture<Void> send(ProducerRecord<byte[], byte[]> record) {
        CompletableFuture<Void> sent = new CompletableFuture<>();
        send(record, (metadata, failure) -> {
            if (failure == null) {
                sent.complete(null);
            } else {
                sent.completeExceptionally(failure);
            }
        });
        return sent;
    }

    /** Calls back once. */
    void send(ProducerRecord<byte[], byte[]> record, Callback callback) {
        try {
            var unused = producer.send(record, callback);
        } catch (KafkaException | IllegalStateException e) {
            // A producer throws some failures instead of passing them to the callback.
            callback.onCompletion(null, e);
        }
    }

    /** How many partitions the topic has, as far as the producer knows. Blocks if it does not know the topic yet. */
    int partitions(String topic) {
        return producer.partitionsFor(topic).size();
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
        // Partitions that are added have to hear a shard before its devices there would be taken for gone (rule
        // 14), and by default a producer looks for them every five minutes.
        all.put(ProducerConfig.METADATA_MAX_AGE_CONFIG, METADATA_MAX_AGE_MS);
        all.putAll(settings);
        // Set explicitly, so that the producer refuses settings that would lose or reorder records.
        all.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
        return new KafkaProducer<>(all, new ByteArraySerializer(), new ByteArraySerializer());
    }
}
