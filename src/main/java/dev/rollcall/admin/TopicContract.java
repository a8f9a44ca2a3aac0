package dev.rollcall.admin;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.config.RollcallConfig.TopicNames;
import dev.rollcall.topology.OutputLimits;
import dev.rollcall.topology.PresenceTopology;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.apache.kafka.common.config.TopicConfig;
import org.jspecify.annotations.Nullable;

/**
 * The settings that Rollcall's topics need (README, "Topics"), and what is wrong with those that exist. A finding is refused if
 * it would corrupt presence or end the processor later; otherwise it is a warning.
 */
final class TopicContract {
    private static final String CLEANUP = TopicConfig.CLEANUP_POLICY_CONFIG;
    private static final String TIMESTAMPS = TopicConfig.MESSAGE_TIMESTAMP_TYPE_CONFIG;
    private static final String PARTITIONS = "partitions";

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
    private static final Map<String, String> KEPT_FOR_SIX_HOURS = Map.of(
            TopicConfig.RETENTION_MS_CONFIG, Long.toString(Duration.ofHours(6).toMillis()));

    /** In the order in which they are created. */
    private final List<Expected> topics;

    private final Set<String> inputs;
    private final List<String> changelogs;

    /**
     * A topic of the cluster.
     *
     * @param settings those that could be read
     */
    record Found(String topic, int partitions, Map<String, String> settings) {}

    /**
     * A setting of a topic that is not as it should be.
     *
     * @param isRefused whether Rollcall must not run with it
     * @param fix how to correct it
     */
    record Finding(boolean isRefused, String topic, String setting, String is, String shouldBe, String why, Fix fix) {
        @Override
        public String toString() {
            return "%s has %s=%s, and %s have %s: %s"
                    .formatted(topic, setting, is, isRefused ? "must" : "should", shouldBe, why);
        }
    }

    /** How a finding is corrected. */
    sealed interface Fix {
        /** Tells the operator what to do, as a command if there is one. */
        String text(String bootstrapServers);
    }

    /** A setting that can be changed at any time. */
    record Alter(String topic, String setting, String value) implements Fix {
        @Override
        public String text(String bootstrapServers) {
            return ("kafka-configs.sh --bootstrap-server %s --alter --entity-type topics --entity-name %s"
                            + " --add-config %s=%s")
                    .formatted(bootstrapServers, topic, setting, value);
        }
    }

    /** More partitions, while no stored state depends on their number. */
    record AddPartitions(String topic, int partitions) implements Fix {
        @Override
        public String text(String bootstrapServers) {
            return "kafka-topics.sh --bootstrap-server %s --alter --topic %s --partitions %d"
                    .formatted(bootstrapServers, topic, partitions);
        }
    }

    /** A new application, because stored state cannot move to other partitions. */
    record NewApplication() implements Fix {
        @Override
        public String text(String bootstrapServers) {
            return "start a new application with another application.id: docs/sizing.md";
        }
    }

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

    TopicContract(RollcallConfig config) {
        TopicNames names = config.topics();
        changelogs = PresenceTopology.changelogs(config.applicationId());
        Rule compactedInput = compacted("what was set longer ago than its retention is lost to a new application");
        Rule compactedOutput = compacted("users who have not changed for a while are lost to new consumers");
        topics = new ArrayList<>(List.of(
                new Expected(
                        names.deviceHeartbeat(),
                        List.of(
                                notCompacted("clock ticks have no key, and brokers refuse them there"),
                                STAMPED_BY_BROKERS),
                        KEPT_FOR_SIX_HOURS),
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
        inputs = Set.of(names.deviceHeartbeat(), names.status(), names.appearOffline());
    }

    private static Rule compacted(String why) {
        return Rule.unwise(CLEANUP, "compact"::equals, "compact", why);
    }

    private static Rule notCompacted(String why) {
        return Rule.refused(CLEANUP, policy -> !policy.contains("compact"), "delete", why);
    }

    /** The topics that Rollcall creates if they are missing, in order. */
    List<String> names() {
        return topics.stream().map(Expected::topic).toList();
    }

    /** The settings that a topic is created with. */
    Map<String, String> settings(String topic) {
        Expected expected = topics.stream()
                .filter(one -> one.topic().equals(topic))
                .findFirst()
                .orElseThrow();
        Map<String, String> settings = new HashMap<>(expected.more());
        expected.rules().forEach(rule -> settings.put(rule.setting(), rule.right()));
        return settings;
    }

    /** The changelogs of the stores. Kafka Streams creates these topics itself. */
    List<String> changelogs() {
        return changelogs;
    }

    /**
     * The number of partitions of the inputs: the largest, should they differ.
     *
     * @throws java.util.NoSuchElementException if none of them was found
     */
    int partitions(Map<String, Found> found) {
        return inputs.stream()
                .map(found::get)
                .filter(Objects::nonNull)
                .mapToInt(Found::partitions)
                .max()
                .orElseThrow();
    }

    /**
     * What is wrong with the topics that were found. Topics and settings that are missing from {@code found} are not checked.
     *
     * @param before the number of partitions of the inputs when this processor started; empty: it is starting now
     */
    List<Finding> check(Map<String, Found> found, OptionalInt before) {
        List<Finding> findings = new ArrayList<>();
        for (Expected expected : topics) {
            Found topic = found.get(expected.topic());
            if (topic != null) {
                expected.rules().forEach(rule -> check(topic, rule, findings));
            }
        }
        for (String changelog : changelogs) {
            if (found.get(changelog) != null) {
                check(found.get(changelog), COMPACTED_CHANGELOG, findings);
            }
        }
        checkPartitions(found, found.get(changelogs.get(0)), before, findings);
        return findings;
    }

    private static void check(Found topic, Rule rule, List<Finding> findings) {
        String is = topic.settings().get(rule.setting());
        if (is != null && !rule.holds().test(is)) {
            findings.add(new Finding(
                    rule.isRefused(),
                    topic.topic(),
                    rule.setting(),
                    is,
                    rule.right(),
                    rule.why(),
                    new Alter(topic.topic(), rule.setting(), rule.right())));
        }
    }

    private void checkPartitions(
            Map<String, Found> found, @Nullable Found stored, OptionalInt before, List<Finding> findings) {
        SortedMap<String, Integer> counts = new TreeMap<>();
        found.values().stream()
                .filter(topic -> inputs.contains(topic.topic()))
                .forEach(topic -> counts.put(topic.topic(), topic.partitions()));
        if (counts.isEmpty()) {
            return;
        }
        int most = partitions(found);
        int right = before.orElse(stored == null ? most : stored.partitions());
        boolean hasState = before.isPresent() || stored != null;
        counts.forEach((topic, count) -> {
            if (count != right) {
                findings.add(new Finding(
                        true,
                        topic,
                        PARTITIONS,
                        count.toString(),
                        Integer.toString(right),
                        hasState
                                ? "what is stored of the users is in " + right
                                        + " partitions, and another number puts them elsewhere"
                                : "the three inputs must have the same number, so that a user is in one place",
                        hasState ? new NewApplication() : new AddPartitions(topic, right)));
            }
        });
    }
}
