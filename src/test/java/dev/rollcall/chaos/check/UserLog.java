package dev.rollcall.chaos.check;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** All that the logs have of one user, each list in its topic's order. Times in ms since the epoch. */
final class UserLog {
    /**
     * A heartbeat.
     *
     * @param at its time, the earlier one if it was sent on from another partition
     * @param logTime when it was written where it lies
     */
    record Beat(
            long offset,
            long at,
            long logTime,
            String device,
            @Nullable State state,
            boolean closed,
            long leaseMs,
            @Nullable String shard) {
        @Override
        public String toString() {
            return "beat at %d (offset %d) %s %s%s, lease %d%s"
                    .formatted(
                            at,
                            offset,
                            device,
                            state == null ? "-" : state,
                            closed ? " CLOSED" : "",
                            leaseMs,
                            shard == null ? "" : ", " + shard);
        }
    }

    /** A status text, with the time that its producer claims. */
    record Text(long stamp, @Nullable String text, @Nullable Long endsAt) {}

    /** Whether the user appears offline, with the time that its producer claims. */
    record Flag(long stamp, boolean hidden) {}

    /** A record of the output. */
    record Said(int partition, long offset, long at, Decoder.@Nullable Presence value) {
        @Override
        public String toString() {
            return value == null
                    ? "a tombstone at " + at
                    : "%s (after %s) since %d, text %s, last active %s, sequence %d, at %d"
                            .formatted(
                                    value.state(),
                                    value.previous(),
                                    value.since(),
                                    value.status(),
                                    value.lastActive(),
                                    value.sequence(),
                                    at);
        }
    }

    final String user;
    final int partition;
    final List<Beat> beats = new ArrayList<>();
    final List<Text> texts = new ArrayList<>();
    final List<Flag> flags = new ArrayList<>();
    final List<Said> said = new ArrayList<>();

    UserLog(String user, int partition) {
        this.user = user;
        this.partition = partition;
    }

    /** Whether the user may have been hidden at some time: then it is not certain that a heartbeat was heard by all. */
    boolean isEverHidden() {
        return flags.stream().anyMatch(Flag::hidden);
    }
}
