package dev.rollcall.session;

import dev.rollcall.session.StoredShard.StoredSession;
import dev.rollcall.time.PartitionClock;

/** One session of a shard, as one partition knows it. Times in ms, of the partition's clock. */
public final class Session {
    /** How a session stands. */
    public enum State {
        /** No {@link ShardHeartbeat} of it was read yet: a device was opened before. */
        UNHEARD,
        /** As far as the clock has shown. */
        ALIVE,
        /** A clock tick has found that its lease is over. It may be heard again. */
        SILENT,
        /** By its own word. */
        ENDED,
        /** A later session of the shard was heard: what comes from this one counts for nothing. */
        SUPERSEDED
    }

    /** Where it is among the partition's sessions: four bytes instead of two names in each device. */
    private final int number;

    private final SessionId id;
    private State state;
    private long startedAt;
    private long leaseMs;
    private long endsAt;
    private long heldUntil;

    /** The clock tick before it was first heard: what had ended by then does not come back with it. */
    private long heardAfter = PartitionClock.UNKNOWN;

    /** How many devices it holds. */
    private int devices;

    /** When it will be looked at next. */
    private long checkAt = Long.MAX_VALUE;

    Session(int number, SessionId id) {
        this.number = number;
        this.id = id;
        this.state = State.UNHEARD;
    }

    Session(int number, SessionId id, StoredSession stored) {
        this.number = number;
        this.id = id;
        this.state = stored.state();
        this.startedAt = stored.startedAt();
        this.leaseMs = stored.leaseMs();
        this.endsAt = stored.endsAt();
        this.heldUntil = stored.heldUntil();
    }

    StoredSession stored() {
        return new StoredSession(id.session(), id.life(), state, startedAt, leaseMs, endsAt, heldUntil);
    }

    public SessionId id() {
        return id;
    }

    public int number() {
        return number;
    }

    State state() {
        return state;
    }

    long startedAt() {
        return startedAt;
    }

    /** Whether it decides how long its devices live: until it was heard, their own deadlines do. */
    public boolean isHeard() {
        return state != State.UNHEARD;
    }

    /** Whether it has not ended, as far as the clock has shown. */
    public boolean isAlive() {
        return state == State.ALIVE;
    }

    /** Whether it decides how long a device lives that would live until then by itself. */
    public boolean decidesFor(long ownHeldUntil) {
        return isHeard() && ownHeldUntil > heardAfter;
    }

    /** When it ended, and the {@code since} of what that causes; or when it will if it is not heard from again. */
    public long endsAt() {
        return endsAt;
    }

    /** Until when its devices are live if nobody takes them up. */
    public long heldUntil() {
        return heldUntil;
    }

    long checkAt() {
        return checkAt;
    }

    void checkAt(long at) {
        checkAt = at;
    }

    int devices() {
        return devices;
    }

    /** It holds one device more. */
    public void add() {
        devices++;
    }

    void remove() {
        devices--;
    }

    /** Returns whether a crash would lose more than it may if this were not stored. */
    boolean hear(ShardHeartbeat beat, long at, long now, SessionRules rules) {
        if (state == State.UNHEARD) {
            heardAfter = now;
            startedAt = beat.startedAt();
        }
        long newLeaseMs = beat.leaseMs().orElse(rules.leaseMs());
        boolean isNews = state != State.ALIVE || newLeaseMs != leaseMs;
        state = State.ALIVE;
        leaseMs = newLeaseMs;
        endsAt = at + newLeaseMs;
        heldUntil = endsAt + rules.holdMs();
        return isNews;
    }

    /** A clock tick has found that it was not heard from. */
    void silent() {
        state = State.SILENT;
    }

    /** It ends by another record than its last heartbeat, unless it had ended before. */
    void end(State how, long at, long now, SessionRules rules) {
        if (state == State.UNHEARD) {
            heardAfter = now;
            endsAt = at;
            heldUntil = id.life() == 0 ? at : at + rules.resumeMs(); // a former life of it was heard
        } else if (state != State.ENDED && endsAt > at) {
            endsAt = at;
            heldUntil = at + rules.resumeMs();
        }
        state = how;
    }

    /** Until when its devices are live at least, if the partition was taken over with a record at that time. */
    public long heldUntilIfTakenOver(long at, SessionRules rules) {
        return switch (state) {
            case ALIVE -> Math.max(endsAt, at + leaseMs) + rules.holdMs();
            case UNHEARD, SILENT -> Math.max(heldUntil, at + leaseMs);
            case ENDED, SUPERSEDED -> Math.max(heldUntil, at + rules.resumeMs());
        };
    }

    /** The partition was taken over with a record at that time. */
    void takenOver(long at, SessionRules rules) {
        heldUntil = heldUntilIfTakenOver(at, rules);
        if (state == State.ALIVE) {
            endsAt = Math.max(endsAt, at + leaseMs);
        }
    }

    /** Time in which nobody could be heard: moves no {@code since} of what has ended, and nothing to an earlier time. */
    void extendTo(long from, long to, long atMostMs, SessionRules rules) {
        if (state == State.ALIVE && endsAt > from) {
            endsAt = Math.max(endsAt, to + Math.min(atMostMs, leaseMs));
            heldUntil = endsAt + rules.holdMs();
        } else if (heldUntil > from) {
            boolean isSilent = state == State.ALIVE || state == State.SILENT;
            heldUntil = Math.max(heldUntil, to + Math.min(atMostMs, isSilent ? leaseMs : rules.resumeMs()));
        }
    }
}
