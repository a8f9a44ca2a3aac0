package dev.rollcall.simulation.judge;

import dev.rollcall.simulation.judge.Decoded.Heartbeat;
import dev.rollcall.simulation.judge.Decoded.ShardBeat;
import dev.rollcall.simulation.judge.Session.End;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The shards that a partition has heard of, and what their sessions' heartbeats mean (rules 13 and 14). */
final class Shards {
    /** Which session of a shard is the latest is remembered for an hour after it was last heard (rule 14). */
    private static final long REMEMBERED_MS = 3_600_000;

    private final JudgeSettings settings;
    private final Map<String, Shard> shards = new HashMap<>();

    Shards(JudgeSettings settings) {
        this.settings = settings;
    }

    @Nullable
    Shard find(String name) {
        return shards.get(name);
    }

    Shard shard(String name) {
        return shards.computeIfAbsent(name, Shard::new);
    }

    /** The session that a heartbeat names; one that nobody has heard of is made up, unheard. */
    Session session(Heartbeat heartbeat) {
        String name = Objects.requireNonNull(heartbeat.shard());
        String session = Objects.requireNonNull(heartbeat.session());
        Shard shard = shard(name);
        return shard.sessions.computeIfAbsent(session, unheard -> new Session(name, session));
    }

    /** What a ShardHeartbeat changed for the users of its shard. */
    enum Effect {
        /** Whoever waits for the session is held by it from now on. */
        HEARD,
        /** The session is an earlier one: who waits for it ends at once. */
        EARLIER,
        /** The record is of a session that is over, and counts for nothing. */
        NOTHING
    }

    /** Rule 14, records. The users whom it concerns have to look at their devices again; see the session's and its shard's. */
    Effect beat(ShardBeat beat, long at) {
        Shard shard = shard(beat.shard());
        Session session =
                shard.sessions.computeIfAbsent(beat.session(), unheard -> new Session(beat.shard(), beat.session()));
        if (session.superseded || session.saidEnded) {
            return Effect.NOTHING;
        }
        Session latest = shard.latest;
        boolean first = !session.heard;
        if (first) {
            session.heard = true;
            session.startedAt = beat.startedAt();
            if (latest != null && session.startedAt <= latest.startedAt) {
                session.superseded = true;
                session.end = End.RESTART;
                session.endedLo = session.endedHi = at;
                session.heldLo = session.heldHi = at;
                return Effect.EARLIER;
            }
            restart(shard, session, at);
            shard.latest = session;
        }
        alive(session, beat, at);
        if (beat.ended()) {
            session.saidEnded = true;
            session.end = End.GOOD_ORDER;
            session.endedLo = session.endedHi = at;
            session.heldLo = session.heldHi = at + settings.shardResumeMs();
        }
        return Effect.HEARD;
    }

    private void alive(Session session, ShardBeat beat, long at) {
        session.lease = beat.lease() > 0 ? beat.lease() : settings.shardLeaseMs();
        session.lastHeard = at;
        session.untilLo = session.untilHi = at + session.lease;
        session.holdAtLeastLo = session.holdAtLeastHi = Long.MIN_VALUE;
        session.silenceNoticed = false;
    }

    /** A later session was heard: every other one that was heard of has ended, by silence if it was silent by now. */
    private void restart(Shard shard, Session later, long at) {
        for (Session earlier : shard.sessions.values()) {
            if (earlier == later || !earlier.heard || earlier.superseded) {
                continue;
            }
            earlier.superseded = true;
            if (earlier.end != End.NONE) {
                continue;
            }
            if (earlier.untilHi <= at) {
                bySilence(earlier);
            } else if (earlier.untilLo <= at) {
                earlier.end = End.RESTART;
                earlier.endedLo = earlier.untilLo;
                earlier.endedHi = at;
                earlier.heldLo = at + settings.shardResumeMs();
                earlier.heldHi = Math.max(earlier.heldLo, earlier.untilLo + settings.shardHoldMs());
                earlier.heldLo = Math.min(earlier.heldLo, earlier.untilLo + settings.shardHoldMs());
            } else {
                earlier.end = End.RESTART;
                earlier.endedLo = earlier.endedHi = at;
                earlier.heldLo = earlier.heldHi = at + settings.shardResumeMs();
            }
        }
    }

    private void bySilence(Session session) {
        long heldLo = session.untilLo + settings.shardHoldMs();
        long heldHi = session.holdEndHi(settings.shardHoldMs());
        session.end = End.SILENCE;
        session.endedLo = session.untilLo;
        session.endedHi = session.untilHi;
        // After a take-over it is held "until a later session is heard": whether that ends the longer hold is left
        // open.
        session.heldLo = heldLo;
        session.heldHi = heldHi;
    }

    private void forgetOld(Shard shard, long at) {
        Session latest = shard.latest;
        if (latest != null
                && latest.lastHeard + REMEMBERED_MS <= at
                && latest.holdEndHi(settings.shardHoldMs()) <= at
                && isUnused(latest)) {
            shard.latest = null;
            shard.sessions.values().removeIf(Shards::isUnused);
        }
    }

    private static boolean isUnused(Session session) {
        session.users.removeIf(user -> !user.hasDeviceOf(session));
        return session.users.isEmpty();
    }

    /** A clock tick notices sessions that are silent, from when on their end is stored; and forgets. */
    void tick(long at) {
        for (Shard shard : shards.values()) {
            forgetOld(shard, at);
            Session latest = shard.latest;
            if (latest != null && latest.untilHi <= at) {
                latest.silenceNoticed = true;
            }
        }
    }

    /** Rule 14, time: another processor has read its first record. */
    void takenOver(long lo, long hi) {
        for (Shard shard : shards.values()) {
            shard.takenOver(hi);
            for (Session session : heard(shard)) {
                if (session.end != End.NONE) {
                    boolean silent = session.end == End.SILENCE;
                    session.heldHi = Math.max(session.heldHi, hi + (silent ? session.lease : settings.shardResumeMs()));
                    session.heldLo = Math.max(session.heldLo, silent ? session.heldLo : lo + settings.shardResumeMs());
                } else if (session.silenceNoticed) {
                    session.holdAtLeastLo = Math.max(session.holdAtLeastLo, lo + session.lease);
                    session.holdAtLeastHi = Math.max(session.holdAtLeastHi, hi + session.lease);
                } else {
                    session.untilLo = Math.max(session.untilLo, lo + session.lease);
                    session.untilHi = Math.max(session.untilHi, hi + session.lease);
                }
            }
        }
    }

    /** Rule 14, time: the log was silent, surely for {@code lo} ms and at most for {@code hi}, until {@code to}. */
    void logSilence(long from, long to, long lo, long hi) {
        for (Shard shard : shards.values()) {
            for (Session session : heard(shard)) {
                long leaseLo = to + Math.min(lo, session.lease);
                long leaseHi = to + Math.min(hi, session.lease);
                if (session.end != End.NONE) {
                    long most = session.end == End.SILENCE ? session.lease : settings.shardResumeMs();
                    session.heldLo = lo > 0 ? Math.max(session.heldLo, to + Math.min(lo, most)) : session.heldLo;
                    session.heldHi = Math.max(session.heldHi, to + Math.min(hi, most));
                } else {
                    if (session.untilLo > from && lo > 0) {
                        session.untilLo = Math.max(session.untilLo, leaseLo);
                    } else if (lo > 0) {
                        session.holdAtLeastLo = Math.max(session.holdAtLeastLo, leaseLo);
                    }
                    if (session.untilHi > from) {
                        session.untilHi = Math.max(session.untilHi, leaseHi);
                    } else {
                        session.holdAtLeastHi = Math.max(session.holdAtLeastHi, leaseHi);
                    }
                }
            }
        }
    }

    private static List<Session> heard(Shard shard) {
        List<Session> heard = new ArrayList<>();
        for (Session session : shard.sessions.values()) {
            if (session.heard) {
                heard.add(session);
            }
        }
        return heard;
    }
}
