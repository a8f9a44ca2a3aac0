package dev.rollcall.client;

import dev.rollcall.client.sending.Background;
import dev.rollcall.client.sending.EventSender;
import dev.rollcall.client.sending.KeepAlives;
import dev.rollcall.config.RollcallConfig.TopicNames;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.UserId;
import dev.rollcall.wire.Inbound;
import dev.rollcall.wire.Topic;
import dev.rollcall.wire.Topics;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** A publisher in virtual time: its clock, its ticks and its producer are driven by hand. */
final class PublisherContext {
    /** A record that was handed to the producer, and when. */
    record Sent(long at, String topic, UserId user, Inbound.Content content) {
        Heartbeat heartbeat() {
            return ((Inbound.Beat) content).heartbeat();
        }

        String device() {
            return user + "/" + heartbeat().deviceId();
        }
    }

    static final Topics TOPICS = Topics.of(new TopicNames("beats", "texts", "flags", "presence", "dead", "routing"));

    final AtomicLong now = new AtomicLong(1_000_000);
    final MockProducer<byte[], byte[]> producer;
    final PresencePublisher publisher;

    /** The producer throws these, one per call. */
    final Queue<Error> nextErrors = new ConcurrentLinkedQueue<>();

    private final boolean acknowledged;
    private Runnable tick = () -> {};
    private int seen;
    private final long start = now.get();

    /** With a producer that acknowledges records at once, or else by hand. */
    PublisherContext(boolean acknowledged, UnaryOperator<PresencePublisher.Builder> settings) {
        this(acknowledged, settings, Runnable::run);
    }

    PublisherContext(
            boolean acknowledged, UnaryOperator<PresencePublisher.Builder> settings, Executor sendingExecutor) {
        this.acknowledged = acknowledged;
        producer = new MockProducer<>(acknowledged, null, new ByteArraySerializer(), new ByteArraySerializer()) {
            @Override
            public synchronized Future<RecordMetadata> send(ProducerRecord<byte[], byte[]> record, Callback callback) {
                Error error = nextErrors.poll();
                if (error != null) {
                    throw error;
                }
                return super.send(record, callback);
            }
        };
        Background byHand = new Background() {
            @Override
            public Executor sending() {
                return sendingExecutor;
            }

            @Override
            public void every(Duration pause, Runnable task) {
                tick = new Background.Repeated(task);
            }

            @Override
            public void close() {}
        };
        publisher = settings.apply(PresencePublisher.forShard("shard-1")
                        .topics(TOPICS)
                        .clock(() -> Instant.ofEpochMilli(now.get())))
                .start(new EventSender(TOPICS, producer), byHand);
    }

    static PublisherContext acknowledging() {
        return new PublisherContext(true, builder -> builder);
    }

    /** Time passes, with its ticks. */
    List<Sent> pass(long ms) {
        List<Sent> sent = new ArrayList<>();
        long end = now.get() + ms;
        long tickMs = KeepAlives.TICK.toMillis();
        while (now.get() < end) {
            long next = Math.min(end, now.get() + tickMs - Math.floorMod(now.get() - start, tickMs));
            now.set(next);
            if (Math.floorMod(next - start, tickMs) == 0) {
                tick.run();
            }
            sent.addAll(sent());
        }
        return sent;
    }

    /** Time passes without ticks. */
    void stall(long ms) {
        now.addAndGet(ms);
    }

    /** What was handed to the producer since the last call. */
    List<Sent> sent() {
        List<ProducerRecord<byte[], byte[]>> history = producer.history();
        List<Sent> sent = history.stream()
                .skip(seen)
                .map(record -> read(now.get(), record))
                .toList();
        seen = history.size();
        if (acknowledged) {
            producer.clear();
            seen = 0;
        }
        return sent;
    }

    private static Sent read(long at, ProducerRecord<byte[], byte[]> record) {
        Topic<UserId, Inbound> topic = TOPICS.inputs().stream()
                .filter(candidate -> candidate.name().equals(record.topic()))
                .findFirst()
                .orElseThrow();
        Inbound value = topic.values().deserializer().deserialize(record.topic(), record.value());
        return new Sent(at, record.topic(), UserId.ofBytes(record.key()), value.content());
    }
}
