package dev.rollcall.client;

import dev.rollcall.client.TopicLookup.TopicInfo;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;

/** What a subscriber has of Kafka: a consumer, and a client that asks about the topic. */
record ReaderClients(Consumer<byte[], byte[]> consumer, TopicLookup lookup) implements AutoCloseable {
    static final Duration ANSWER_WITHIN = Duration.ofSeconds(5);

    /** In time for a partition that was added to a group's topic to be read within seconds; Kafka's is 5 minutes. */
    private static final Duration METADATA_MAX_AGE = Duration.ofSeconds(10);

    /**
     * Makes the clients, which connect by and by.
     *
     * @param settings a consumer's
     * @param group null: none
     */
    static ReaderClients connect(Map<String, ?> settings, @Nullable String group) {
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
            consumer.close(CloseOptions.timeout(ANSWER_WITHIN));
        }
    }

    private static Map<String, Object> consumerSettings(Map<String, ?> settings, @Nullable String group) {
        Map<String, Object> all = new HashMap<>();
        if (!"consumer".equalsIgnoreCase(String.valueOf(settings.get(ConsumerConfig.GROUP_PROTOCOL_CONFIG)))) {
            // A member that joins takes some partitions; with the default, everybody would begin with all of theirs
            // anew. (The newer protocol does so by itself and refuses the setting.)
            all.put(ConsumerConfig.PARTITION_ASSIGNMENT_STRATEGY_CONFIG, CooperativeStickyAssignor.class.getName());
        }
        all.put(ConsumerConfig.METADATA_MAX_AGE_CONFIG, (int) METADATA_MAX_AGE.toMillis());
        all.putAll(settings);
        all.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed"); // what was aborted has never been said
        all.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        // A position that is not in the log must not be mended in silence.
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
        // A consumer's may be longer than an answer is waited for here; the two must agree.
        all.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, (int) ANSWER_WITHIN.toMillis());
        all.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, (int) ANSWER_WITHIN.toMillis());
        return all;
    }

    /** A client of its own: a consumer tells no topic's id, and answers from what it knew minutes ago. */
    private record AdminLookup(Admin admin) implements TopicLookup {
        @Override
        public CompletionStage<TopicInfo> ask(String topic) {
            return admin.describeTopics(List.of(topic))
                    .allTopicNames()
                    .toCompletionStage()
                    .thenApply(all -> Objects.requireNonNull(all.get(topic), topic))
                    .thenApply(found -> new TopicInfo(
                            found.topicId().toString(), found.partitions().size()));
        }

        @Override
        public void close() {
            admin.close(Duration.ZERO);
        }
    }
}
