package dev.rollcall.contract;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.contract.Cluster.Topic;
import dev.rollcall.contract.Fix.AddReplicas;
import dev.rollcall.contract.Fix.Alter;
import dev.rollcall.contract.Fix.Decide;
import dev.rollcall.topology.OutputLimits;
import dev.rollcall.topology.PresenceTopology;
import dev.rollcall.wire.TopicNames;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.apache.kafka.common.config.TopicConfig;
import org.jspecify.annotations.Nullable;

/** The settings that Rollcall's topics need (README, "Topics"), and what is wrong with those that exist. */
public final class TopicContract {
    private static final String CLEANUP = TopicConfig.CLEANUP_POLICY_CONFIG;
    private static final String TIMESTAMPS = TopicConfig.MESSAGE_TIMESTAMP_TYPE_CONFIG;
    private static final String MIN_ISR = TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG;
    private static final int SAFE_REPLICAS = 3;
    private static final int SAFE_ISR = 2;

    private static final Rule STAMPED_BY_BROKERS = Rule.refused(
            TIMESTAMPS, "LogAppendTime"::equals, "LogAppendTime", "else producers' clocks would decide who is online");
    private static final Rule COMPACTED_CHANGELOG =
            Rule.refused(CLEANUP, "compact"::equals, "compact", "what is stored is lost with it");

    private static final Rule STAMPED_WITH_THE_CHANGE = Rule.refused(
            TIMESTAMPS,
            "CreateTime"::equals,
            "CreateTime",
            "its readers take a record's timestamp for the instant of the change");

    /** A heartbeat is useless after its lease; six hours let a processor catch up after an outage overnight. */
    private static final long HEARTBEATS_KEPT_MS = Duration.ofHours(6).toMillis();

    private static final String HEARTBEATS_LOST =
            "a processor that was down for longer than heartbeats are kept takes live devices for silent";

    private static final Rule KEPT_FOR_SIX_HOURS = Rule.unwise(
            TopicConfig.RETENTION_MS_CONFIG,
            value -> atLeast(value, HEARTBEATS_KEPT_MS),
            Long.toString(HEARTBEATS_KEPT_MS),
            HEARTBEATS_LOST);
    private static final Rule KEPT_WHATEVER_THEIR_SIZE = Rule.unwise(
            TopicConfig.RETENTION_BYTES_CONFIG, value -> atLeast(value, Long.MAX_VALUE), "-1", HEARTBEATS_LOST);

    /** In the order in which they are created. */
    private final List<Expected> topics;

    private final List<String> changelogs;
    private final boolean isReplicated;
    private final boolean hasReplicas;

    /** A topic, the rules for its settings, and further settings that it is only created with. */
    private record Expected(String topic, List<Rule> rules, Map<String, String> more) {}

    /** A rule for one setting. Rollcall creates its topics with the value {@code right}. */
    private record Rule(String setting, Predicate<String> holds, String right, boolean isRefused, String why) {
        static Rule refused(String setting, Predicate<String> holds, String right, String why) {
            return new Rule(setting, holds, right, true, why);
        }

        static Rule unwise(String setting, Predicate<String> holds, String right, String why) {
            return new Rule(setting, holds, right, false, why);
        }
    }

    public TopicContract(RollcallConfig config) {
        TopicNames names = config.topics();
        changelogs = PresenceTopology.changelogs(config.applicationId());
        isReplicated = !config.bootstrapServers().isEmpty(); // the embedded broker is one, and everybody knows
        hasReplicas = config.topicReplicationFactor() >= SAFE_REPLICAS;
        Rule compactedInput = compacted("what was set longer ago than its retention is lost to a new application");
        Rule compactedOutput = compacted("users who have not changed for a while are lost to new consumers");
        topics = new ArrayList<>(List.of(
                new Expected(
                        names.deviceHeartbeat(),
                        List.of(
                                notCompacted("clock ticks have no key, and brokers refuse them there"),
                                STAMPED_BY_BROKERS,
                                KEPT_FOR_SIX_HOURS,
                                KEPT_WHATEVER_THEIR_SIZE),
                        Map.of()),
                new Expected(names.status(), List.of(compactedInput, STAMPED_BY_BROKERS), Map.of()),
                new Expected(names.appearOffline(), List.of(compactedInput, STAMPED_BY_BROKERS), Map.of()),
                new Expected(
                        names.presence(),
                        List.of(compactedOutput, STAMPED_WITH_THE_CHANGE),
                        OutputLimits.ANY_TIMESTAMP),
                new Expected(
                        names.deadLetters(),
                        List.of(
                                notCompacted("dead letters may have no key, and brokers refuse them there"),
                                Rule.unwise(
                                        TIMESTAMPS,
                                        "LogAppendTime"::equals,
                                        "LogAppendTime",
                                        "bad records may have any timestamp, and keep it there")),
                        Map.of())));
        if (config.rules().routing()) {
            topics.add(new Expected(
                    names.routing(), List.of(compactedOutput, STAMPED_WITH_THE_CHANGE), OutputLimits.ANY_TIMESTAMP));
        }
    }

    private static Rule compacted(String why) {
        return Rule.unwise(CLEANUP, "compact"::equals, "compact", why);
    }

    private static Rule notCompacted(String why) {
        return Rule.refused(CLEANUP, policy -> !policy.contains("compact"), "delete", why);
    }

    /** Whether a limit, of which -1 is none, is that high. */
    private static boolean atLeast(String limit, long least) {
        return limit.equals("-1") || Long.parseLong(limit) >= least;
    }

    /** The topics that Rollcall creates if they are missing, in order. */
    public List<String> names() {
        return topics.stream().map(Expected::topic).toList();
    }

    /** The changelogs of the stores. Kafka Streams creates these topics itself. */
    public List<String> changelogs() {
        return changelogs;
    }

    /** The settings that a topic is created with. */
    public Map<String, String> settings(String topic) {
        Expected expected = topics.stream()
                .filter(one -> one.topic().equals(topic))
                .findFirst()
                .orElseThrow();
        Map<String, String> settings = new HashMap<>(expected.more());
        expected.rules().forEach(rule -> settings.put(rule.setting(), rule.right()));
        if (hasReplicas) {
            settings.put(MIN_ISR, Integer.toString(SAFE_ISR));
        }
        return settings;
    }

    /** The topics that the start would create. */
    public List<Finding> missing(Cluster cluster) {
        return names().stream()
                .filter(name -> !cluster.topics().containsKey(name))
                .map(name -> Finding.unwise(
                        name,
                        "",
                        "absent",
                        "there",
                        "the start creates it, which takes the right Create",
                        Decide.on("rollcall topics create")))
                .toList();
    }

    /** What is wrong with the topics that were found. */
    List<Finding> check(Cluster cluster) {
        List<Finding> findings = new ArrayList<>();
        for (Expected expected : topics) {
            @Nullable Topic topic = cluster.topics().get(expected.topic());
            if (topic != null) {
                expected.rules().forEach(rule -> check(topic, rule, findings));
            }
        }
        for (String changelog : changelogs) {
            cluster.topic(changelog).ifPresent(topic -> check(topic, COMPACTED_CHANGELOG, findings));
        }
        if (isReplicated) {
            cluster.topics().values().stream()
                    .sorted((one, other) -> one.name().compareTo(other.name()))
                    .forEach(topic -> checkReplicas(topic, findings));
        }
        return findings;
    }

    private static void check(Topic topic, Rule rule, List<Finding> findings) {
        @Nullable String is = topic.settings().get(rule.setting());
        if (is != null && !rule.holds().test(is)) {
            findings.add(new Finding(
                    rule.isRefused() ? Finding.Severity.REFUSED : Finding.Severity.UNWISE,
                    topic.name(),
                    rule.setting(),
                    is,
                    rule.right(),
                    rule.why(),
                    new Alter(topic.name(), rule.setting(), rule.right())));
        }
    }

    private static void checkReplicas(Topic topic, List<Finding> findings) {
        int right = Math.min(SAFE_ISR, topic.replicas());
        int minIsr = Integer.parseInt(topic.settings().getOrDefault(MIN_ISR, Integer.toString(right)));
        Alter fix = new Alter(topic.name(), MIN_ISR, Integer.toString(right));
        if (topic.replicas() < SAFE_ISR) {
            findings.add(Finding.unwise(
                    topic.name(),
                    "replicas",
                    Integer.toString(topic.replicas()),
                    Integer.toString(SAFE_REPLICAS),
                    "a broker that is away stops it, and a disk that is lost takes its records along",
                    new AddReplicas(topic.name())));
        }
        if (minIsr > topic.replicas()) {
            findings.add(Finding.refused(
                    topic.name(),
                    MIN_ISR,
                    Integer.toString(minIsr),
                    "at most " + topic.replicas(),
                    "it has no more replicas, and brokers take no record",
                    fix));
        } else if (minIsr < right) {
            findings.add(Finding.unwise(
                    topic.name(),
                    MIN_ISR,
                    Integer.toString(minIsr),
                    Integer.toString(SAFE_ISR),
                    "an acknowledged record that only one broker has is lost with its disk",
                    fix));
        }
    }
}
