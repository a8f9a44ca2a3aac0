package dev.rollcall.client;

import dev.rollcall.client.sending.Background;
import dev.rollcall.client.sending.EventSender;
import dev.rollcall.client.sending.PublisherSettings;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.UserId;
import dev.rollcall.session.ShardHeartbeat;
import dev.rollcall.wire.Inbound;
import dev.rollcall.wire.Topic;
import dev.rollcall.wire.TopicNames;
import dev.rollcall.wire.Topics;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;

/** A publisher in virtual time: its clocks, its ticks and its producer are driven by hand. */
final class PublisherContext {
    /** A record that was handed to the producer, and when. */
    record Sent(
            long at, String topic, int partition, @Nullable UserId user, Inbound.Content content) {
        Heartbeat heartbeat() {
            return ((Inbound.Beat) content).heartbeat();
        }

        ShardHeartbeat shardHeartbeat() {
            return ((Inbound.ShardBeat) content).heartbeat();
        }

        boolean isOfShard() {
            return content instanceof Inbound.ShardBeat;
        }

        String device() {
            return user + "/" + heartbeat().deviceId();
        }
    }

    static final Topics TOPICS = Topics.of(new TopicNames("beats", "texts", "flags", "presence", "dead", "routing"));
    static final long STARTED_AT = 1_700_000_000_000L;
    static final int PARTITIONS = 4;

    final AtomicLong now = new AtomicLong(1_000_000);

    /** How far the brokers' clock is ahead of the publisher's. */
    final AtomicLong brokersAhead = new AtomicLong(500_000_000);

    final AtomicInteger partitions = new AtomicInteger(PARTITIONS);
    final MockProducer<byte[], byte[]> producer;
    final PresencePublisher publisher;

    /** The producer throws these, one per call. */
    final Queue<Error> nextErrors = new ConcurrentLinkedQueue<>();

    /** Topics that the brokers do not have: the producer waits in vain. */
    final Set<String> missingTopics = ConcurrentHashMap.newKeySet();

    /** How often it did. */
    final AtomicInteger waits = new AtomicInteger();

    /** Partitions whose records the producer fails at once, with what. */
    final Map<Integer, RuntimeException> failing = new ConcurrentHashMap<>();

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
                requireTopic(record.topic());
                RuntimeException failure = failing.get(partition(record));
                if (failure != null) {
                    callback.onCompletion(null, failure);
                    return CompletableFuture.failedFuture(failure);
                }
                return super.send(record, (metadata, problem) -> callback.onCompletion(stamped(metadata), problem));
            }

            @Override
            public List<PartitionInfo> partitionsFor(String topic) {
                requireTopic(topic);
                return IntStream.range(0, partitions.get())
                        .mapToObj(number -> new PartitionInfo(topic, number, null, null, null))
                        .toList();
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
                        .wallClock(() -> Instant.ofEpochMilli(STARTED_AT))
                        .clock(() -> Instant.ofEpochMilli(now.get())))
                .start(new EventSender(TOPICS, producer), byHand);
    }

    static PublisherContext acknowledging() {
        return new PublisherContext(true, builder -> builder);
    }

    private void requireTopic(String topic) {
        if (missingTopics.contains(topic)) {
            waits.incrementAndGet();
            throw new TimeoutException("no metadata of " + topic);
        }
    }

    private RecordMetadata stamped(@Nullable RecordMetadata metadata) {
        return new RecordMetadata(
                metadata == null ? new TopicPartition("none", 0) : new TopicPartition(metadata.topic(), 0),
                0,
                0,
                now.get() + brokersAhead.get(),
                0,
                0);
    }

    private int partition(ProducerRecord<byte[], byte[]> record) {
        return record.partition() != null ? record.partition() : partition(UserId.ofBytes(record.key()));
    }

    int partition(UserId user) {
        return Utils.toPositive(Utils.murmur2(user.bytes())) % partitions.get();
    }

    /** Time passes, with its ticks. */
    List<Sent> pass(long ms) {
        List<Sent> sent = new ArrayList<>();
        passAll(ms).stream().filter(one -> !one.isOfShard()).forEach(sent::add);
        return sent;
    }

    /** As {@link #pass}, with the shard's own heartbeats. */
    List<Sent> passAll(long ms) {
        List<Sent> sent = new ArrayList<>();
        long end = now.get() + ms;
        long tickMs = PublisherSettings.TICK.toMillis();
        while (now.get() < end) {
            long next = Math.min(end, now.get() + tickMs - Math.floorMod(now.get() - start, tickMs));
            now.set(next);
            if (Math.floorMod(next - start, tickMs) == 0) {
                tick.run();
            }
            sent.addAll(sentAll());
        }
        return sent;
    }

    /** Time passes without ticks, as while the process is paused. */
    void stall(long ms) {
        now.addAndGet(ms);
    }

    /** What was handed to the producer since the last call, without the shard's own heartbeats. */
    List<Sent> sent() {
        return sentAll().stream().filter(one -> !one.isOfShard()).toList();
    }

    /** What was handed to the producer since the last call. */
    List<Sent> sentAll() {
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

    /** The brokers acknowledge everything. */
    void acknowledgeAll() {
        while (producer.completeNext()) {
            // one more
        }
    }

    private Sent read(long at, ProducerRecord<byte[], byte[]> record) {
        Topic<UserId, Inbound> topic = TOPICS.inputs().stream()
                .filter(candidate -> candidate.name().equals(record.topic()))
                .findFirst()
                .orElseThrow();
        Inbound value = topic.values().deserializer().deserialize(record.topic(), record.value());
        UserId user = record.key() == null ? null : UserId.ofBytes(record.key());
        return new Sent(at, record.topic(), partition(record), user, value.content());
    }
}
