package dev.rollcall.matrix.polls;

import dev.rollcall.domain.Limits;
import dev.rollcall.domain.PresenceState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The polls of a homeserver's clients. A poll is mirrored when it begins; its end is its line in the access log, which has the
 * same request id. Where the client has closed a device's last open poll, or its token is not valid any more, the device's
 * connection has ended (rule 5). Not thread-safe.
 */
public final class OpenPolls {
    /** How much longer than its time-out a poll keeps its device: the time until the next one, and the way of both. */
    public static final long SLACK_MS = 15_000;

    /** The longest time-out that counts. */
    private static final long MAX_TIMEOUT_MS = Limits.MAX_LEASE_MS - SLACK_MS;

    /** Beyond this, the end of a poll is not seen, and its lease runs on. */
    private static final int MAX_OPEN = 200_000;

    /** Lines of the log whose polls have not come yet. */
    private static final int MAX_EARLY = 10_000;

    private static final long EARLY_MS = 5_000;

    private record EarlyEnd(int status, long at) {}

    private final String shard;
    private final Map<String, Poll> open = new HashMap<>();
    private final Map<String, EarlyEnd> early = new LinkedHashMap<>();
    private final Map<MatrixDevice, PollingDevice> devices = new HashMap<>();

    /** What a line of the log was about: the poll, and what is to be written. */
    public record End(Poll poll, Optional<Beat> beat) {}

    /** @param shard the name of this receiver, for its heartbeats */
    public OpenPolls(String shard) {
        this.shard = shard;
    }

    /**
     * A poll has begun. It is somebody's once {@link #identify} is called.
     *
     * @param requestId the proxy's; empty: its end will not be seen
     * @param state null: the request names none
     */
    public Poll begin(String requestId, String tokenHash, long timeoutMs, @Nullable PresenceState state, long now) {
        long leaseMs = Math.max(0, Math.min(timeoutMs, MAX_TIMEOUT_MS)) + SLACK_MS;
        Poll poll = new Poll(requestId, tokenHash, state, now, leaseMs);
        EarlyEnd ended = early.remove(requestId);
        if (ended != null) {
            poll.end(ended.status);
        } else if (!requestId.isEmpty() && open.size() < MAX_OPEN) {
            open.put(requestId, poll);
        }
        return poll;
    }

    /** Whose poll it is. It may have ended by now. */
    public Optional<Beat> identify(Poll poll, MatrixDevice device, long now) {
        poll.identify(device);
        if (!poll.isOpen() && PollStatus.of(poll.status()) == PollStatus.GONE) {
            return end(poll, device, now);
        }
        PollingDevice polling = devices.computeIfAbsent(device, unknown -> new PollingDevice(now));
        boolean isSeenToEnd = open.get(poll.requestId()) == poll;
        return polling.poll(poll, isSeenToEnd, device.deviceId(), shard, now)
                .map(heartbeat -> new Beat(device, heartbeat));
    }

    /** Nobody knows whose poll it is. */
    public void drop(Poll poll) {
        open.remove(poll.requestId(), poll);
    }

    /** A line of the log. Empty: its poll is not known (yet). */
    public Optional<End> end(String requestId, int status, long now) {
        Poll poll = open.remove(requestId);
        if (poll == null) {
            if (!requestId.isEmpty() && early.size() < MAX_EARLY) {
                early.put(requestId, new EarlyEnd(status, now));
            }
            return Optional.empty();
        }
        poll.end(status);
        MatrixDevice device = poll.device();
        return Optional.of(new End(poll, device == null ? Optional.empty() : end(poll, device, now)));
    }

    private Optional<Beat> end(Poll poll, MatrixDevice device, long now) {
        return Optional.ofNullable(devices.get(device))
                .flatMap(polling -> polling.end(poll, device.deviceId(), shard, now))
                .map(heartbeat -> new Beat(device, heartbeat));
    }

    /** What has become due. To be called about once a second. */
    public List<Beat> tick(long now) {
        early.values().removeIf(end -> now - end.at >= EARLY_MS);
        open.values().removeIf(poll -> poll.leaseEnd() <= now);
        List<Beat> due = new ArrayList<>();
        devices.forEach((device, polling) -> polling.tick(device.deviceId(), shard, now)
                .ifPresent(heartbeat -> due.add(new Beat(device, heartbeat))));
        devices.values().removeIf(polling -> polling.isOver(now));
        return due;
    }

    /** The client has set the state of its device in another request. */
    public void stateWasSet(MatrixDevice device, PresenceState state) {
        PollingDevice polling = devices.get(device);
        if (polling != null) {
            polling.stateWasSet(state);
        }
    }

    /** The brokers do not have this: it is written again, unless something has come since that makes it needless. */
    public void failed(Beat beat, long now) {
        PollingDevice polling = devices.get(beat.device());
        if (polling != null && beat.heartbeat().connectionEnded()) {
            polling.endFailed(now);
        } else if (polling != null) {
            polling.failed(beat.heartbeat().state(), now);
        }
    }

    /** How many polls are open, as far as is known. */
    public int open() {
        return open.size();
    }

    /** How many devices have polled within their lease. */
    public int devices() {
        return devices.size();
    }
}
