package dev.rollcall.gateway;

import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * How far a watcher has heard, as text that it gives back: per partition of the topic of presence, the next offset. All
 * instances read the same topic, so that a watcher can go on at any of them.
 */
public record SinceToken(SortedMap<Integer, Long> offsets) {
    private static final int MAX_LENGTH = 65_536;

    /** Reads {@code partition.offset_partition.offset…}. Throws an {@link IllegalArgumentException} if it is something else. */
    public static SinceToken parse(String text) {
        SortedMap<Integer, Long> offsets = new TreeMap<>();
        if (text.length() > MAX_LENGTH || !text.matches("s(\\d{1,9}\\.\\d{1,18}(_\\d{1,9}\\.\\d{1,18})*+)?")) {
            throw new IllegalArgumentException("this is not a since token");
        }
        for (String one : text.substring(1).split("_", -1)) {
            int dot = one.indexOf('.');
            if (dot > 0) {
                offsets.put(Integer.parseInt(one, 0, dot, 10), Long.parseLong(one, dot + 1, one.length(), 10));
            }
        }
        return new SinceToken(offsets);
    }

    long offset(int partition) {
        return offsets.getOrDefault(partition, 0L);
    }

    @Override
    public String toString() {
        return offsets.entrySet().stream()
                .map(one -> one.getKey() + "." + one.getValue())
                .collect(Collectors.joining("_", "s", ""));
    }
}
