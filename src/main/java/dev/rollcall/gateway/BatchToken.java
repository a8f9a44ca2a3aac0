package dev.rollcall.gateway;

import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a subscriber goes on: per partition of the presence topic, the next offset. All instances read the same topic, so a
 * token of one of them works at any other.
 *
 * @param topicId identifies the topic, in hexadecimal digits: a topic that is deleted and created again has the same name
 *     and offsets, but another id; empty: not known
 */
public record BatchToken(String topicId, SortedMap<Integer, Long> offsets) {
    private static final Pattern FORM =
            Pattern.compile("s(?:([0-9a-f]{0,16})-)?(\\d{1,9}\\.\\d{1,18}(?:_\\d{1,9}\\.\\d{1,18})*+)?");

    private static final int MAX_LENGTH = 65_536;

    /**
     * Parses {@code s<topic id>-<partition>.<offset>_<partition>.<offset>…}.
     *
     * @throws IllegalArgumentException if the text is anything else
     */
    public static BatchToken parse(String text) {
        SortedMap<Integer, Long> offsets = new TreeMap<>();
        Matcher matcher = FORM.matcher(text);
        if (text.length() > MAX_LENGTH || !matcher.matches()) {
            throw new IllegalArgumentException("not a batch token");
        }
        String topicId = matcher.group(1) == null ? "" : matcher.group(1);
        String positions = matcher.group(2) == null ? "" : matcher.group(2);
        for (String position : positions.split("_", -1)) {
            int dot = position.indexOf('.');
            long offset = dot > 0 ? Long.parseLong(position, dot + 1, position.length(), 10) : 0;
            if (offset > 0) { // what is at its beginning is not named, see offset()
                offsets.put(Integer.parseInt(position, 0, dot, 10), offset);
            }
        }
        return new BatchToken(topicId, offsets);
    }

    /** 0 for a partition that the token does not name. */
    long offset(int partition) {
        return offsets.getOrDefault(partition, 0L);
    }

    @Override
    public String toString() {
        StringBuilder token = new StringBuilder("s").append(topicId).append('-');
        String separator = "";
        for (Map.Entry<Integer, Long> position : offsets.entrySet()) {
            token.append(separator).append(position.getKey()).append('.').append(position.getValue());
            separator = "_";
        }
        return token.toString();
    }
}
