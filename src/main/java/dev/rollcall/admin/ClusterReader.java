package dev.rollcall.admin;

import dev.rollcall.config.ConfigException;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.contract.Access;
import dev.rollcall.contract.Checkpoint;
import dev.rollcall.contract.Cluster;
import dev.rollcall.contract.Cluster.Features;
import dev.rollcall.contract.Cluster.Log;
import dev.rollcall.contract.Cluster.Progress;
import dev.rollcall.contract.Cluster.Topic;
import dev.rollcall.contract.Role;
import dev.rollcall.contract.TopicContract;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.clients.admin.FeatureMetadata;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.TransactionalIdAuthorizationException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.streams.StreamsConfig;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at a cluster, and stores what later looks compare with. What this user has no right to see is warned of once, and left
 * out. For one thread.
 */
final class ClusterReader {
    private static final Logger LOG = LoggerFactory.getLogger(ClusterReader.class);

    private final Admin admin;
    private final RollcallConfig config;
    private final TopicContract contract;
    private final Answers answers;

    /** What was warned of already. */
    private final Set<String> denied = new HashSet<>();

    ClusterReader(Admin admin, RollcallConfig config, TopicContract contract) {
        this.admin = admin;
        this.config = config;
        this.contract = contract;
        this.answers = new Answers(config.kafka());
    }

    /** @throws ClusterException if the cluster does not answer */
    Cluster read() {
        // Before the logs' ends, which may move on meanwhile, and must not be behind what was read or stored.
        Optional<Map<TopicPartition, OffsetAndMetadata>> committed = offsets(config.applicationId());
        Map<Integer, Checkpoint> checkpoints = checkpoints();
        Map<String, Topic> topics = topics();
        Optional<Progress> progress = committed.flatMap(offsets -> logs(topics)
                .map(logs -> new Progress(
                        offsets.entrySet().stream()
                                .collect(Collectors.toMap(
                                        Map.Entry::getKey, one -> one.getValue().offset())),
                        logs,
                        checkpoints,
                        Set.of())));
        return new Cluster(topics, features(), progress, brokerSettings());
    }

    /** Stores them for {@link #read}. A right that is missing is no failure. */
    void store(Map<Integer, Checkpoint> checkpoints) {
        if (checkpoints.isEmpty()) {
            return;
        }
        String group = Checkpoint.group(config.applicationId());
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        checkpoints.forEach((partition, checkpoint) ->
                offsets.put(heartbeats(partition), new OffsetAndMetadata(0, checkpoint.encode())));
        try {
            var unused = answers.await(
                    admin.alterConsumerGroupOffsets(group, offsets).all());
        } catch (ExecutionException e) {
            notSeen("that the changelogs are whole is not checked", "Read on the group " + group, e);
        }
    }

    private TopicPartition heartbeats(int partition) {
        return new TopicPartition(config.topics().deviceHeartbeat(), partition);
    }

    /**
     * Fails in words where each thread of an instance would, in the end.
     *
     * @throws ConfigException if this user has no right to use the application's transactions
     */
    void requireTransactions() {
        if ("at_least_once".equals(config.kafka().get(StreamsConfig.PROCESSING_GUARANTEE_CONFIG))) {
            return;
        }
        String id = config.applicationId() + "-check"; // there is none of that name, but whoever may use it is told so
        try {
            var unused = answers.await(admin.describeTransactions(List.of(id)).description(id));
        } catch (ExecutionException e) {
            if (e.getCause() instanceof TransactionalIdAuthorizationException) {
                throw answers.failed(
                        "cannot use transactions",
                        "Write on the transactional ids that begin with %s-".formatted(config.applicationId()),
                        e);
            }
        }
    }

    private Optional<Features> features() {
        try {
            FeatureMetadata features = answers.await(admin.describeFeatures().featureMetadata());
            return Optional.of(new Features(
                    features.finalizedFeatures().entrySet().stream().collect(Collectors.toMap(Map.Entry::getKey, one ->
                            (int) one.getValue().maxVersionLevel())),
                    features.supportedFeatures().entrySet().stream().collect(Collectors.toMap(Map.Entry::getKey, one ->
                            (int) one.getValue().maxVersion()))));
        } catch (ExecutionException e) {
            throw answers.failed("cannot read the features of the cluster", "Describe on the cluster", e);
        }
    }

    /** Of any one broker. An instance need not have the right to see them, so that nothing is warned of without it. */
    private Map<String, String> brokerSettings() {
        try {
            String node = answers.await(admin.describeCluster().nodes())
                    .iterator()
                    .next()
                    .idString();
            ConfigResource broker = new ConfigResource(ConfigResource.Type.BROKER, node);
            return values(answers.await(admin.describeConfigs(List.of(broker)).all())
                    .values()
                    .iterator()
                    .next());
        } catch (ExecutionException e) {
            return Map.of();
        }
    }

    private static Map<String, String> values(Config settings) {
        return settings.entries().stream()
                .filter(entry -> entry.value() != null)
                .collect(Collectors.toMap(ConfigEntry::name, ConfigEntry::value));
    }

    // ---- topics ----

    /** The topics that exist. */
    private Map<String, Topic> topics() {
        List<String> names = new ArrayList<>(contract.names());
        names.addAll(contract.changelogs());
        Map<String, TopicDescription> described = new LinkedHashMap<>();
        DescribeTopicsOptions options = new DescribeTopicsOptions().includeAuthorizedOperations(true);
        admin.describeTopics(names, options).topicNameValues().forEach((name, future) -> {
            try {
                described.put(name, answers.await(future));
            } catch (ExecutionException e) {
                if (e.getCause() instanceof AuthorizationException
                        && contract.changelogs().contains(name)) {
                    notSeen("the changelog is not checked", "Describe on the topic " + name, e);
                } else if (!(e.getCause() instanceof UnknownTopicOrPartitionException)) {
                    throw answers.failed(
                            "cannot describe the topic " + name,
                            Access.of(Role.PROCESSOR, config, "").onTopic(name),
                            e);
                }
            }
        });
        Map<String, Topic> topics = new LinkedHashMap<>();
        admin.describeConfigs(
                        described.keySet().stream().map(ClusterReader::resource).toList())
                .values()
                .forEach((resource, future) -> {
                    Optional<Map<String, String>> settings = settings(resource.name(), future);
                    @Nullable TopicDescription topic = described.get(resource.name());
                    if (settings.isPresent() && topic != null) {
                        topics.put(resource.name(), topic(topic, settings.get()));
                    }
                });
        return topics;
    }

    private static Topic topic(TopicDescription described, Map<String, String> settings) {
        return new Topic(
                described.name(),
                described.topicId().toString(),
                described.partitions().size(),
                described.partitions().stream()
                        .mapToInt(partition -> partition.replicas().size())
                        .min()
                        .orElse(0),
                settings,
                Optional.ofNullable(described.authorizedOperations()));
    }

    /** Empty: the broker that was asked for them does not know the topic yet, though another one does. */
    private Optional<Map<String, String>> settings(String topic, KafkaFuture<Config> future) {
        try {
            return Optional.of(values(answers.await(future)));
        } catch (ExecutionException e) {
            if (e.getCause() instanceof UnknownTopicOrPartitionException) {
                return Optional.empty();
            }
            notSeen("the settings of the topic are not checked", "DescribeConfigs on the topic " + topic, e);
            return Optional.of(Map.of());
        }
    }

    static ConfigResource resource(String topic) {
        return new ConfigResource(ConfigResource.Type.TOPIC, topic);
    }

    // ---- offsets ----

    private Map<Integer, Checkpoint> checkpoints() {
        Map<Integer, Checkpoint> checkpoints = new HashMap<>();
        offsets(Checkpoint.group(config.applicationId()))
                .ifPresent(offsets -> offsets.forEach((partition, offset) -> {
                    if (partition.topic().equals(config.topics().deviceHeartbeat())) {
                        Checkpoint.decode(offset.metadata())
                                .ifPresent(checkpoint -> checkpoints.put(partition.partition(), checkpoint));
                    }
                }));
        return checkpoints;
    }

    /** What a group has committed; empty: it may not be read. */
    private Optional<Map<TopicPartition, OffsetAndMetadata>> offsets(String group) {
        try {
            Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>(
                    answers.await(admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata()));
            offsets.values().removeIf(offset -> offset == null);
            return Optional.of(offsets);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof GroupIdNotFoundException) {
                return Optional.of(Map.of());
            }
            if (group.equals(config.applicationId())) { // without it the processor reads nothing
                throw answers.failed("cannot read the offsets of the group " + group, "Read on the group " + group, e);
            }
            notSeen("that the changelogs are whole is not checked", "Read on the group " + group, e);
            return Optional.empty();
        }
    }

    private Optional<Map<TopicPartition, Log>> logs(Map<String, Topic> topics) {
        List<String> names = new ArrayList<>(contract.changelogs());
        names.addAll(List.of(
                config.topics().deviceHeartbeat(),
                config.topics().status(),
                config.topics().appearOffline(),
                config.topics().presence()));
        List<TopicPartition> partitions = names.stream()
                .flatMap(name -> Optional.ofNullable(topics.get(name)).stream())
                .flatMap(topic -> IntStream.range(0, topic.partitions())
                        .mapToObj(partition -> new TopicPartition(topic.name(), partition)))
                .toList();
        Map<TopicPartition, Long> begins = listed(partitions, OffsetSpec.earliest());
        Map<TopicPartition, Long> ends = listed(partitions, OffsetSpec.latest());
        Map<TopicPartition, Log> logs = new HashMap<>();
        begins.forEach((partition, begin) -> {
            @Nullable Long end = ends.get(partition);
            if (end != null) {
                logs.put(partition, new Log(begin, end));
            }
        });
        return Optional.of(logs);
    }

    /** Without those that cannot be asked for. */
    private Map<TopicPartition, Long> listed(List<TopicPartition> partitions, OffsetSpec spec) {
        Map<TopicPartition, Long> offsets = new HashMap<>();
        var answer = admin.listOffsets(partitions.stream().collect(Collectors.toMap(one -> one, one -> spec)));
        for (TopicPartition partition : partitions) {
            try {
                ListOffsetsResultInfo info = answers.await(answer.partitionResult(partition));
                offsets.put(partition, info.offset());
            } catch (ExecutionException e) {
                if (!(e.getCause() instanceof UnknownTopicOrPartitionException)) {
                    notSeen("its offsets are not checked", "Describe on the topic " + partition.topic(), e);
                }
            }
        }
        return offsets;
    }

    /** Warns once if a right is missing. */
    private void notSeen(String what, String right, ExecutionException e) {
        if (!(e.getCause() instanceof AuthorizationException)) {
            throw answers.failed(what, right, e);
        }
        String text = answers.denied(what, right);
        if (denied.add(text)) {
            LOG.warn("{}", text);
        }
    }
}
