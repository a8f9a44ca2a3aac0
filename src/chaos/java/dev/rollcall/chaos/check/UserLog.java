package dev.rollcall.chaos.check;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** All that the logs have of one user, each list in its topic's order. Times in ms since the epoch. */
final class UserLog {
    /** Whether a record that came in counts, as far as its place among the user's others tells (rule 7). */
    enum Applies {
        YES,
        /** It was sent on from another partition, and something newer holds. */
        NO,
        /** It was sent on, and it is open which of them is newer, or the newer one leaves open what this one sets. */
        MAYBE
    }

    /**
     * A heartbeat.
     *
     * @param at its stamp, the earlier one if it was sent on from another partition
     * @param time the partition's time of it, the earlier one if it was sent on
     * @param logTime the partition's time when it was written where it lies
     * @param leaseMs null: it names none
     */
    record Beat(
            long offset,
            long at,
            long time,
            long logTime,
            String device,
            @Nullable State state,
            boolean closed,
            @Nullable Long leaseMs,
            @Nullable String shard,
            Hold.@Nullable Session session,
            boolean sentOn,
            Applies applies,
            List<Entry.Before> after) {
        @Override
        public String toString() {
            return "beat at %d (offset %d) %s %s%s, lease %s%s%s%s"
                    .formatted(
                            at,
                            offset,
                            device,
                            state == null ? "-" : state,
                            closed ? " CLOSED" : "",
                            leaseMs == null ? "-" : leaseMs,
                            shard == null || session != null ? "" : ", " + shard,
                            session == null ? "" : ", session " + session,
                            sentOn ? ", sent on, applies: " + applies : "");
        }
    }

    /**
     * A status text.
     *
     * @param stamp the earlier one if it was sent on from another partition
     * @param arrival the stamp with which it lies there
     * @param readable the time of the heartbeats' partition when it was written where it lies
     */
    record Text(
            long offset,
            long stamp,
            long arrival,
            long readable,
            Applies applies,
            @Nullable String text,
            @Nullable Long endsAt) {}

    /** Whether the user appears offline; as a {@link Text}. */
    record Flag(long offset, long stamp, long arrival, long readable, Applies applies, boolean hidden) {}

    /** A record of the output. */
    record Emitted(int partition, long offset, long at, Decoder.@Nullable Presence value) {
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
    final List<Emitted> emitted = new ArrayList<>();

    UserLog(String user, int partition) {
        this.user = user;
        this.partition = partition;
    }

    /** Whether the user may have been hidden at some time: then it is not certain that a heartbeat counts for the silence of the log. */
    boolean isEverHidden() {
        return flags.stream().anyMatch(Flag::hidden);
    }
}
