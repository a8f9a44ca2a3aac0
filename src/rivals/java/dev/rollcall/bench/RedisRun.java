package dev.rollcall.bench;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.UserId;
import dev.rollcall.wire.Inbound;
import dev.rollcall.wire.Topic;
import dev.rollcall.wire.Topics;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;

/** A consumer, Redis, and an idempotent producer; offsets are committed once a second, when all that follows is acknowledged. */
final class RedisRun implements Run {
    private static final long COMMIT_EVERY_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final Topic<UserId, Presence> output;
    private final RedisServer server;
    private final RedisUsers users;
    private final KafkaConsumer<UserId, Inbound> consumer;
    private final KafkaProducer<UserId, Presence> producer;
    private final Thread thread;
    private final Map<Integer, Long> stamps = new HashMap<>();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private volatile Map<Integer, Long> committed = Map.of();
    private volatile long processed;

    RedisRun(RollcallConfig config) {
        Topics topics = Topics.of(config.topics());
        output = topics.presence();
        server = new RedisServer(config.dataDir().resolve("redis"));
        users = new RedisUsers(server.connect(), config.rules().leaseMs());
        consumer = new KafkaConsumer<>(
                ConsumerRun.settings(config),
                topics.heartbeats().keys().deserializer(),
                topics.heartbeats().values().deserializer());
        Map<String, Object> settings = ProducerSettings.ofRollcall(config);
        settings.put("bootstrap.servers", config.bootstrapServers());
        producer = new KafkaProducer<>(
                settings, output.keys().serializer(), output.values().serializer());
        List<TopicPartition> partitions = IntStream.range(0, config.topicPartitions())
                .mapToObj(partition -> new TopicPartition(topics.heartbeats().name(), partition))
                .toList();
        consumer.assign(partitions);
        consumer.seekToBeginning(partitions);
        thread = new Thread(this::run, "redis");
        thread.start();
    }

    @Override
    public long processed() {
        return processed;
    }

    @Override
    public boolean isDoneWith(Map<Integer, Long> ends) {
        return ends.entrySet().stream().allMatch(end -> committed.getOrDefault(end.getKey(), 0L) >= end.getValue());
    }

    @Override
    public long threadId() {
        return thread.getId();
    }

    @Override
    public long otherCpuNanos() {
        return server.cpuNanos();
    }

    @Override
    public void check() {
        Throwable problem = failure.get();
        if (problem != null) {
            throw new BenchmarkException("it cannot go on: " + problem);
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
        server.close();
    }

    private void run() {
        long lastCommit = System.nanoTime();
        try (consumer;
                producer) {
            while (true) {
                take(consumer.poll(Duration.ofMillis(100)));
                long now = System.nanoTime();
                if (now - lastCommit >= COMMIT_EVERY_NANOS) {
                    stamps.forEach((partition, stamp) -> send(users.expire(partition, stamp)));
                    commit();
                    lastCommit = now;
                }
            }
        } catch (WakeupException e) {
            // close() was called
        } catch (RuntimeException | Error e) {
            failure.set(e);
        }
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // only this thread writes it
    private void take(ConsumerRecords<UserId, Inbound> polled) {
        for (TopicPartition partition : polled.partitions()) {
            List<ConsumerRecord<UserId, Inbound>> batch = polled.records(partition);
            send(users.take(partition.partition(), batch));
            stamps.put(partition.partition(), batch.get(batch.size() - 1).timestamp());
        }
        processed += polled.count();
    }

    private void send(List<RedisUsers.Change> changes) {
        for (RedisUsers.Change change : changes) {
            Presence presence = change.presence();
            var unused = producer.send(
                    new ProducerRecord<>(output.name(), null, presence.since(), change.user(), presence),
                    (metadata, problem) -> {
                        if (problem != null) {
                            failure.set(problem);
                        }
                    });
        }
    }

    private void commit() {
        producer.flush();
        consumer.commitSync();
        Map<Integer, Long> positions = new HashMap<>();
        consumer.assignment().forEach(partition -> positions.put(partition.partition(), consumer.position(partition)));
        committed = positions;
    }
}
