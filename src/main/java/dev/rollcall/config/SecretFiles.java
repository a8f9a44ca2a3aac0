package dev.rollcall.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/** Values that are in files of their own: {@code a.b.c.file} names the file that has the value of {@code a.b.c}. */
final class SecretFiles {
    static final String SUFFIX = ".file";

    private SecretFiles() {}

    /**
     * Reads them, and leaves out the end of a file's last line.
     *
     * @param keys all that there are, but for {@code kafka.*}; one of them that ends in {@link #SUFFIX} is itself
     * @throws ConfigException if a file cannot be read, or a key is given in both ways
     */
    static SortedMap<String, String> read(Map<String, String> values, Set<String> keys) {
        SortedMap<String, String> all = new TreeMap<>();
        values.forEach((key, value) -> {
            String of = isFile(key, keys) ? key.substring(0, key.length() - SUFFIX.length()) : key;
            if (!of.equals(key) && values.containsKey(of)) {
                throw new ConfigException("%s and %s are both given: remove one of them".formatted(of, key));
            }
            all.put(of, of.equals(key) ? value : contentOf(key, value));
        });
        return all;
    }

    private static boolean isFile(String key, Set<String> keys) {
        if (!key.endsWith(SUFFIX) || keys.contains(key)) {
            return false;
        }
        String of = key.substring(0, key.length() - SUFFIX.length());
        return keys.contains(of) || (ConfigSources.isKafka(of) && KafkaKeys.isOfAFile(ConfigSources.kafkaKey(key)));
    }

    private static String contentOf(String key, String file) {
        try {
            return Files.readString(Path.of(file.strip())).strip();
        } catch (IOException | InvalidPathException e) {
            throw new ConfigException("%s: cannot read %s: %s".formatted(key, file, e));
        }
    }
}
