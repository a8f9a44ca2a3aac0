package dev.rollcall.chaos;

import dev.rollcall.client.sending.EventSender;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.wire.Topic;
import dev.rollcall.wire.Topics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;

/**
 * Whether transitions flow: a user on each partition whose device changes its state again and again, and a reader of
 * {@code presence} that waits for each change. One change at a time is under way on a partition. Thread-safe.
 */
final class Probes implements AutoCloseable {
    private static final long PAUSE_MS = 200;
    private static final Topic<UserId, Presence> PRESENCE = Topics.ofContract().presence();

    private final EventSender sender;
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final List<Probe> probes;
    private final Thread thread;
    private volatile boolean stopped;
    private volatile @Nullable RuntimeException failure;

    Probes(String bootstrapServers) {
        sender = LoadGenerator.connect(bootstrapServers);
        consumer = new KafkaConsumer<>(
                Map.of(
                        ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG,
                        bootstrapServers,
                        ConsumerConfig.ISOLATION_LEVEL_CONFIG,
                        "read_committed",
                        ConsumerConfig.REQUEST_TIMEOUT_MS_CONFIG,
                        (int) Timing.REQUEST.toMillis(),
                        ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG,
                        100,
                        ConsumerConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG,
                        500),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer());
        List<TopicPartition> partitions = IntStream.range(0, Timing.PARTITIONS)
                .mapToObj(partition -> new TopicPartition(PRESENCE.name(), partition))
                .toList();
        consumer.assign(partitions);
        consumer.seekToBeginning(partitions);
        probes = partitions.stream().map(Probe::on).toList();
        thread = new Thread(this::run, "probes");
        thread.start();
    }

    /**
     * When the last partition let a change out that went in after that time; {@link Long#MAX_VALUE}: one has not yet.
     * All in ms since the epoch.
     */
    long flowsSince(long after) {
        RuntimeException found = failure;
        if (found != null) {
            throw new IllegalStateException("the probes have failed", found);
        }
        return probes.stream()
                .mapToLong(probe -> probe.firstAnswerToOneSentAfter(after))
                .max()
                .orElse(Long.MAX_VALUE);
    }

    /** A text and a flag on each partition, and waits until the brokers have them. */
    void mark() {
        StatusText text = new StatusText("mark " + System.nanoTime(), null);
        CompletableFuture.allOf(probes.stream()
                        .flatMap(probe ->
                                Stream.of(sender.status(probe.user, text), sender.appearOffline(probe.user, false)))
                        .toArray(CompletableFuture[]::new))
                .join();
    }

    /** The longest that a change took to come out, in ms, of those that were under way at some time from then to then. */
    long longestWait(long from, long to) {
        return probes.stream()
                .mapToLong(probe -> probe.longestWait(from, to))
                .max()
                .orElse(0);
    }

    @Override
    public void close() {
        stopped = true;
        consumer.wakeup();
        try {
            thread.join(10_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        try (consumer;
                sender) {
            while (!stopped) {
                probes.forEach(probe -> probe.maybeSend(sender));
                consumer.poll(Duration.ofMillis(20)).forEach(this::read);
            }
        } catch (RuntimeException e) {
            if (!stopped) {
                failure = e;
            }
        }
    }

    private void read(ConsumerRecord<byte[], byte[]> record) {
        Presence presence = PRESENCE.values().deserializer().deserialize(record.topic(), record.value());
        if (presence != null) {
            probes.get(record.partition()).maybeAnswered(UserId.ofBytes(record.key()), presence.state());
        }
    }

    /** A change that went in and came out, in ms since the epoch. */
    private record Answered(long sentAt, long answeredAt) {}

    private static final class Probe {
        private final UserId user;
        private final List<Answered> answered = new ArrayList<>();
        private @Nullable PresenceState expected;
        private PresenceState next = PresenceState.ONLINE;
        private long sentAt;
        private long answeredAt;

        private Probe(UserId user) {
            this.user = user;
        }

        private static Probe on(TopicPartition partition) {
            for (int number = 0; ; number++) {
                UserId user = UserId.of("@probe-" + number + ":example.org");
                if (AnyPartitionProducer.partitionOf(user) == partition.partition()) {
                    return new Probe(user);
                }
            }
        }

        private synchronized void maybeSend(EventSender sender) {
            long now = System.currentTimeMillis();
            if (expected == null && now - answeredAt >= PAUSE_MS) {
                expected = next;
                sentAt = now;
                var unused = sender.heartbeat(user, new Heartbeat("probe", next, false, OptionalLong.empty(), null));
                next = next == PresenceState.ONLINE ? PresenceState.IDLE : PresenceState.ONLINE;
            }
        }

        private synchronized void maybeAnswered(UserId emittedOf, PresenceState state) {
            if (state == expected && emittedOf.equals(user)) {
                answeredAt = System.currentTimeMillis();
                answered.add(new Answered(sentAt, answeredAt));
                expected = null;
            }
        }

        private synchronized long firstAnswerToOneSentAfter(long time) {
            return answered.stream()
                    .filter(one -> one.sentAt() >= time)
                    .mapToLong(Answered::answeredAt)
                    .findFirst()
                    .orElse(Long.MAX_VALUE);
        }

        private synchronized long longestWait(long from, long to) {
            return answered.stream()
                    .filter(one -> one.answeredAt() >= from && one.sentAt() <= to)
                    .mapToLong(one -> one.answeredAt() - one.sentAt())
                    .max()
                    .orElse(0);
        }
    }
}
