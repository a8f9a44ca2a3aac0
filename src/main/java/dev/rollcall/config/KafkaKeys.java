package dev.rollcall.config;

import java.lang.reflect.Field;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.streams.StreamsConfig;

/** The settings that Kafka's clients and Kafka Streams know, without the prefix {@code kafka.}. */
public final class KafkaKeys {
    private static final String PROVIDERS = AbstractConfig.CONFIG_PROVIDERS_CONFIG;
    private static final String FILE = ".file";
    private static final Pattern SECRET = Pattern.compile("password|secret|jaas|token|credential|private|\\.key$");

    private static final Set<String> PLAIN = plain();
    private static final Set<String> KNOWN = known();

    private KafkaKeys() {}

    /** Whether Kafka knows it. One that it does not know may be an interceptor's, or a login module's. */
    public static boolean isKnown(String key) {
        return KNOWN.contains(key);
    }

    /** Whether it says where the value of another key is. */
    static boolean isOfAFile(String key) {
        return key.endsWith(FILE)
                && !isKnown(key)
                && !key.startsWith(PROVIDERS)
                && isKnown(key.substring(0, key.length() - FILE.length()));
    }

    /**
     * Refuses what is misspelt. What is near no known key is let pass.
     *
     * @throws ConfigException with the key, and the one that was meant
     */
    static void check(Collection<String> keys) {
        for (String key : keys) {
            if (!isKnown(key)) {
                Misspelt.nearest(key, KNOWN).ifPresent(meant -> {
                    throw new ConfigException("unknown key kafka.%s (did you mean kafka.%s?)".formatted(key, meant));
                });
            }
        }
    }

    /**
     * Replaces <code>${provider:path:key}</code> by what Kafka's configuration providers give for it ({@code
     * config.providers}), once for all clients. Without providers nothing is replaced.
     *
     * @throws ConfigException if one of them fails
     */
    static SortedMap<String, String> resolve(SortedMap<String, String> kafka) {
        if (!kafka.containsKey(PROVIDERS)) {
            return kafka;
        }
        Map<String, Object> resolved;
        try {
            resolved = new AbstractConfig(new ConfigDef(), kafka, Map.of(), false).originals();
        } catch (RuntimeException e) { // whatever a provider throws
            throw new ConfigException("kafka.config.providers: " + e.getMessage());
        }
        SortedMap<String, String> all = new TreeMap<>();
        resolved.forEach((key, value) -> {
            if (!key.equals(PROVIDERS) && !key.startsWith(PROVIDERS + ".")) {
                all.put(key, String.valueOf(value));
            }
        });
        return all;
    }

    /** The settings as they may be printed. */
    static SortedMap<String, String> masked(Map<String, String> kafka) {
        SortedMap<String, String> masked = new TreeMap<>(kafka);
        masked.replaceAll((key, value) -> isSecret(key) ? "(set)" : value);
        return masked;
    }

    /** By Kafka's own types, and by the names of what Kafka does not know. */
    public static boolean isSecret(String key) {
        return SECRET.matcher(key.toLowerCase(Locale.ROOT)).find() || !isKnown(key);
    }

    private static Set<String> plain() {
        Set<String> all = new TreeSet<>(StreamsConfig.configDef().names());
        all.addAll(ConsumerConfig.configNames());
        all.addAll(ProducerConfig.configNames());
        all.addAll(AdminClientConfig.configNames());
        return all;
    }

    private static Set<String> known() {
        Set<String> all = new TreeSet<>(PLAIN);
        all.addAll(List.of(
                "processing.exception.handler.global.enabled",
                "rollcall.bundled.topic",
                "default.deserialization.exception.handler",
                "default.production.exception.handler"));
        for (String prefix : List.of(
                StreamsConfig.CONSUMER_PREFIX,
                StreamsConfig.MAIN_CONSUMER_PREFIX,
                StreamsConfig.RESTORE_CONSUMER_PREFIX,
                StreamsConfig.GLOBAL_CONSUMER_PREFIX,
                StreamsConfig.PRODUCER_PREFIX,
                StreamsConfig.ADMIN_CLIENT_PREFIX)) {
            PLAIN.forEach(key -> all.add(prefix + key));
        }
        topicSettings().forEach(key -> all.add(StreamsConfig.TOPIC_PREFIX + key));
        return all.stream().collect(Collectors.toUnmodifiableSet());
    }

    private static Stream<String> topicSettings() {
        return Arrays.stream(TopicConfig.class.getFields())
                .filter(field -> field.getName().endsWith("_CONFIG"))
                .map(KafkaKeys::constant);
    }

    private static String constant(Field field) {
        try {
            return String.valueOf(field.get(null));
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }
}
