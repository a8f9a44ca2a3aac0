package dev.rollcall.config;

import dev.rollcall.domain.PresenceRules;
import dev.rollcall.wire.TopicNames;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;

/**
 * All settings, validated. {@code config/rollcall.properties} has each key with its default and its meaning.
 *
 * @param tickIntervalMs how often a partition's clock ticks, in ms
 * @param bootstrapServers the cluster to join; empty: the embedded broker
 * @param topicReplicationFactor -1: the broker's default
 * @param kafka settings for Kafka's clients and for Kafka Streams, without the prefix {@code kafka.}
 */
public record RollcallConfig(
        PresenceRules rules,
        long tickIntervalMs,
        String bootstrapServers,
        int embeddedKafkaPort,
        Path dataDir,
        String applicationId,
        HttpSettings http,
        MatrixSettings matrix,
        TopicNames topics,
        int topicPartitions,
        short topicReplicationFactor,
        RegistrySettings registry,
        SortedMap<String, String> kafka) {

    /** Without anything that is secret. */
    @Override
    public String toString() {
        return "RollcallConfig[applicationId=%s, bootstrapServers=%s, dataDir=%s, rules=%s, tickIntervalMs=%d, http=%s, matrix=%s, topics=%s, registry=%s, kafka=%s]"
                .formatted(
                        applicationId,
                        bootstrapServers,
                        dataDir,
                        rules,
                        tickIntervalMs,
                        http,
                        matrix,
                        topics,
                        registry,
                        KafkaKeys.masked(kafka));
    }

    /** The defaults. */
    public static RollcallConfig defaults() {
        return of(Map.of());
    }

    /**
     * The defaults, overridden by these keys.
     *
     * @throws ConfigException naming the key, if one is unknown or its value is out of range
     */
    public static RollcallConfig of(Map<String, String> overrides) {
        return load(List.of(), Map.of(), overrides);
    }

    /**
     * The defaults, overridden by the files, then by the environment's {@code ROLLCALL_*}, then by the given keys.
     *
     * @throws ConfigException naming the key, if one is unknown or its value is out of range
     */
    public static RollcallConfig load(
            List<Path> files, Map<String, String> environment, Map<String, String> overrides) {
        return new ConfigParser(ConfigSources.merge(files, environment, overrides)).parse();
    }
}
