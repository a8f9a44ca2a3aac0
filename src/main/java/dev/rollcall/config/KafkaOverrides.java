package dev.rollcall.config;

import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Refuses those {@code kafka.*} settings that would silently break one of Rollcall's promises (docs/guarantees.md). Settings
 * that Kafka itself refuses are left to Kafka.
 */
final class KafkaOverrides {
    private static final String FAIL_ON_RECORDS = "org.apache.kafka.streams.errors.LogAndFailExceptionHandler";
    private static final String FAIL_ON_PROCESSING =
            "org.apache.kafka.streams.errors.LogAndFailProcessingExceptionHandler";
    private static final String FAIL_ON_PRODUCTION =
            "org.apache.kafka.streams.errors.DefaultProductionExceptionHandler";

    /** State without a partition gets twice as old; that, half a day of absence, and a restore fit into a day. */
    private static final long MOST_CLEANUP_DELAY_MS = 10_800_000;

    /** Kafka's own. */
    private static final long LEAST_DELETE_RETENTION_MS = 86_400_000;

    // A setting without a prefix applies to all clients that know it, one with a prefix only to those of the processor.
    private static final List<String> STREAMS = List.of("");
    private static final List<String> CONSUMERS =
            List.of("", "consumer.", "main.consumer.", "restore.consumer.", "global.consumer.");
    private static final List<String> PRODUCERS = List.of("", "producer.");
    private static final List<String> ALL_CLIENTS =
            List.of("", "consumer.", "main.consumer.", "restore.consumer.", "global.consumer.", "producer.", "admin.");
    private static final List<String> INTERNAL_TOPICS = List.of("topic.");

    private static final List<Rule> RULES = List.of(
            new Rule(
                    STREAMS,
                    "processing.exception.handler",
                    FAIL_ON_PROCESSING::equals,
                    "be " + FAIL_ON_PROCESSING,
                    "one that goes on drops the rest of a bundle of heartbeats"),
            new Rule(
                    STREAMS,
                    "deserialization.exception.handler",
                    FAIL_ON_RECORDS::equals,
                    "be " + FAIL_ON_RECORDS,
                    "what cannot be used goes to the dead letters; what reaches this is a bug, and must not be a loss"),
            new Rule(
                    STREAMS,
                    "default.deserialization.exception.handler",
                    FAIL_ON_RECORDS::equals,
                    "be " + FAIL_ON_RECORDS,
                    "what cannot be used goes to the dead letters; what reaches this is a bug, and must not be a loss"),
            new Rule(
                    STREAMS,
                    "production.exception.handler",
                    FAIL_ON_PRODUCTION::equals,
                    "be " + FAIL_ON_PRODUCTION,
                    "one that goes on loses a transition"),
            new Rule(
                    STREAMS,
                    "default.production.exception.handler",
                    FAIL_ON_PRODUCTION::equals,
                    "be " + FAIL_ON_PRODUCTION,
                    "one that goes on loses a transition"),
            new Rule(
                    STREAMS,
                    "max.task.idle.ms",
                    value -> !value.startsWith("-"),
                    "be at least 0",
                    "below that the order between the inputs is off, and somebody who hides may be seen"),
            new Rule(
                    STREAMS,
                    "state.cleanup.delay.ms",
                    value -> isBetween(0, value, MOST_CLEANUP_DELAY_MS),
                    "be at most " + MOST_CLEANUP_DELAY_MS,
                    "changelogs keep tombstones for a day; older state would bring back users who were forgotten since"),
            new Rule(
                    STREAMS,
                    "interceptor.classes",
                    String::isEmpty,
                    "have a prefix",
                    "without one, consumers and producers would all get it;"
                            + " kafka.consumer.interceptor.classes and kafka.producer.interceptor.classes are the processor's"),
            new Rule(
                    STREAMS,
                    "application.id",
                    value -> false,
                    "not be set",
                    "it is application.id, without the prefix, that names all that belongs to it"),
            new Rule(
                    STREAMS,
                    "state.dir",
                    value -> false,
                    "not be set",
                    "it is data.dir that says where, also for what is to be known of the state"),
            new Rule(
                    ALL_CLIENTS,
                    "bootstrap.servers",
                    value -> false,
                    "not be set",
                    "it is bootstrap.servers, without the prefix, that says where all of Rollcall connects"),
            new Rule(
                    CONSUMERS,
                    "isolation.level",
                    "read_committed"::equals,
                    "be read_committed",
                    "what a transaction took back has never been written"),
            new Rule(
                    PRODUCERS,
                    "partitioner.class",
                    String::isEmpty,
                    "not be set",
                    "a user's records are found by murmur2 of the key"),
            new Rule(
                    PRODUCERS,
                    "partitioner.ignore.keys",
                    value -> !value.equalsIgnoreCase("true"),
                    "be false",
                    "a user's records are found by murmur2 of the key"),
            new Rule(
                    PRODUCERS,
                    "acks",
                    value -> value.equals("all") || value.equals("-1"),
                    "be all",
                    "what only one broker has is lost with it"),
            new Rule(
                    PRODUCERS,
                    "enable.idempotence",
                    value -> !value.equalsIgnoreCase("false"),
                    "be true",
                    "a repeated send would double records, or change their order"),
            new Rule(
                    INTERNAL_TOPICS,
                    "cleanup.policy",
                    "compact"::equals,
                    "be compact",
                    "the changelog is all that is stored of the users"),
            new Rule(
                    INTERNAL_TOPICS,
                    "delete.retention.ms",
                    value -> isBetween(LEAST_DELETE_RETENTION_MS, value, Long.MAX_VALUE),
                    "be at least " + LEAST_DELETE_RETENTION_MS,
                    "in state that is older than tombstones, users come back who were forgotten since"));

    private KafkaOverrides() {}

    /**
     * A rule for one setting, under each of these prefixes.
     *
     * @param must what the value must be: the rest of a sentence that begins with the key and "must"
     */
    private record Rule(List<String> prefixes, String setting, Predicate<String> allows, String must, String why) {}

    /** Also what is no number: Kafka refuses that. */
    private static boolean isBetween(long least, String value, long most) {
        try {
            long number = Long.parseLong(value);
            return number >= least && number <= most;
        } catch (NumberFormatException e) {
            return true;
        }
    }

    /**
     * Checks all rules.
     *
     * @param kafka the settings without the prefix {@code kafka.}
     * @throws ConfigException with the key and the reason, if one is refused
     */
    static void check(Map<String, String> kafka) {
        for (Rule rule : RULES) {
            for (String prefix : rule.prefixes()) {
                String key = prefix + rule.setting();
                String value = kafka.get(key);
                if (value != null && !rule.allows().test(value)) {
                    throw new ConfigException(
                            "kafka.%s must %s (%s): it is \"%s\"".formatted(key, rule.must(), rule.why(), value));
                }
            }
        }
    }
}
