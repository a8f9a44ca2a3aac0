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
 * What the contract (1.1) asks of the topics, as values: how they are made, and what is wrong with those that are there.
 * What would corrupt presence or end the processor later is refused; what is only unwise is warned of.
 */
final class TopicContract {
    private static final String CLEANUP = TopicConfig.CLEANUP_POLICY_CONFIG;
    private static final String TIMESTAMPS = TopicConfig.MESSAGE_TIMESTAMP_TYPE_CONFIG;
    private static final String PARTITIONS = "partitions";

    private static final Rule STAMPED_BY_BROKERS = Rule.refused(
            TIMESTAMPS,
            "LogAppendTime"::equals,
            "LogAppendTime",
            "the clocks of those who write to it would have a part in who is here");
    private static final Rule STAMPED_WITH_THE_CHANGE = Rule.refused(
            TIMESTAMPS,
            "CreateTime"::equals,
            "CreateTime",
            "its readers take a record's timestamp for the instant of the change");

    /** Heartbeats are of no use after their lease; six hours let a processor catch up after a bad night. */
    private static final Map<String, String> KEPT_FOR_A_NIGHT = Map.of(
            TopicConfig.RETENTION_MS_CONFIG, Long.toString(Duration.ofHours(6).toMillis()));

    /** All that are Rollcall's, in the order in which they are made. */
    private final List<Expected> topics;

    private final Set<String> inputs;
    private final String changelog;

    /**
     * A topic as the cluster has it.
     *
     * @param settings those that could be read
     */
    record Found(String topic, int partitions, Map<String, String> settings) {}

    /**
     * What is wrong with a topic.
     *
     * @param isRefused whether nothing may run with it
     * @param mend what to do about it
     */
    record Finding(boolean isRefused, String topic, String setting, String is, String shouldBe, String why, Mend mend) {
        @Override
        public String toString() {
            return "%s has %s=%s, and %s have %s: %s"
                    .formatted(topic, setting, is, isRefused ? "must" : "should", shouldBe, why);
        }
    }

    /** How a finding is mended. */
    sealed interface Mend {
        /** For the operator, as a command where there is one. */
        String text(String bootstrapServers);
    }

    /** The setting can be altered at any time. */
    record Alter(String topic, String setting, String value) implements Mend {
        @Override
        public String text(String bootstrapServers) {
            return ("kafka-configs.sh --bootstrap-server %s --alter --entity-type topics --entity-name %s"
                            + " --add-config %s=%s")
                    .formatted(bootstrapServers, topic, setting, value);
        }
    }

    /** Partitions can be added where no state depends on their number yet. */
    record AddPartitions(String topic, int partitions) implements Mend {
        @Override
        public String text(String bootstrapServers) {
            return "kafka-topics.sh --bootstrap-server %s --alter --topic %s --partitions %d"
                    .formatted(bootstrapServers, topic, partitions);
        }
    }

    /** Nothing brings the old state to the new partitions. */
    record NewApplication() implements Mend {
        @Override
        public String text(String bootstrapServers) {
            return "start a new application with another application.id: docs/sizing.md";
        }
    }

    /** One topic, and the rules for its settings. */
    private record Expected(String topic, List<Rule> rules, Map<String, String> more) {}

    /** What a setting has to be. Rollcall makes its topics with the value that is right. */
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
        changelog = config.applicationId() + "-" + PresenceTopology.USERS + "-changelog";
        Rule compactedInput = compacted("what was set longer ago than its retention is lost to a new application");
        Rule compactedOutput = compacted("users who have not changed for a while are lost to new consumers");
        topics = new ArrayList<>(List.of(
                new Expected(
                        names.deviceHeartbeat(),
                        List.of(
                                notCompacted("clock clock ticks have no key, and brokers refuse them there"),
                                STAMPED_BY_BROKERS),
                        KEPT_FOR_A_NIGHT),
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
                                        "bad records may bear any time, and keep it there")),
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

    /** The topics that Rollcall makes where they are missing, in order, each with its settings. */
    List<String> names() {
        return topics.stream().map(Expected::topic).toList();
    }

    /** What a topic is made with. */
    Map<String, String> settings(String topic) {
        Expected expected = topics.stream()
                .filter(one -> one.topic().equals(topic))
                .findFirst()
                .orElseThrow();
        Map<String, String> settings = new HashMap<>(expected.more());
        expected.rules().forEach(rule -> settings.put(rule.setting(), rule.right()));
        return settings;
    }

    /** Where Kafka Streams keeps what is stored of the users; it makes this topic itself. */
    String changelog() {
        return changelog;
    }

    /**
     * How many partitions each of the inputs has.
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
     * What is wrong with what was found; of a topic or a setting that is not in there nothing is said.
     *
     * @param before how many partitions each of the inputs had when this processor was started; empty: it is about to
     */
    List<Finding> check(Map<String, Found> found, OptionalInt before) {
        List<Finding> findings = new ArrayList<>();
        for (Expected expected : topics) {
            Found topic = found.get(expected.topic());
            if (topic != null) {
                expected.rules().forEach(rule -> check(topic, rule, findings));
            }
        }
        Found stored = found.get(changelog);
        if (stored != null) {
            check(
                    stored,
                    Rule.refused(CLEANUP, "compact"::equals, "compact", "what is stored of the users is lost with it"),
                    findings);
        }
        checkPartitions(found, stored, before, findings);
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
