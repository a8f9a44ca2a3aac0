package dev.rollcall.domain;

import dev.rollcall.session.SessionId;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * All of a user between two inputs: the only door between the rules and what keeps users, in memory or in a store. A new field
 * of a user or a device goes here; the compiler then asks {@link User}, the packed form and the stored schema for it.
 *
 * <p>Times in ms since the epoch, as the brokers' clocks said, or {@link #NEVER}; those of a device that say so are the
 * partition's (see {@link PartitionClock}).
 *
 * @param appearOffline whether the user appears offline (rule 9)
 * @param emitted what was last emitted; null: nothing yet
 * @param lastActive the last heartbeat of an ONLINE device that others were allowed to see
 * @param forgettableSince since when the user is OFFLINE with no text and not hidden, and something of them is remembered
 * @param statusAt when the text that holds, or the lack of one, was written
 * @param appearOfflineAt when the flag that holds was written
 * @param leftOnline when a device last left ONLINE
 * @param leftIdle when a device last left IDLE
 * @param routingSequence the sequence of the last {@link RoutingView}; 0: there was none
 * @param clockAheadMs by how much the partition's time was ahead of the stamps when this was taken
 * @param takenEarly the last heartbeats that were taken before their turn; null: none since one was taken in turn
 */
public record UserSnapshot(
        List<DeviceSnapshot> devices,
        StatusText status,
        boolean appearOffline,
        @Nullable Emitted emitted,
        long lastActive,
        long forgettableSince,
        long statusAt,
        long appearOfflineAt,
        long leftOnline,
        long leftIdle,
        long routingSequence,
        long clockAheadMs,
        @Nullable TakenEarly takenEarly) {

    /** Before all times. */
    public static final long NEVER = Long.MIN_VALUE;

    /** A user of whom nothing is known. */
    public static final UserSnapshot EMPTY = new UserSnapshot(
            List.of(), StatusText.NONE, false, null, NEVER, NEVER, NEVER, NEVER, NEVER, NEVER, 0, 0, null);

    /**
     * All of a device.
     *
     * @param since when the device took its state
     * @param lastRecord the last record applied, in the partition's time
     * @param storedRecord what {@code lastRecord} was when the user was last stored: up to {@code last.seen.persist.ms} before
     *     it
     * @param leaseMs the lease that runs, in ms
     * @param connectionEnded whether the deadline is that of a connection's end, which is exact
     * @param deadline when the device expires, in the partition's time; where a session holds it, when it would if nobody had
     *     heard of that
     * @param heldUntil until when a silent shard holds it (rule 13), in the partition's time; never before the deadline, and not
     *     stored; {@link Long#MAX_VALUE}: a session decides that
     * @param session what holds its connection, or did so when that ended (rule 14)
     */
    public record DeviceSnapshot(
            String id,
            PresenceState state,
            long since,
            long lastRecord,
            long storedRecord,
            long leaseMs,
            boolean connectionEnded,
            long deadline,
            long heldUntil,
            @Nullable String shard,
            @Nullable SessionId session) {

        /** One that was just read from the store. */
        public static DeviceSnapshot stored(
                String id,
                PresenceState state,
                long since,
                long lastRecord,
                long leaseMs,
                boolean connectionEnded,
                long deadline,
                @Nullable String shard,
                @Nullable SessionId session) {
            return new DeviceSnapshot(
                    id,
                    state,
                    since,
                    lastRecord,
                    lastRecord,
                    leaseMs,
                    connectionEnded,
                    deadline,
                    deadline,
                    shard,
                    session);
        }
    }

    /**
     * What others know of the user, beside the text.
     *
     * @param since when that state began
     * @param at the timestamp of the record; no later one has an earlier one
     * @param sequence 1 for the first, and exactly one more with each
     */
    public record Emitted(PresenceState state, long since, long at, long sequence) {}

    /**
     * Heartbeats that were taken before others that lie in front of them, because a text or flag of their user was. How far
     * the log was read does not tell that, so whoever takes the partition over reads them again.
     *
     * @param offset that of the last one
     * @param stamp that of what took them, in ms, which is later than theirs: a topic that was created anew has the offsets
     *     once more, but later stamps
     */
    public record TakenEarly(long offset, long stamp) {
        public boolean covers(long otherOffset, long otherStamp) {
            return otherOffset <= offset && otherStamp < stamp;
        }
    }

    /** Whether time alone can change something: a device, or a text that expires. */
    public boolean canExpire() {
        return !devices.isEmpty() || status.expiresAt() != null;
    }
}
