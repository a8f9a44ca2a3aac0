package dev.rollcall.admin;

import dev.rollcall.config.ConfigException;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.contract.Cluster;
import dev.rollcall.contract.ClusterContract;
import dev.rollcall.contract.Finding;
import dev.rollcall.contract.Fix.Alter;
import dev.rollcall.contract.KafkaTools;
import dev.rollcall.contract.Principal;
import dev.rollcall.metrics.Meters;
import dev.rollcall.text.Printable;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Creates the topics that are missing, and checks the cluster by the {@link ClusterContract}. Used by one thread at a time. */
public final class TopicSetup {
    private static final Logger LOG = LoggerFactory.getLogger(TopicSetup.class);

    private final Admin admin;
    private final RollcallConfig config;
    private final String bootstrapServers;
    private final ClusterContract contract;
    private final ClusterReader reader;
    private final Answers answers;

    private Set<Finding> warned = Set.of();
    private volatile List<Finding> found = List.of();
    private @Nullable OutputSample sample;
    private @Nullable LocalState localState;

    public TopicSetup(Admin admin, RollcallConfig config, String bootstrapServers) {
        this.admin = admin;
        this.config = config;
        this.bootstrapServers = bootstrapServers;
        this.contract = new ClusterContract(config);
        this.reader = new ClusterReader(admin, config, contract.topics());
        this.answers = new Answers(config.kafka());
    }

    /** As this, but also looks at the records of the output where nothing else tells how many partitions it had. */
    public TopicSetup reading(Map<String, Object> consumer) {
        sample = new OutputSample(consumer, config.topics().presence());
        return this;
    }

    /** As this, but also looks whether the state of this instance may be used, and stores what that needs while it runs. */
    public TopicSetup with(LocalState state) {
        localState = state;
        return this;
    }

    /**
     * Creates the topics that are missing, and checks everything. Wrong settings on the embedded broker, which an older version
     * may have left, are corrected. Those of a cluster are left to its operator.
     *
     * @return the number of partitions of each input
     * @throws ConfigException if the cluster cannot be used; then with all that is wrong
     * @throws ClusterException if it does not answer
     */
    public int ensure() {
        create(missing());
        reader.requireTransactions();
        Cluster cluster = sampled(readAll());
        List<Finding> findings = contract.check(cluster, OptionalInt.empty());
        if (config.bootstrapServers().isEmpty() && !findings.isEmpty()) {
            alter(findings, "the broker is Rollcall's own");
            cluster = readAll();
            findings = contract.check(cluster, OptionalInt.empty());
        }
        String refused = warnAndRefuse(findings);
        if (!refused.isEmpty()) {
            throw new ConfigException(refused);
        }
        reader.store(contract.checkpoints(cluster, true));
        if (localState != null) {
            localState.compare(changelogs(cluster), tombstones(cluster));
        }
        return contract.partitions(cluster);
    }

    private Map<String, String> changelogs(Cluster cluster) {
        return contract.topics().changelogs().stream()
                .map(cluster.topics()::get)
                .filter(Objects::nonNull)
                .collect(Collectors.toMap(Cluster.Topic::name, Cluster.Topic::id));
    }

    /** How long the changelogs keep tombstones: the shortest, and Kafka's default where it cannot be read. */
    private Duration tombstones(Cluster cluster) {
        return contract.topics().changelogs().stream()
                .flatMap(name -> Optional.ofNullable(cluster.topics().get(name)).stream())
                .flatMap(topic ->
                        Optional.ofNullable(topic.settings().get(TopicConfig.DELETE_RETENTION_MS_CONFIG)).stream())
                .map(ms -> Duration.ofMillis(Long.parseLong(ms)))
                .min(Comparator.naturalOrder())
                .orElse(Duration.ofDays(1));
    }

    /**
     * Looks, and changes nothing.
     *
     * @throws ClusterException if the cluster does not answer
     */
    public List<Finding> findings() {
        reader.requireTransactions();
        Cluster cluster = sampled(reader.read());
        List<Finding> findings = new ArrayList<>(contract.check(cluster, OptionalInt.empty()));
        findings.addAll(contract.topics().missing(cluster));
        return findings;
    }

    /**
     * Accepts the number of partitions that the output has now, if nothing else is refused.
     *
     * @return what is refused; empty: it is accepted
     * @throws ClusterException if the cluster does not answer
     */
    public List<Finding> acceptPartitions() {
        Cluster cluster = reader.read();
        List<Finding> refused = contract.check(cluster, OptionalInt.empty()).stream()
                .filter(finding -> finding.isRefused() && !contract.isOfTheOutputsPartitions(finding))
                .toList();
        if (refused.isEmpty()) {
            reader.store(contract.checkpoints(cluster, true));
        }
        return refused;
    }

    /** Takes what the changelogs have now for all that they had: it was just rebuilt. */
    public void acceptState() {
        reader.store(contract.checkpoints(reader.read(), true));
    }

    private Cluster sampled(Cluster cluster) {
        @Nullable OutputSample looking = sample;
        return looking != null && contract.mayBeMisplaced(cluster) ? looking.of(cluster) : cluster;
    }

    /** Shows what the last check of the start or of the {@link TopicWatch} has found. */
    public void show(Meters meters) {
        meters.rows(
                "rollcall.contract.findings",
                "What is wrong with the cluster: rollcall check tells how to correct it",
                "",
                List.of("severity", "topic", "setting"),
                () -> found.stream()
                        .collect(Collectors.groupingBy(
                                finding -> List.of(
                                        finding.severity().name().toLowerCase(Locale.ROOT),
                                        finding.topic(),
                                        finding.setting()),
                                Collectors.counting())));
    }

    /** The topics that do not exist, of those that Rollcall creates. */
    public List<String> missing() {
        Set<String> found = reader.read().topics().keySet();
        return contract.topics().names().stream()
                .filter(name -> !found.contains(name))
                .toList();
    }

    /**
     * Checks again, while the processor runs.
     *
     * @param partitions the number of partitions of each input at the start
     * @return what is wrong and how to correct it, line by line; empty: nothing
     * @throws ClusterException if the cluster does not answer
     */
    String check(int partitions) {
        Cluster cluster = reader.read();
        String refused = warnAndRefuse(contract.check(cluster, OptionalInt.of(partitions)));
        if (refused.isEmpty()) {
            reader.store(contract.checkpoints(cluster, false));
            store(changelogs(cluster));
        }
        return refused;
    }

    private void store(Map<String, String> changelogs) {
        if (localState != null) {
            try {
                localState.used(changelogs);
            } catch (UncheckedIOException e) {
                LOG.warn("the next start may restore what is on disk already: {}", Printable.of(e));
            }
        }
    }

    /** Logs each warning when it first appears, and returns what is refused as text. */
    private String warnAndRefuse(List<Finding> findings) {
        found = List.copyOf(findings);
        Set<Finding> unwise = findings.stream()
                .filter(finding -> !finding.isRefused())
                .collect(Collectors.toCollection(LinkedHashSet::new));
        unwise.stream()
                .filter(finding -> !warned.contains(finding))
                .forEach(finding -> LOG.warn("{}; fix: {}", finding, fix(finding)));
        warned = unwise;
        String refused = findings.stream()
                .filter(Finding::isRefused)
                .map(finding -> "\n  %s\n    fix: %s".formatted(finding, fix(finding)))
                .collect(Collectors.joining());
        return refused.isEmpty() ? "" : "the cluster cannot be used as it is:" + refused;
    }

    private String fix(Finding finding) {
        return finding.fix().text(KafkaTools.of(bootstrapServers));
    }

    /** What {@link #create} creates a topic with. */
    public NewTopic newTopic(String name) {
        return new NewTopic(name, config.topicPartitions(), config.topicReplicationFactor())
                .configs(contract.topics().settings(name));
    }

    /** Creates topics, as far as nobody else does at the same time. */
    public void create(List<String> names) {
        for (String name : names) {
            try {
                answers.await(admin.createTopics(List.of(newTopic(name))).all());
                LOG.info("created the topic {} with {} partitions", name, config.topicPartitions());
            } catch (ExecutionException e) {
                if (!(e.getCause() instanceof TopicExistsException)) {
                    throw failed("cannot create the topic " + name, "Create on the topic " + name, "create", e);
                }
            }
        }
    }

    /** Corrects the settings of topics that can be changed at any time; the rest is the operator's. */
    public void alter(List<Finding> findings, String because) {
        Map<ConfigResource, Collection<AlterConfigOp>> changes = new HashMap<>();
        for (Finding finding : findings) {
            if (finding.fix() instanceof Alter alter) {
                changes.computeIfAbsent(ClusterReader.resource(alter.topic()), any -> new ArrayList<>())
                        .add(new AlterConfigOp(
                                new ConfigEntry(alter.setting(), alter.value()), AlterConfigOp.OpType.SET));
            }
        }
        try {
            answers.await(admin.incrementalAlterConfigs(changes).all());
        } catch (ExecutionException e) {
            String topics =
                    changes.keySet().stream().map(ConfigResource::name).sorted().collect(Collectors.joining(", "));
            throw failed("cannot change the settings of " + topics, "AlterConfigs on the topics " + topics, "fix", e);
        }
        // The controller has answered; the broker may learn of it a moment later.
        poll(cluster -> contract.check(cluster, OptionalInt.empty()).stream()
                .noneMatch(finding -> finding.fix() instanceof Alter));
        findings.stream()
                .filter(finding -> finding.fix() instanceof Alter)
                .forEach(finding -> LOG.info("{}; corrected, because {}", finding, because));
    }

    /** A right that is an administrator's, and that the command {@code acls} asks for in no role. */
    private RuntimeException failed(String what, String right, String command, ExecutionException e) {
        return e.getCause() instanceof AuthorizationException
                ? new ConfigException(
                        ("%s: %s lacks the right %s: run \"rollcall topics %s\" as an administrator of the cluster"
                                        + " (an instance needs no such right)")
                                .formatted(what, Principal.of(config.kafka()), right, command))
                : answers.failed(what, right, e);
    }

    /** Waits, because not every broker may know a topic that was just created. */
    private Cluster readAll() {
        return poll(cluster ->
                cluster.topics().keySet().containsAll(contract.topics().names()));
    }

    private Cluster poll(Predicate<Cluster> isThere) {
        long giveUpAt = System.nanoTime() + Answers.TIMEOUT.toNanos();
        while (true) {
            Cluster cluster = reader.read();
            if (isThere.test(cluster)) {
                return cluster;
            }
            if (System.nanoTime() - giveUpAt > 0) {
                throw new ClusterException("the cluster still does not show all of the topics %s as they were created"
                        .formatted(contract.topics().names()));
            }
            LockSupport.parkNanos(Duration.ofMillis(50).toNanos());
        }
    }
}
