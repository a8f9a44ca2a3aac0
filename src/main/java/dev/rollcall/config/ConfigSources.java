package dev.rollcall.config;

import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Reads the settings as text from wherever they can be set, and refuses keys that do not exist. */
final class ConfigSources {
    private static final String KAFKA = "kafka.";
    private static final String ENVIRONMENT = "ROLLCALL_";

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
        putAll(chosen, fromEnvironment(environment, defaults), defaults, "the environment");
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
                kafka.put(key.substring(KAFKA.length()), value);
            }
        });
        return kafka;
    }

    private static boolean isKafka(String key) {
        return key.startsWith(KAFKA) && key.length() > KAFKA.length();
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
                defaults.keySet().stream().collect(Collectors.toMap(ConfigSources::environmentVariable, key -> key));
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
