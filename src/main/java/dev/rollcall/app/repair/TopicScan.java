package dev.rollcall.app.repair;

import dev.rollcall.admin.ClusterException;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;

/** Reads topics from their beginning to the end that they have when the reading begins. Not thread-safe. */
public final class TopicScan implements AutoCloseable {
    /** In ms: a broker that has sent nothing for so long is away. */
    private static final long STALL_MS = 60_000;

    private static final Duration POLL = Duration.ofMillis(200);

    private final KafkaConsumer<byte[], byte[]> consumer;

    /**
     * Connects.
     *
     * @param settings of a consumer without a group
     * @param committedOnly whether records of transactions that were aborted, or are open, are left out
     */
    public TopicScan(Map<String, Object> settings, boolean committedOnly) {
        Map<String, Object> all = new HashMap<>(settings);
        all.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, committedOnly ? "read_committed" : "read_uncommitted");
        all.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        all.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
        all.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest"); // what is deleted meanwhile is not there
        all.remove(ConsumerConfig.GROUP_ID_CONFIG);
        consumer = new KafkaConsumer<>(all, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    /** How many partitions a topic has; empty: there is no such topic. */
    public OptionalLong find(String topic) {
        int partitions = consumer.partitionsFor(topic).size();
        return partitions == 0 ? OptionalLong.empty() : OptionalLong.of(partitions);
    }

    /** As {@link #find}, of a topic that has to be there. */
    public int partitions(String topic) {
        return (int) find(topic).orElseThrow(() -> new ClusterException("there is no topic " + topic));
    }

    /** All records of all partitions, those of one partition in order; none if there is no such topic. */
    public void all(String topic, Consumer<ConsumerRecord<byte[], byte[]>> each) {
        read(partitionsOf(topic), Map.of(), each);
    }

    /** All records of one partition, in order. */
    public void partition(String topic, int partition, Consumer<ConsumerRecord<byte[], byte[]>> each) {
        read(List.of(new TopicPartition(topic, partition)), Map.of(), each);
    }

    /** As {@link #all}, of the records from the first one on that has this timestamp or a later one, in ms. */
    public void since(String topic, long timestamp, Consumer<ConsumerRecord<byte[], byte[]>> each) {
        Collection<TopicPartition> partitions = partitionsOf(topic);
        Map<TopicPartition, @Nullable OffsetAndTimestamp> found =
                consumer.offsetsForTimes(partitions.stream().collect(Collectors.toMap(one -> one, any -> timestamp)));
        Map<TopicPartition, Long> from = new HashMap<>();
        found.forEach((partition, offset) -> from.put(partition, offset == null ? Long.MAX_VALUE : offset.offset()));
        read(partitions, from, each);
    }

    /** The record at that place; empty: there is none. */
    public Optional<ConsumerRecord<byte[], byte[]>> at(TopicPartition partition, long offset) {
        if (partition.partition() < 0
                || partition.partition() >= find(partition.topic()).orElse(0)) {
            return Optional.empty();
        }
        long begin = consumer.beginningOffsets(List.of(partition)).getOrDefault(partition, 0L);
        long end = end(partition);
        if (offset < begin || offset >= end) {
            return Optional.empty();
        }
        consumer.assign(List.of(partition));
        consumer.seek(partition, offset);
        long giveUpAt = System.nanoTime() + Duration.ofMillis(STALL_MS).toNanos();
        while (consumer.position(partition) <= offset) {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                return record.offset() == offset ? Optional.of(record) : Optional.empty();
            }
            requireProgress(giveUpAt, partition.topic());
        }
        return Optional.empty();
    }

    /** Where a partition ends now. */
    public long end(TopicPartition partition) {
        return consumer.endOffsets(List.of(partition)).getOrDefault(partition, 0L);
    }

    /** Where a partition begins now. */
    public long begin(TopicPartition partition) {
        return consumer.beginningOffsets(List.of(partition)).getOrDefault(partition, 0L);
    }

    /** Whether a topic has, or may have, a record. */
    public boolean hasRecords(String topic) {
        return partitionsOf(topic).stream().anyMatch(partition -> begin(partition) < end(partition));
    }

    private List<TopicPartition> partitionsOf(String topic) {
        return IntStream.range(0, (int) find(topic).orElse(0))
                .mapToObj(partition -> new TopicPartition(topic, partition))
                .toList();
    }

    private void read(
            Collection<TopicPartition> partitions,
            Map<TopicPartition, Long> from,
            Consumer<ConsumerRecord<byte[], byte[]>> each) {
        if (partitions.isEmpty()) {
            return;
        }
        Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
        Map<TopicPartition, Long> begins = consumer.beginningOffsets(partitions);
        Set<TopicPartition> left = new HashSet<>();
        ends.forEach((partition, end) -> {
            if (Math.max(begins.getOrDefault(partition, 0L), from.getOrDefault(partition, 0L)) < end) {
                left.add(partition);
            }
        });
        consumer.assign(left);
        left.forEach(one -> consumer.seek(one, Math.max(begins.getOrDefault(one, 0L), from.getOrDefault(one, 0L))));
        long giveUpAt = System.nanoTime() + Duration.ofMillis(STALL_MS).toNanos();
        while (!left.isEmpty()) {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                giveUpAt = System.nanoTime() + Duration.ofMillis(STALL_MS).toNanos();
                long end = ends.getOrDefault(new TopicPartition(record.topic(), record.partition()), 0L);
                if (record.offset() < end) {
                    each.accept(record);
                }
            }
            Set<TopicPartition> done = left.stream()
                    .filter(one -> consumer.position(one) >= ends.getOrDefault(one, 0L))
                    .collect(Collectors.toSet());
            consumer.pause(done);
            left.removeAll(done);
            requireProgress(giveUpAt, partitions.iterator().next().topic());
        }
    }

    private static void requireProgress(long giveUpAt, String topic) {
        if (System.nanoTime() - giveUpAt > 0) {
            throw new ClusterException(
                    "cannot read the topic %s: nothing came for %d s".formatted(topic, STALL_MS / 1000));
        }
    }

    @Override
    public void close() {
        consumer.close(CloseOptions.timeout(Duration.ZERO));
    }
}
