package dev.rollcall.app;

import dev.rollcall.config.ConfigException;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.config.RollcallConfig.TopicNames;
import dev.rollcall.topology.OutputLimits;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes the topics that are missing, as the contract says, and checks those that are there. */
final class TopicSetup {
    private static final Logger LOG = LoggerFactory.getLogger(TopicSetup.class);
    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    private static final Map<String, String> COMPACTED =
            Map.of(TopicConfig.CLEANUP_POLICY_CONFIG, TopicConfig.CLEANUP_POLICY_COMPACT);

    /** The instant of a change is what the heartbeats' broker says it was, even if this topic's has another clock. */
    private static final Map<String, String> OUTPUT = outputSettings();

    /** Heartbeats are of no use after their lease; six hours let a processor catch up after a bad night. */
    private static final Map<String, String> HEARTBEATS = Map.of(
            TopicConfig.CLEANUP_POLICY_CONFIG,
            TopicConfig.CLEANUP_POLICY_DELETE,
            TopicConfig.RETENTION_MS_CONFIG,
            Long.toString(Duration.ofHours(6).toMillis()),
            TopicConfig.MESSAGE_TIMESTAMP_TYPE_CONFIG,
            "LogAppendTime");

    /** Bad records may carry any timestamp: the broker's own keeps retention in order. */
    private static final Map<String, String> DEAD_LETTERS = Map.of(
            TopicConfig.CLEANUP_POLICY_CONFIG,
            TopicConfig.CLEANUP_POLICY_DELETE,
            TopicConfig.MESSAGE_TIMESTAMP_TYPE_CONFIG,
            "LogAppendTime");

    private final Admin admin;
    private final RollcallConfig config;

    TopicSetup(Admin admin, RollcallConfig config) {
        this.admin = admin;
        this.config = config;
    }

    /**
     * Makes and checks.
     *
     * @return how many partitions each of the inputs has
     * @throws ConfigException if the cluster cannot be reached, or a topic that exists cannot be used
     */
    int ensure() {
        TopicNames names = config.topics();
        create(names.deviceHeartbeat(), HEARTBEATS);
        create(names.status(), COMPACTED);
        create(names.appearOffline(), COMPACTED);
        create(names.presence(), OUTPUT);
        create(names.deadLetters(), DEAD_LETTERS);
        if (config.rules().routing()) {
            create(names.routing(), OUTPUT);
            partitionsOf(names.routing());
        }
        int partitions = requireCopartitioned(List.of(names.deviceHeartbeat(), names.status(), names.appearOffline()));
        partitionsOf(names.presence());
        partitionsOf(names.deadLetters());
        warnUnless(
                names.deviceHeartbeat(),
                TopicConfig.MESSAGE_TIMESTAMP_TYPE_CONFIG,
                "LogAppendTime",
                "producers' clocks then decide who is here");
        warnUnless(
                names.presence(),
                TopicConfig.CLEANUP_POLICY_CONFIG,
                TopicConfig.CLEANUP_POLICY_COMPACT,
                "users who have not changed for a while are then lost to new consumers");
        return partitions;
    }

    private void create(String name, Map<String, String> configs) {
        NewTopic topic = new NewTopic(name, config.topicPartitions(), config.topicReplicationFactor()).configs(configs);
        try {
            await(admin.createTopics(List.of(topic)).all());
            LOG.info("made the topic {} with {} partitions", name, config.topicPartitions());
        } catch (ExecutionException e) {
            if (!(e.getCause() instanceof TopicExistsException)) {
                throw new ConfigException("cannot make the topic %s: %s".formatted(name, e.getCause()));
            }
        }
    }

    private int requireCopartitioned(List<String> names) {
        SortedMap<String, Integer> partitions = new TreeMap<>();
        names.forEach(name -> partitions.put(name, partitionsOf(name)));
        Set<Integer> counts = Set.copyOf(partitions.values());
        if (counts.size() > 1) {
            throw new ConfigException(
                    "the inputs must have the same number of partitions, but have %s".formatted(partitions));
        }
        return counts.iterator().next();
    }

    /** A topic that was made a moment ago may not be known to every broker yet. */
    private int partitionsOf(String name) {
        long giveUpAt = System.nanoTime() + TIMEOUT.toNanos();
        while (true) {
            try {
                return await(admin.describeTopics(List.of(name)).allTopicNames()).values().stream()
                        .mapToInt(topic -> topic.partitions().size())
                        .sum();
            } catch (ExecutionException e) {
                boolean mayStillCome = e.getCause() instanceof UnknownTopicOrPartitionException;
                if (!mayStillCome || System.nanoTime() > giveUpAt) {
                    throw new ConfigException("cannot describe the topic %s: %s".formatted(name, e.getCause()));
                }
                LockSupport.parkNanos(Duration.ofMillis(50).toNanos());
            }
        }
    }

    private void warnUnless(String topic, String key, String needed, String consequence) {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        try {
            for (Config actual :
                    await(admin.describeConfigs(List.of(resource)).all()).values()) {
                String value = actual.get(key).value();
                if (!value.contains(needed)) {
                    LOG.warn(
                            "the topic {} has {}={} where Rollcall needs {}: {}",
                            topic,
                            key,
                            value,
                            needed,
                            consequence);
                }
            }
        } catch (ExecutionException e) {
            LOG.warn("cannot check the settings of the topic {}: {}", topic, String.valueOf(e.getCause()));
        }
    }

    private static Map<String, String> outputSettings() {
        Map<String, String> all = new HashMap<>(COMPACTED);
        all.putAll(OutputLimits.ANY_TIMESTAMP);
        return Map.copyOf(all);
    }

    private static <T> T await(KafkaFuture<T> future) throws ExecutionException {
        try {
            return future.get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new ConfigException("no answer from the Kafka cluster for %d s: is bootstrap.servers right?"
                    .formatted(TIMEOUT.toSeconds()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ConfigException("interrupted while setting up the topics");
        }
    }
}
