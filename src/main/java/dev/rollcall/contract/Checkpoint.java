package dev.rollcall.contract;

import dev.rollcall.contract.Cluster.Log;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How far one partition's changelogs had come at an earlier look, and how many partitions {@code presence} had. It is stored as
 * the metadata of an offset in a consumer group of its own ({@link #group}), so that it goes neither with a changelog nor with
 * the output (ADR 20).
 *
 * @param changelogs by the topic's name
 * @param output of {@code presence}: there, {@code end} is the number of partitions
 */
public record Checkpoint(Map<String, Stored> changelogs, Stored output) {
    private static final String VERSION = "1";
    private static final Pattern ENTRY = Pattern.compile("([^=]+)=([^:]+):(\\d+):(\\d+)");

    /** A topic's id, and the offsets between which its partition had records. */
    public record Stored(String id, long begin, long end) {
        /** Of a topic that does not exist yet. */
        static final Stored NOTHING = new Stored("none", 0, 0);

        static Stored of(String id, Log log) {
            return new Stored(id, log.begin(), log.end());
        }
    }

    /** The consumer group in which an application's checkpoints are. */
    public static String group(String applicationId) {
        return applicationId + "-checkpoint";
    }

    /** As one line, below 1 KiB. */
    public String encode() {
        StringBuilder text = new StringBuilder(VERSION);
        append(text, "", output);
        new TreeMap<>(changelogs).forEach((topic, stored) -> append(text, topic, stored));
        return text.toString();
    }

    /** Empty: it is of an unknown version, or somebody else's. */
    public static Optional<Checkpoint> decode(String text) {
        String[] words = text.split(" ", -1);
        if (!words[0].equals(VERSION)) {
            return Optional.empty();
        }
        Map<String, Stored> all = new HashMap<>();
        for (int i = 1; i < words.length; i++) {
            Matcher entry = ENTRY.matcher(words[i]);
            if (!entry.matches()) {
                return Optional.empty();
            }
            all.put(
                    entry.group(1),
                    new Stored(entry.group(2), Long.parseLong(entry.group(3)), Long.parseLong(entry.group(4))));
        }
        Stored output = all.remove("presence");
        return output == null ? Optional.empty() : Optional.of(new Checkpoint(Map.copyOf(all), output));
    }

    private static void append(StringBuilder text, String topic, Stored stored) {
        text.append(' ')
                .append(topic.isEmpty() ? "presence" : topic)
                .append('=')
                .append(stored.id())
                .append(':')
                .append(stored.begin())
                .append(':')
                .append(stored.end());
    }
}
