package dev.rollcall.chaos.check;

import dev.rollcall.chaos.check.Violation.Kind;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** The records that lie on a partition that is not their user's: each of them has to be sent on (rule 7). */
final class Misrouted {
    /** What makes a record too large to be sent on, perhaps. */
    private static final int LARGE = 65_536;

    private record Key(String topic, String user, long writtenAt, int value) {
        private Key(String topic, String user, long writtenAt, Entry entry) {
            this(topic, user, writtenAt, Arrays.hashCode(entry.value()));
        }
    }

    private record Written(Entry entry, long instant) {}

    private final Map<Key, Written> open = new HashMap<>();
    private final Map<Key, Boolean> sentOn = new HashMap<>();

    void written(String topic, String user, Entry entry, long instant) {
        if (entry.headerBytes() < LARGE) {
            open.put(new Key(topic, user, entry.timestamp(), entry), new Written(entry, instant));
        }
    }

    void sentOn(String topic, String user, Entry entry) {
        sentOn.put(new Key(topic, user, Objects.requireNonNull(entry.firstTime()), entry), true);
    }

    /** Those that were written too long before the end to be still under way. */
    List<Violation> missing(long until, Windows disturbances, long slackMs) {
        return open.entrySet().stream()
                .filter(record -> !sentOn.containsKey(record.getKey()))
                .filter(record -> disturbances.undisturbedMs(record.getValue().instant(), until) > slackMs)
                .map(record -> new Violation(
                        Kind.LOST,
                        record.getKey().user(),
                        record.getValue().entry().partition(),
                        -1,
                        "what lies on the wrong partition of %s at offset %d was not sent on"
                                .formatted(
                                        record.getKey().topic(),
                                        record.getValue().entry().offset())))
                .toList();
    }
}
