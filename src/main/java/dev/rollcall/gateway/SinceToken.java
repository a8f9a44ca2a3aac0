package dev.rollcall.gateway;

import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * How far a watcher has heard, as text that it gives back: per partition of the topic of presence, the next offset. All
 * instances read the same topic, so that a watcher can go on at any of them.
 *
 * @param log names the topic, in hexadecimal digits: a topic that is deleted and created again has the same offsets once
 *     more, and another name here; empty: not known
 */
public record SinceToken(String log, SortedMap<Integer, Long> offsets) {
    private static final Pattern FORM =
            Pattern.compile("s(?:([0-9a-f]{0,16})-)?(\\d{1,9}\\.\\d{1,18}(?:_\\d{1,9}\\.\\d{1,18})*+)?");

    private static final int MAX_LENGTH = 65_536;

    /** Reads {@code slog-partition.offset_partition.offset…}. Throws an {@link IllegalArgumentException} if it is something else. */
    public static SinceToken parse(String text) {
        SortedMap<Integer, Long> offsets = new TreeMap<>();
        Matcher matcher = FORM.matcher(text);
        if (text.length() > MAX_LENGTH || !matcher.matches()) {
            throw new IllegalArgumentException("this is not a since token");
        }
        String log = matcher.group(1) == null ? "" : matcher.group(1);
        String all = matcher.group(2) == null ? "" : matcher.group(2);
        for (String one : all.split("_", -1)) {
            int dot = one.indexOf('.');
            if (dot > 0) {
                offsets.put(Integer.parseInt(one, 0, dot, 10), Long.parseLong(one, dot + 1, one.length(), 10));
            }
        }
        return new SinceToken(log, offsets);
    }

    long offset(int partition) {
        return offsets.getOrDefault(partition, 0L);
    }

    @Override
    public String toString() {
        return offsets.entrySet().stream()
                .map(one -> one.getKey() + "." + one.getValue())
                .collect(Collectors.joining("_", "s" + log + "-", ""));
    }
}
