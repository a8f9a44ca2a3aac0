package dev.rollcall.client;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.wire.Inbound;
import dev.rollcall.wire.Topic;
import dev.rollcall.wire.Topics;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Sends what devices and users do. Each call returns at once with a future that completes when the brokers have the
 * record, and fails if they don't get it. What the processor would refuse is refused here, with an {@link
 * IllegalArgumentException} that says why. Thread-safe.
 */
public final class EventSender implements AutoCloseable {
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);

    private final Topics topics;
    private final Producer<byte[], byte[]> producer;

    /** Connects to the cluster. {@code settings} are a Kafka producer's; {@code bootstrap.servers} is required. */
    public EventSender(Topics topics, Map<String, ?> settings) {
        Map<String, Object> all = new HashMap<>();
        all.put(ProducerConfig.ACKS_CONFIG, "all");
        all.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
        all.putAll(settings);
        this.topics = topics;
        this.producer = new KafkaProducer<>(all, new ByteArraySerializer(), new ByteArraySerializer());
    }

    public CompletableFuture<Void> heartbeat(UserId user, Heartbeat heartbeat) {
        return send(topics.heartbeats(), user, new Inbound.Beat(heartbeat));
    }

    /** Sets the user's text, or clears it with {@link StatusText#NONE}. */
    public CompletableFuture<Void> status(UserId user, StatusText text) {
        return send(topics.statuses(), user, new Inbound.Status(text));
    }

    public CompletableFuture<Void> appearOffline(UserId user, boolean appearOffline) {
        return send(topics.appearOffline(), user, new Inbound.Flag(appearOffline));
    }

    @Override
    public void close() {
        producer.close(CLOSE_TIMEOUT);
    }

    private CompletableFuture<Void> send(Topic<UserId, Inbound> topic, UserId user, Inbound.Content content) {
        if (!user.isValid()) {
            throw new IllegalArgumentException("the user id must be 1 to %d bytes of UTF-8: it has %d"
                    .formatted(UserId.MAX_BYTES, user.bytes().length));
        }
        byte[] value = topic.values().serializer().serialize(topic.name(), Inbound.of(content));
        // Read back, because then there is one place that knows what is allowed.
        Inbound asRead = topic.values().deserializer().deserialize(topic.name(), value);
        if (asRead.content() instanceof Inbound.Bad bad) {
            throw new IllegalArgumentException(bad.defect().detail());
        }
        CompletableFuture<Void> sent = new CompletableFuture<>();
        Callback callback = (metadata, failure) -> {
            if (failure == null) {
                sent.complete(null);
            } else {
                sent.completeExceptionally(failure);
            }
        };
        var unused = producer.send(new ProducerRecord<>(topic.name(), user.bytes(), value), callback);
        return sent;
    }
}
