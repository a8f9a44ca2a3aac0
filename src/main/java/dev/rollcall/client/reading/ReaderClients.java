package dev.rollcall.client.reading;

import dev.rollcall.client.reading.TopicLookup.TopicInfo;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;

/** A subscriber's Kafka clients: a consumer, and an admin client that describes the topic. */
public record ReaderClients(Consumer<byte[], byte[]> consumer, TopicLookup lookup) implements AutoCloseable {
    /** How long to wait for an answer of the brokers. */
    static final Duration TIMEOUT = Duration.ofSeconds(5);

    /** So that a group reads an added partition within seconds; Kafka's default is 5 minutes. */
    private static final Duration METADATA_MAX_AGE = Duration.ofSeconds(10);

    /**
     * Creates the clients. They connect in the background, and retry.
     *
     * @param settings a consumer's
     * @param group null: none
     * @throws org.apache.kafka.common.KafkaException for settings that the clients refuse
     */
    public static ReaderClients connect(Map<String, ?> settings, @Nullable String group) {
        Consumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                consumerSettings(settings, group), new ByteArrayDeserializer(), new ByteArrayDeserializer());
        try {
            return new ReaderClients(consumer, new AdminLookup(Admin.create(adminSettings(settings))));
        } catch (RuntimeException e) {
            consumer.close(CloseOptions.timeout(Duration.ZERO));
            throw e;
        }
    }

    @Override
    public void close() {
        try (lookup) {
            consumer.close(CloseOptions.timeout(TIMEOUT));
        }
    }

    private static Map<String, Object> consumerSettings(Map<String, ?> settings, @Nullable String group) {
        Map<String, Object> all = new HashMap<>();
        if (!"consumer".equalsIgnoreCase(String.valueOf(settings.get(ConsumerConfig.GROUP_PROTOCOL_CONFIG)))) {
            // With the default assignor all members would start all of their partitions again, snapshots included, when
            // one joins. (The newer protocol is cooperative anyway, and refuses the setting.)
            all.put(ConsumerConfig.PARTITION_ASSIGNMENT_STRATEGY_CONFIG, CooperativeStickyAssignor.class.getName());
        }
        all.put(ConsumerConfig.METADATA_MAX_AGE_CONFIG, (int) METADATA_MAX_AGE.toMillis());
        all.putAll(settings);
        all.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        all.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        // A position that is not in the log must not be reset silently.
        all.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none");
        all.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
        all.remove(ConsumerConfig.GROUP_ID_CONFIG);
        if (group != null) {
            all.put(ConsumerConfig.GROUP_ID_CONFIG, group);
        }
        return all;
    }

    private static Map<String, Object> adminSettings(Map<String, ?> settings) {
        Map<String, Object> all = new HashMap<>(settings);
        all.keySet().retainAll(AdminClientConfig.configNames());
        // A consumer's timeouts may be longer than an answer is waited for here; the two must agree.
        all.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, (int) TIMEOUT.toMillis());
        all.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, (int) TIMEOUT.toMillis());
        return all;
    }

    /** An admin client, because a consumer has no topic ids, and answers from cached metadata. */
    private record AdminLookup(Admin admin) implements TopicLookup {
        @Override
        public CompletionStage<TopicInfo> describe(String topic) {
            return admin.describeTopics(List.of(topic))
                    .allTopicNames()
                    .toCompletionStage()
                    .thenApply(all -> Objects.requireNonNull(all.get(topic), topic))
                    .thenApply(found -> new TopicInfo(
                            found.topicId().toString(),
                            found.partitions().size(),
                            found.partitions().stream()
                                    .filter(AdminLookup::isLed)
                                    .map(partition -> partition.leader().id())
                                    .collect(Collectors.toSet()),
                            found.partitions().stream().allMatch(AdminLookup::isLed)));
        }

        private static boolean isLed(TopicPartitionInfo partition) {
            return partition.leader() != null && !partition.leader().isEmpty();
        }

        @Override
        public void close() {
            admin.close(Duration.ZERO);
        }
    }
}
