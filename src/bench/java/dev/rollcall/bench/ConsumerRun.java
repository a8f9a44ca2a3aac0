package dev.rollcall.bench;

import dev.rollcall.app.KafkaSettings;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.UserId;
import dev.rollcall.wire.Inbound;
import dev.rollcall.wire.Topic;
import dev.rollcall.wire.Topics;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.streams.StreamsConfig;
import org.jspecify.annotations.Nullable;

/** A consumer, the project's decoder and a map. Counts what it would emit, and emits nothing. */
final class ConsumerRun implements Run {
    private final KafkaConsumer<UserId, Inbound> consumer;
    private final Map<UserId, Row> rows = new HashMap<>();
    private final OutputDigest digest = new OutputDigest();
    private final long leaseMs;
    private final Thread thread;
    private final Map<Integer, Long> positions = new HashMap<>();
    private volatile long processed;
    private volatile @Nullable Throwable failure;

    ConsumerRun(RollcallConfig config) {
        leaseMs = config.rules().leaseMs();
        Topic<UserId, Inbound> heartbeats = Topics.of(config.topics()).heartbeats();
        consumer = new KafkaConsumer<>(
                settings(config),
                heartbeats.keys().deserializer(),
                heartbeats.values().deserializer());
        List<TopicPartition> partitions = IntStream.range(0, config.topicPartitions())
                .mapToObj(partition -> new TopicPartition(heartbeats.name(), partition))
                .toList();
        consumer.assign(partitions);
        consumer.seekToBeginning(partitions);
        thread = new Thread(this::run, "consumer");
        thread.start();
    }

    /** What Kafka Streams would give its consumer, less what only its group needs. */
    static Map<String, Object> settings(RollcallConfig config) {
        StreamsConfig streams = new StreamsConfig(KafkaSettings.streams(config, config.bootstrapServers()));
        Map<String, Object> settings =
                new HashMap<>(streams.getMainConsumerConfigs(config.applicationId(), "bench", 0));
        settings.remove(ConsumerConfig.PARTITION_ASSIGNMENT_STRATEGY_CONFIG);
        settings.remove(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG);
        settings.remove(ConsumerConfig.INTERCEPTOR_CLASSES_CONFIG);
        return settings;
    }

    @Override
    public long processed() {
        return processed;
    }

    @Override
    public synchronized boolean isDoneWith(Map<Integer, Long> ends) {
        return ends.entrySet().stream().allMatch(end -> positions.getOrDefault(end.getKey(), 0L) >= end.getValue());
    }

    @Override
    public long threadId() {
        return thread.getId();
    }

    @Override
    public OutputDigest.Figures digest() {
        return digest.figures();
    }

    @Override
    public void check() {
        Throwable problem = failure;
        if (problem != null) {
            throw new BenchmarkException("the consumer cannot go on: " + problem);
        }
    }

    @Override
    public void close() {
        consumer.wakeup();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        try (consumer) {
            while (true) {
                var polled = consumer.poll(Duration.ofMillis(100));
                for (ConsumerRecord<UserId, Inbound> record : polled) {
                    take(record);
                }
                synchronized (this) {
                    polled.nextOffsets()
                            .forEach((partition, next) -> positions.put(partition.partition(), next.offset()));
                }
                addProcessed(polled.count());
            }
        } catch (WakeupException e) {
            // close() was called
        } catch (RuntimeException | Error e) {
            failure = e;
        }
    }

    private void take(ConsumerRecord<UserId, Inbound> record) {
        if (record.value().content() instanceof Inbound.Beat beat) {
            Row before = rows.get(record.key());
            Row after = Row.after(before, beat.heartbeat(), record.timestamp(), leaseMs);
            rows.put(record.key(), after);
            if (before == null || before.state() != after.state()) {
                digest.transition(record.key(), after.state(), record.timestamp());
            }
        }
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // only this thread writes it
    private void addProcessed(int count) {
        processed += count;
    }
}
