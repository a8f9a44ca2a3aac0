package dev.rollcall.matrix.polls;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import java.util.HashSet;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One device's open polls, and which of its heartbeats are written. A heartbeat that changes something is written at once, the
 * others once per third of the lease. What is left out then is written when the third is over, with what is left of its lease:
 * else a poll of 30 s that begins 14 s after the last heartbeat would outlast that one's lease of 45 s.
 */
final class PollingDevice {
    /** How long a heartbeat that failed is not written again. */
    private static final long RETRY_MS = 1_000;

    private static final int PARTS_OF_LEASE = 3;

    /** A lease that is longer than needed by so much is written anew: the client has chosen a much shorter time-out. */
    private static final long TOO_LONG_MS = 60_000;

    private final Set<Poll> open = new HashSet<>();

    /** When the polls so far need it to live until. */
    private long neededUntil;

    /** Of the last poll. */
    private long leaseMs;

    private long writtenAt;

    /** That of the last poll then. */
    private long writtenLeaseMs;

    /** The end of the lease that was written; in the past where there is none. */
    private long writtenUntil;

    private long retryAt;

    /** The end of the lease that was cut short by the last end; in the past where there is none. */
    private long cutShort;

    /** Whether the brokers do not have that end. */
    private boolean isEndOwed;

    /** The state that was given last; null: none since it last ended. */
    private @Nullable PresenceState state;

    /** What a poll gave and no heartbeat has had; null: nothing. */
    private @Nullable PresenceState unwritten;

    PollingDevice(long now) {
        neededUntil = now;
        writtenAt = now;
        writtenUntil = now;
        retryAt = now;
        cutShort = now;
    }

    /** @param isSeenToEnd whether its end will be told */
    Optional<Heartbeat> poll(Poll poll, boolean isSeenToEnd, String deviceId, String shard, long now) {
        isEndOwed = false;
        if (isSeenToEnd) {
            open.add(poll);
        }
        neededUntil = open.stream().mapToLong(Poll::leaseEnd).reduce(poll.leaseEnd(), Math::max);
        leaseMs = poll.leaseMs();
        PresenceState given = poll.state();
        boolean isChange = given != null && given != state;
        if (given != null) {
            state = given;
            unwritten = given;
        }
        return isChange || !isLive(now) || isDue(now) ? write(deviceId, shard, now) : Optional.empty();
    }

    Optional<Heartbeat> end(Poll poll, String deviceId, String shard, long now) {
        open.remove(poll);
        return switch (PollStatus.of(poll.status())) {
            case GONE -> open.isEmpty() && isLive(now) ? close(deviceId, shard, now) : Optional.empty();
            case FAILED -> {
                neededUntil = Math.max(neededUntil, now + poll.leaseMs());
                yield isDue(now) ? write(deviceId, shard, now) : Optional.empty();
            }
            case ANSWERED -> Optional.empty();
        };
    }

    /** What is written later. To be called again and again. */
    Optional<Heartbeat> tick(String deviceId, String shard, long now) {
        open.removeIf(poll -> poll.leaseEnd() <= now); // its line in the log is lost
        if (isEndOwed && now >= retryAt && now < cutShort) {
            isEndOwed = false;
            return Optional.of(end(deviceId, shard));
        }
        return neededUntil > now && now >= retryAt && (!isLive(now) || isDue(now))
                ? write(deviceId, shard, now)
                : Optional.empty();
    }

    boolean isOver(long now) {
        return open.isEmpty() && !isLive(now) && neededUntil <= now && cutShort <= now;
    }

    /** The client has set its state otherwise: a poll that gives the same one changes nothing, and none from before counts. */
    void stateWasSet(PresenceState newState) {
        state = newState;
        unwritten = null;
    }

    /** The brokers do not have a heartbeat with this state. */
    void failed(@Nullable PresenceState failed, long now) {
        writtenUntil = now;
        retryAt = now + RETRY_MS;
        if (unwritten == null && failed == state) {
            unwritten = failed;
        }
    }

    /** The brokers do not have its end: it is written again, for as long as the lease that it was to cut short would last. */
    void endFailed(long now) {
        isEndOwed = open.isEmpty() && !isLive(now) && cutShort > now;
        retryAt = now + RETRY_MS;
    }

    private boolean isLive(long now) {
        return writtenUntil > now;
    }

    private boolean isDue(long now) {
        boolean tooSoon = (now - writtenAt) * PARTS_OF_LEASE < Math.min(writtenLeaseMs, leaseMs);
        boolean isTooLong = writtenUntil - neededUntil > Math.max(leaseMs, TOO_LONG_MS);
        return (neededUntil > writtenUntil || isTooLong) && !tooSoon;
    }

    private Optional<Heartbeat> write(String deviceId, String shard, long now) {
        PresenceState given = unwritten;
        unwritten = null;
        writtenAt = now;
        writtenLeaseMs = leaseMs;
        writtenUntil = neededUntil;
        return Optional.of(new Heartbeat(deviceId, given, false, OptionalLong.of(neededUntil - now), shard));
    }

    private Optional<Heartbeat> close(String deviceId, String shard, long now) {
        cutShort = writtenUntil;
        neededUntil = now;
        writtenUntil = now;
        state = null;
        unwritten = null;
        return Optional.of(end(deviceId, shard));
    }

    private static Heartbeat end(String deviceId, String shard) {
        return new Heartbeat(deviceId, null, true, OptionalLong.empty(), shard);
    }
}
