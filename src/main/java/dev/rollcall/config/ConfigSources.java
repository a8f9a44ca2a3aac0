package dev.rollcall.config;

import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/** Reads the settings as text from wherever they can be set, and refuses keys that do not exist. */
final class ConfigSources {
    private static final String KAFKA = "kafka.";

    private ConfigSources() {}

    /**
     * All settings as text.
     *
     * @param values each key with its value, defaults included
     * @param chosen the keys that somebody set, even if to the default
     */
    record Merged(SortedMap<String, String> values, Set<String> chosen) {}

    /**
     * Later sources override earlier ones: defaults, files in order, environment, command line.
     *
     * @throws ConfigException naming the key or the environment variable, if it is unknown
     */
    static Merged merge(List<Path> files, Map<String, String> environment, Map<String, String> commandLine) {
        SortedMap<String, String> defaults = readDefaults();
        SortedMap<String, String> chosen = new TreeMap<>();
        for (Path file : files) {
            putAll(chosen, readFile(file), defaults, file.toString());
        }
        putAll(chosen, EnvironmentKeys.of(environment, defaults.keySet()), defaults, "the environment");
        putAll(chosen, commandLine, defaults, "the command line");
        SortedMap<String, String> values = new TreeMap<>(defaults);
        values.putAll(chosen);
        return new Merged(values, chosen.keySet());
    }

    /** The {@code kafka.*} settings among these, without their prefix. */
    static SortedMap<String, String> kafka(Map<String, String> values) {
        SortedMap<String, String> kafka = new TreeMap<>();
        values.forEach((key, value) -> {
            if (isKafka(key)) {
                kafka.put(kafkaKey(key), value);
            }
        });
        return kafka;
    }

    /** Without its prefix. */
    static String kafkaKey(String key) {
        return key.substring(KAFKA.length());
    }

    static boolean isKafka(String key) {
        return key.startsWith(KAFKA) && key.length() > KAFKA.length();
    }

    private static void putAll(
            Map<String, String> values, Map<String, String> more, Map<String, String> known, String where) {
        SecretFiles.read(more, known.keySet()).forEach((key, value) -> {
            if (!known.containsKey(key) && !isKafka(key)) {
                throw new ConfigException("unknown key %s in %s; the keys are in config/rollcall.properties%s"
                        .formatted(key, where, suggestion(key, known.keySet())));
            }
            values.put(key, value.strip());
        });
    }

    /** A key without its unit, or one with a typo. */
    private static String suggestion(String key, Set<String> known) {
        return known.contains(key + ".ms") ? " (did you mean " + key + ".ms?)" : Misspelt.suggestion(key, known);
    }

    private static SortedMap<String, String> readDefaults() {
        try (InputStream in = ConfigSources.class.getResourceAsStream("/rollcall.properties")) {
            if (in == null) {
                throw new IllegalStateException("rollcall.properties is missing from the class path");
            }
            Properties properties = new Properties();
            properties.load(new InputStreamReader(in, StandardCharsets.UTF_8));
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
}
