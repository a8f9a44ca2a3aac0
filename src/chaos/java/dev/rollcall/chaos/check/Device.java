package dev.rollcall.chaos.check;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A live device. Times are in ms by the partition's time, unless they are called stamps.
 *
 * @param since the stamp with which it took its state
 * @param deadline when it expires, with all extensions
 * @param ownLatest the latest deadline without the take-overs of the disturbance that goes on
 * @param disturbed whether there may have been a take-over since its last record
 */
record Device(String id, State state, long since, Lease lease, Span deadline, long ownLatest, boolean disturbed) {
    /**
     * When it expires by its records.
     *
     * @param lastRecord the time of its last record
     * @param ms the lease that runs
     * @param longestMs the same, or a longer one that may run as well
     * @param runsTo when the lease that was named ends, without extensions
     * @param closed whether its connection has ended
     * @param endedBy where it has: the deadline as it was then, which is stored
     * @param hold where a session holds it, or held it when its connection ended; null: a lease counts
     */
    record Lease(
            long lastRecord,
            long ms,
            long longestMs,
            long runsTo,
            boolean closed,
            long endedBy,
            @Nullable String shard,
            @Nullable Hold hold) {
        private Lease join(Lease other) {
            return new Lease(
                    lastRecord,
                    ms,
                    Math.max(longestMs, other.longestMs),
                    Math.min(runsTo, other.runsTo),
                    closed,
                    Math.min(endedBy, other.endedBy),
                    shard,
                    hold);
        }

        /** When it ends by its records alone. */
        long end() {
            return closed ? endedBy : runsTo;
        }
    }

    /** By which its end is to be found; null: its deadline counts. */
    @Nullable
    Hold hold() {
        return lease.closed ? null : lease.hold;
    }

    Device withSince(long newSince) {
        return new Device(id, state, newSince, lease, deadline, ownLatest, disturbed);
    }

    Device withDeadline(Span newDeadline, long newOwnLatest, boolean nowDisturbed) {
        return new Device(id, state, since, lease, newDeadline, newOwnLatest, nowDisturbed);
    }

    /** Makes one of two that differ in bounds only. */
    Device join(Device other) {
        return new Device(
                id,
                state,
                since,
                lease.join(other.lease),
                deadline.join(other.deadline),
                Math.max(ownLatest, other.ownLatest),
                disturbed || other.disturbed);
    }

    /** Equal for those that {@link #join} can make one of. */
    Object outline() {
        return Arrays.asList(id, state, since, lease.lastRecord, lease.ms, lease.closed, lease.shard, lease.hold);
    }
}
