package dev.rollcall.config;

import dev.rollcall.domain.PresenceRules;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Properties;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Every setting, validated. The keys, their defaults and what they mean are in {@code config/rollcall.properties}; over
 * that come a file, the environment, and the command line, in this order.
 *
 * @param tickIntervalMs how often a partition's clock ticks, in ms
 * @param bootstrapServers the cluster to join; empty: the embedded broker
 * @param topicReplicationFactor -1: the broker's default
 * @param kafka what is passed on to Kafka's clients and Streams, without the prefix {@code kafka.}
 */
public record RollcallConfig(
        PresenceRules rules,
        long tickIntervalMs,
        String bootstrapServers,
        int embeddedKafkaPort,
        Path dataDir,
        String applicationId,
        HttpSettings http,
        TopicNames topics,
        int topicPartitions,
        short topicReplicationFactor,
        SortedMap<String, String> kafka) {

    /** What HS256 asks for (RFC 7518, 3.2). */
    private static final int MIN_KEY_BYTES = 32;

    private static final String KAFKA = "kafka.";
    private static final String ENVIRONMENT = "ROLLCALL_";
    private static final long DAY_MS = 86_400_000;

    /** Half of what a broker allows a timestamp to be ahead by default: what is said is stamped up to this far ahead. */

    /** Some 20 ms of work: so long nobody else is served. */
    private static final int SWEEP_BUDGET = 4_000;

    /** Without a clock tick for three intervals, a partition is not being written to. */
    private static final int MISSED_TICKS = 3;

    /** What the topics are called. */
    public record TopicNames(
            String deviceHeartbeat,
            String status,
            String appearOffline,
            String presence,
            String deadLetters,
            String routing) {}

    /** The defaults. */
    public static RollcallConfig defaults() {
        return of(Map.of());
    }

    /**
     * The defaults with these keys over them.
     *
     * @throws ConfigException naming the key, if one is unknown or its value is out of range
     */
    public static RollcallConfig of(Map<String, String> overrides) {
        return load(List.of(), Map.of(), overrides);
    }

    /**
     * The defaults, then the files, then the environment's {@code ROLLCALL_*}, then the given keys.
     *
     * @throws ConfigException naming the key, if one is unknown or its value is out of range
     */
    public static RollcallConfig load(
            List<Path> files, Map<String, String> environment, Map<String, String> overrides) {
        SortedMap<String, String> defaults = readDefaults();
        SortedMap<String, String> chosen = new TreeMap<>();
        for (Path file : files) {
            putAll(chosen, readFile(file), defaults, file.toString());
        }
        putAll(chosen, fromEnvironment(environment, defaults), defaults, "the environment");
        putAll(chosen, overrides, defaults, "the command line");
        SortedMap<String, String> values = new TreeMap<>(defaults);
        values.putAll(chosen);
        return new Parser(values, chosen.containsKey("http.port")).parse();
    }

    private static void putAll(
            Map<String, String> values, Map<String, String> more, Map<String, String> known, String where) {
        more.forEach((key, value) -> {
            if (!known.containsKey(key) && !isKafka(key)) {
                throw new ConfigException("unknown key %s in %s; the keys are in config/rollcall.properties%s"
                        .formatted(key, where, suggestion(key, known)));
            }
            values.put(key, value.strip());
        });
    }

    private static boolean isKafka(String key) {
        return key.startsWith(KAFKA) && key.length() > KAFKA.length();
    }

    private static String suggestion(String key, Map<String, String> known) {
        String plain = plain(key);
        return known.keySet().stream()
                .filter(candidate ->
                        plain(candidate).equals(plain) || plain(candidate).equals(plain + "ms"))
                .findFirst()
                .map(candidate -> " (did you mean " + candidate + "?)")
                .orElse("");
    }

    private static String plain(String key) {
        return key.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]", "");
    }

    private static SortedMap<String, String> fromEnvironment(
            Map<String, String> environment, SortedMap<String, String> defaults) {
        Map<String, String> keyOfVariable =
                defaults.keySet().stream().collect(Collectors.toMap(RollcallConfig::environmentVariable, key -> key));
        SortedMap<String, String> found = new TreeMap<>();
        environment.forEach((variable, value) -> {
            if (!variable.startsWith(ENVIRONMENT)) {
                return;
            }
            String key = keyOfVariable.get(variable);
            if (key == null) {
                key = variable.substring(ENVIRONMENT.length())
                        .toLowerCase(Locale.ROOT)
                        .replace('_', '.');
                if (!isKafka(key)) {
                    throw new ConfigException(
                            "unknown environment variable %s; the keys are in config/rollcall.properties"
                                    .formatted(variable));
                }
            }
            found.put(key, value);
        });
        return found;
    }

    /** {@code device.lease.ms} is {@code ROLLCALL_DEVICE_LEASE_MS}. */
    private static String environmentVariable(String key) {
        return ENVIRONMENT + key.toUpperCase(Locale.ROOT).replaceAll("[^A-Z0-9]", "_");
    }

    private static SortedMap<String, String> readDefaults() {
        try (InputStream in = RollcallConfig.class.getResourceAsStream("/rollcall.properties")) {
            if (in == null) {
                throw new IllegalStateException("rollcall.properties is missing from the class path");
            }
            Properties properties = new Properties();
            properties.load(new java.io.InputStreamReader(in, StandardCharsets.UTF_8));
            return toMap(properties);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the defaults", e);
        }
    }

    private static SortedMap<String, String> readFile(Path file) {
        try (var in = Files.newBufferedReader(file)) {
            Properties properties = new Properties();
            properties.load(in);
            return toMap(properties);
        } catch (IOException e) {
            throw new ConfigException("cannot read the configuration file %s: %s".formatted(file, e));
        }
    }

    private static SortedMap<String, String> toMap(Properties properties) {
        SortedMap<String, String> map = new TreeMap<>();
        properties.stringPropertyNames().forEach(key -> map.put(key, properties.getProperty(key)));
        return map;
    }

    /** Turns text into typed values, and refuses what is out of range, by name. */
    private record Parser(SortedMap<String, String> values, boolean httpPortChosen) {

        RollcallConfig parse() {
            long tickIntervalMs = number("pulse.interval.ms", 10, 60_000);
            RollcallConfig config = new RollcallConfig(
                    new PresenceRules(
                            number("device.lease.ms", 1, DAY_MS),
                            number("disconnect.grace.ms", 0, DAY_MS),
                            number("user.retention.ms", 1, Long.MAX_VALUE / 4),
                            (int) number("max.devices.per.user", 1, 10_000),
                            number("shard.quiet.ms", 1, DAY_MS),
                            number("shard.hold.ms", 0, DAY_MS),
                            number("last.seen.persist.ms", 0, DAY_MS),
                            MISSED_TICKS * tickIntervalMs,
                            SWEEP_BUDGET,
                            flag("routing.enabled")),
                    tickIntervalMs,
                    values.getOrDefault("bootstrap.servers", ""),
                    (int) number("embedded.kafka.port", 0, 65_535),
                    Path.of(text("data.dir")),
                    name("application.id"),
                    http(),
                    new TopicNames(
                            name("topic.device-heartbeat"),
                            name("topic.status"),
                            name("topic.appear-offline"),
                            name("topic.presence"),
                            name("topic.presence-dead-letters"),
                            name("topic.presence-routing")),
                    (int) number("topic.partitions", 1, 10_000),
                    replicationFactor(),
                    kafka());
            requireDistinctTopics(config.topics());
            return config;
        }

        private HttpSettings http() {
            boolean off = values.getOrDefault("http.port", "").isEmpty();
            return new HttpSettings(
                    text("http.host"),
                    off ? OptionalInt.empty() : OptionalInt.of((int) number("http.port", 0, 65_535)),
                    httpPortChosen,
                    values.getOrDefault("http.advertised", ""),
                    key(),
                    origins(),
                    (int) number("http.max.streams", 1, 1_000_000),
                    (int) number("http.max.streams.per.user", 1, 10_000),
                    number("http.stream.max.ms", 1_000, DAY_MS));
        }

        private Secret key() {
            Secret key = Secret.of(values.getOrDefault("http.jwt.key", ""));
            if (key.isSet() && key.bytes().length < MIN_KEY_BYTES) {
                // Not a word about what it is.
                throw new ConfigException(
                        "http.jwt.key must be empty or at least %d bytes: it is shorter".formatted(MIN_KEY_BYTES));
            }
            return key;
        }

        private Set<String> origins() {
            String all = values.getOrDefault("http.cors.origins", "");
            Set<String> origins = new TreeSet<>();
            for (String origin : all.split(",", -1)) {
                String trimmed = origin.strip();
                if (trimmed.isEmpty()) {
                    continue;
                }
                if (!trimmed.matches("https?://[a-zA-Z0-9.\\[\\]:-]+")) {
                    throw new ConfigException("http.cors.origins must be origins like https://host:port: it has \"%s\""
                            .formatted(trimmed));
                }
                origins.add(trimmed.toLowerCase(Locale.ROOT));
            }
            return java.util.Collections.unmodifiableSet(origins);
        }

        private short replicationFactor() {
            long factor = number("topic.replication.factor", -1, 100);
            if (factor == 0) {
                throw new ConfigException(
                        "topic.replication.factor must be -1 (the broker's default) or 1 to 100: it is 0");
            }
            return (short) factor;
        }

        private SortedMap<String, String> kafka() {
            SortedMap<String, String> kafka = new TreeMap<>();
            values.forEach((key, value) -> {
                if (isKafka(key)) {
                    kafka.put(key.substring(KAFKA.length()), value);
                }
            });
            KafkaOverrides.check(kafka);
            return java.util.Collections.unmodifiableSortedMap(kafka);
        }

        private long number(String key, long least, long most) {
            String value = text(key);
            long number;
            try {
                number = Long.parseLong(value);
            } catch (NumberFormatException e) {
                throw new ConfigException(
                        "%s must be a whole number from %d to %d: it is \"%s\"".formatted(key, least, most, value));
            }
            if (number < least || number > most) {
                throw new ConfigException("%s must be %d to %d: it is %d".formatted(key, least, most, number));
            }
            return number;
        }

        private boolean flag(String key) {
            return switch (text(key)) {
                case "true" -> true;
                case "false" -> false;
                default ->
                    throw new ConfigException("%s must be true or false: it is \"%s\"".formatted(key, text(key)));
            };
        }

        private String text(String key) {
            String value = values.getOrDefault(key, "");
            if (value.isEmpty()) {
                throw new ConfigException("%s must not be empty".formatted(key));
            }
            return value;
        }

        /** A name that Kafka takes for a topic or a group's internal topics. */
        private String name(String key) {
            String value = text(key);
            if (!value.matches("[a-zA-Z0-9._-]{1,200}") || value.equals(".") || value.equals("..")) {
                throw new ConfigException(
                        "%s must be 1 to 200 letters, digits, dots, underscores or hyphens: it is \"%s\""
                                .formatted(key, value));
            }
            return value;
        }

        private static void requireDistinctTopics(TopicNames names) {
            List<String> all = new ArrayList<>(List.of(
                    names.deviceHeartbeat(),
                    names.status(),
                    names.appearOffline(),
                    names.presence(),
                    names.deadLetters(),
                    names.routing()));
            for (String name : all) {
                if (all.indexOf(name) != all.lastIndexOf(name)) {
                    throw new ConfigException(
                            "topic.*: each topic needs a name of its own, but two are called \"%s\"".formatted(name));
                }
            }
        }
    }
}
