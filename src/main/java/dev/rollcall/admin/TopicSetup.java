package dev.rollcall.admin;

import dev.rollcall.admin.TopicContract.Alter;
import dev.rollcall.admin.TopicContract.Finding;
import dev.rollcall.admin.TopicContract.Found;
import dev.rollcall.config.ConfigException;
import dev.rollcall.config.RollcallConfig;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Creates the topics that are missing, and checks the others by the {@link TopicContract}. Used by one thread at a time. */
public final class TopicSetup {
    private static final Logger LOG = LoggerFactory.getLogger(TopicSetup.class);
    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    private final Admin admin;
    private final RollcallConfig config;
    private final String bootstrapServers;
    private final TopicContract contract;

    /** The topics whose unreadable settings were logged already. */
    private final Set<String> unreadable = new HashSet<>();

    private Set<Finding> warned = Set.of();

    public TopicSetup(Admin admin, RollcallConfig config, String bootstrapServers) {
        this.admin = admin;
        this.config = config;
        this.bootstrapServers = bootstrapServers;
        this.contract = new TopicContract(config);
    }

    /**
     * Creates and checks the topics. Wrong settings on the embedded broker, which an older version may have left, are
     * corrected. Those of a cluster are left to its operator.
     *
     * @return the number of partitions of each input
     * @throws ConfigException if the cluster cannot be reached, or topics cannot be used; then with all that is wrong
     */
    public int ensure() {
        for (String topic : contract.names()) {
            create(topic);
        }
        Map<String, Found> found = findAll();
        List<Finding> findings = contract.check(found, OptionalInt.empty());
        if (config.bootstrapServers().isEmpty() && !findings.isEmpty()) {
            alter(findings);
            found = findAll();
            findings = contract.check(found, OptionalInt.empty());
        }
        String refused = warnAndRefuse(findings);
        if (!refused.isEmpty()) {
            throw new ConfigException(refused);
        }
        return contract.partitions(found);
    }

    /**
     * Checks again, while the processor runs.
     *
     * @param partitions the number of partitions of each input at the start
     * @return what is wrong and how to correct it, line by line; empty: nothing
     * @throws ConfigException if the cluster does not answer
     */
    String check(int partitions) {
        return warnAndRefuse(contract.check(find(), OptionalInt.of(partitions)));
    }

    /** Logs each warning when it first appears, and returns what is refused as text. */
    private String warnAndRefuse(List<Finding> findings) {
        Set<Finding> unwise = findings.stream()
                .filter(finding -> !finding.isRefused())
                .collect(Collectors.toCollection(LinkedHashSet::new));
        unwise.stream()
                .filter(finding -> !warned.contains(finding))
                .forEach(finding -> LOG.warn("the topic {}; fix: {}", finding, fix(finding)));
        warned = unwise;
        String refused = findings.stream()
                .filter(Finding::isRefused)
                .map(finding -> "\n  the topic %s\n    fix: %s".formatted(finding, fix(finding)))
                .collect(Collectors.joining());
        return refused.isEmpty() ? "" : "the topics cannot be used as they are:" + refused;
    }

    private String fix(Finding finding) {
        return finding.fix().text(bootstrapServers);
    }

    private void create(String name) {
        NewTopic topic = new NewTopic(name, config.topicPartitions(), config.topicReplicationFactor())
                .configs(contract.settings(name));
        try {
            await(admin.createTopics(List.of(topic)).all());
            LOG.info("created the topic {} with {} partitions", name, config.topicPartitions());
        } catch (ExecutionException e) {
            if (!(e.getCause() instanceof TopicExistsException)) {
                throw new ConfigException("cannot create the topic %s: %s".formatted(name, e.getCause()));
            }
        }
    }

    private void alter(List<Finding> findings) {
        Map<ConfigResource, Collection<AlterConfigOp>> changes = new HashMap<>();
        for (Finding finding : findings) {
            if (finding.fix() instanceof Alter alter) {
                changes.computeIfAbsent(resource(alter.topic()), any -> new ArrayList<>())
                        .add(new AlterConfigOp(
                                new ConfigEntry(alter.setting(), alter.value()), AlterConfigOp.OpType.SET));
            }
        }
        try {
            await(admin.incrementalAlterConfigs(changes).all());
        } catch (ExecutionException e) {
            throw new ConfigException("cannot alter the embedded broker's topics: " + e.getCause());
        }
        // The controller has answered; the broker may learn of it a moment later.
        poll(found -> contract.check(found, OptionalInt.empty()).stream()
                .noneMatch(finding -> finding.fix() instanceof Alter));
        findings.stream()
                .filter(finding -> finding.fix() instanceof Alter)
                .forEach(finding -> LOG.info("the topic {}; corrected, because the broker is Rollcall's own", finding));
    }

    /** Waits, because not every broker may know a topic that was just created. */
    private Map<String, Found> findAll() {
        return poll(found -> found.keySet().containsAll(contract.names()));
    }

    private Map<String, Found> poll(Predicate<Map<String, Found>> isThere) {
        long giveUpAt = System.nanoTime() + TIMEOUT.toNanos();
        while (true) {
            Map<String, Found> found = find();
            if (isThere.test(found)) {
                return found;
            }
            if (System.nanoTime() - giveUpAt > 0) {
                throw new ConfigException("the cluster still does not show all of the topics %s as they were created"
                        .formatted(contract.names()));
            }
            LockSupport.parkNanos(Duration.ofMillis(50).toNanos());
        }
    }

    /** The topics that exist. */
    private Map<String, Found> find() {
        List<String> names = new ArrayList<>(contract.names());
        names.addAll(contract.changelogs());
        Map<String, Integer> partitions = new LinkedHashMap<>();
        admin.describeTopics(names).topicNameValues().forEach((name, future) -> {
            try {
                TopicDescription topic = await(future);
                partitions.put(name, topic.partitions().size());
            } catch (ExecutionException e) {
                if (!(e.getCause() instanceof UnknownTopicOrPartitionException)) {
                    throw new ConfigException("cannot describe the topic %s: %s".formatted(name, e.getCause()));
                }
            }
        });
        Map<String, Found> found = new HashMap<>();
        admin.describeConfigs(
                        partitions.keySet().stream().map(TopicSetup::resource).toList())
                .values()
                .forEach((resource, future) -> {
                    String name = resource.name();
                    Map<String, String> settings = settings(name, future);
                    if (settings != null) {
                        found.put(name, new Found(name, partitions.getOrDefault(name, 0), settings));
                    }
                });
        return found;
    }

    /** Null: the broker that was asked for them does not know the topic yet, though another one does. */
    private @Nullable Map<String, String> settings(String topic, KafkaFuture<Config> future) {
        Map<String, String> settings = new HashMap<>();
        try {
            for (ConfigEntry entry : await(future).entries()) {
                if (entry.value() != null) {
                    settings.put(entry.name(), entry.value());
                }
            }
        } catch (ExecutionException e) {
            if (e.getCause() instanceof UnknownTopicOrPartitionException) {
                return null;
            }
            if (!(e.getCause() instanceof AuthorizationException)) {
                throw new ConfigException(
                        "cannot read the settings of the topic %s: %s".formatted(topic, e.getCause()));
            }
            if (unreadable.add(topic)) {
                LOG.warn(
                        "the settings of the topic {} are not checked: this user lacks the right DescribeConfigs",
                        topic);
            }
        }
        return settings;
    }

    private static ConfigResource resource(String topic) {
        return new ConfigResource(ConfigResource.Type.TOPIC, topic);
    }

    /**
     * Waits for an answer of the cluster.
     *
     * @throws ConfigException if there is none within a minute
     */
    static <T> T await(KafkaFuture<T> future) throws ExecutionException {
        try {
            return future.get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new ConfigException("no answer from the Kafka cluster for %d s: is bootstrap.servers right?"
                    .formatted(TIMEOUT.toSeconds()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ConfigException("interrupted while asking the Kafka cluster");
        }
    }
}
