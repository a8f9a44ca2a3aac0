package dev.rollcall.admin;

import dev.rollcall.contract.Cluster;
import dev.rollcall.contract.Cluster.Log;
import dev.rollcall.contract.Cluster.Progress;
import dev.rollcall.domain.UserId;
import dev.rollcall.topology.UserPartitioner;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at the first records of each partition of {@code presence}. Where partitions were added, and no earlier look has stored how
 * many there were, some of them are not where the number of partitions puts them now. That takes the right to read the topic,
 * which a processor without HTTP need not have.
 */
final class OutputSample {
    private static final Logger LOG = LoggerFactory.getLogger(OutputSample.class);
    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final Duration POLL = Duration.ofMillis(200);

    private final Map<String, Object> settings;
    private final String topic;

    /** @param settings of a consumer without a group */
    OutputSample(Map<String, Object> settings, String topic) {
        this.settings = settings;
        this.topic = topic;
    }

    /** The cluster, with what was seen. */
    Cluster of(Cluster cluster) {
        Optional<Progress> looked = cluster.progress().map(this::of);
        return new Cluster(cluster.topics(), cluster.features(), looked, cluster.brokerSettings());
    }

    private Progress of(Progress progress) {
        Map<TopicPartition, Log> logs = progress.logs().entrySet().stream()
                .filter(one -> one.getKey().topic().equals(topic)
                        && one.getValue().end() > one.getValue().begin())
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
        Set<Integer> misplaced = new HashSet<>();
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            misplaced.addAll(misplaced(consumer, logs));
        } catch (AuthorizationException e) {
            LOG.debug("{} may not be read, and is not looked at", topic, e);
        } catch (KafkaException e) {
            throw new ClusterException("cannot read the topic %s: %s".formatted(topic, e.getMessage()));
        }
        return new Progress(progress.committed(), progress.logs(), progress.checkpoints(), misplaced);
    }

    private Set<Integer> misplaced(KafkaConsumer<byte[], byte[]> consumer, Map<TopicPartition, Log> logs) {
        UserPartitioner partitioner =
                new UserPartitioner(consumer.partitionsFor(topic).size());
        Set<Integer> misplaced = new HashSet<>();
        Map<TopicPartition, Log> left = new HashMap<>(logs);
        long giveUpAt = System.nanoTime() + TIMEOUT.toNanos();
        consumer.assign(left.keySet());
        consumer.seekToBeginning(left.keySet());
        while (!left.isEmpty() && System.nanoTime() - giveUpAt < 0) {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                if (record.key() != null && partitioner.isMisrouted(UserId.ofBytes(record.key()), record.partition())) {
                    misplaced.add(record.partition());
                }
                left.remove(new TopicPartition(topic, record.partition()));
            }
            left.entrySet()
                    .removeIf(one ->
                            consumer.position(one.getKey()) >= one.getValue().end());
            consumer.pause(
                    logs.keySet().stream().filter(one -> !left.containsKey(one)).toList());
        }
        return misplaced;
    }
}
