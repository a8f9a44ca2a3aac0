package dev.rollcall.chaos.check;

import dev.rollcall.chaos.check.Decoder.ShardHeartbeatValue;
import dev.rollcall.chaos.check.Hold.Session;
import dev.rollcall.chaos.check.SessionLog.Ending;
import dev.rollcall.chaos.check.UserLog.Beat;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The sessions that one partition has heard of, by their own heartbeats alone (rule 14). */
final class SessionLogs {
    private final Settings settings;
    private final Map<Session, SessionLog> sessions = new HashMap<>();

    /** Of each shard. */
    private final Map<String, Session> latest = new HashMap<>();

    SessionLogs(Settings settings) {
        this.settings = settings;
    }

    /** Whether the record counts. */
    boolean hear(long offset, long at, ShardHeartbeatValue value) {
        Session session = new Session(value.shard(), value.session());
        Session before = latest.get(value.shard());
        SessionLog log = sessions.get(session);
        if (log == null) {
            log = new SessionLog(value.startedAt());
            sessions.put(session, log);
            SessionLog ofBefore = before == null ? null : sessions.get(before);
            if (ofBefore != null && value.startedAt() <= ofBefore.startedAt) {
                log.hearAsEarlier(offset, at);
                return false;
            }
            if (ofBefore != null) {
                ofBefore.end(Ending.RESTART, offset, at);
            }
            latest.put(value.shard(), session);
        } else if (log.isEarlierAt(offset)) {
            log.hearAsEarlier(offset, at);
            return false;
        } else if (log.isOverAt(offset)) {
            return false;
        }
        if (value.ended()) {
            log.end(Ending.IN_GOOD_ORDER, offset, at);
        } else {
            long lease = value.leaseMs() == null ? settings.shardLeaseMs() : value.leaseMs();
            log.hear(offset, at, lease, lease + settings.shardHoldMs() - settings.clockDifferenceMs());
        }
        return true;
    }

    /** Null: it was never heard. */
    @Nullable
    SessionLog log(Session session) {
        return sessions.get(session);
    }

    /** Whether a device's heartbeat counts, as far as its session tells; of an end, the device tells the rest. */
    boolean counts(@Nullable Session session, boolean closed, long offset) {
        SessionLog log = session == null ? null : sessions.get(session);
        return log == null || (closed ? !log.isEarlierAt(offset) : !log.isOverAt(offset));
    }

    /**
     * Whether a device that this heartbeat opened was certainly live at that time by what its session sent: it was never
     * silent for long, and had not ended.
     */
    boolean isLive(Beat opened, long time) {
        Session session = opened.session();
        SessionLog log = session == null ? null : sessions.get(session);
        if (log == null || log.endTime() <= time) {
            return false;
        }
        int atOpen = log.lastUpTo(opened.offset());
        int last = log.lastBefore(time);
        if (atOpen < 0 || last < 0 || log.time(atOpen) + log.leaseMs(atOpen) <= opened.logTime()) {
            return false;
        }
        int beforeSilence = log.firstBeforeSilence(log.offset(atOpen));
        return time < log.time(beforeSilence) + log.leaseMs(beforeSilence) && time < log.time(last) + log.leaseMs(last);
    }
}
