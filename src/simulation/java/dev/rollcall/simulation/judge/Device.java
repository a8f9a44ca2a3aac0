package dev.rollcall.simulation.judge;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A live device of a user, as the rules have it. Instants are the partition's where not said otherwise; {@code Lo} and {@code Hi}
 * bound what the rules leave open, and are equal where they leave nothing.
 */
final class Device {
    final String id;
    State state = State.ONLINE;
    /** In the brokers' time: when it took its state. */
    long stateSince;
    /** Its last record: an interval after a take-over, as the stored one may be older (promise 9). */
    long heardLo;

    long heardHi;
    /** The same in the brokers' time; which of two records is newer is decided by that. */
    long stampLo;

    long stampHi;
    /** When it began to live. */
    long firstHeard;

    long leaseLo;
    long leaseHi;
    /** The end of the lease, of the grace time once closed, or of its own time where it waits for a session. */
    long endLo;

    long endHi;
    /** {@link #endLo} as its last record set it, without what silences of the log added. */
    long storedEnd;
    /** Where its connection has ended: the end of the lease that ran then, beyond which no further end may hold it. */
    long cap = Long.MAX_VALUE;

    @Nullable
    String shard;

    @Nullable
    Session session;
    /** Opened while its session was unknown or silent, and the session was not heard since (rule 14). */
    boolean waiting;

    boolean closed;
    /** It was found to be live at this clock tick, which narrows an interval. */
    long aliveAt = Long.MIN_VALUE;
    /** Its end is decided, and no session or shard moves it any more (rule 14). */
    @Nullable
    Ending decided;

    Device(String id) {
        this.id = id;
    }

    Device copy() {
        Device copy = new Device(id);
        copy.state = state;
        copy.stateSince = stateSince;
        copy.heardLo = heardLo;
        copy.heardHi = heardHi;
        copy.firstHeard = firstHeard;
        copy.stampLo = stampLo;
        copy.stampHi = stampHi;
        copy.leaseLo = leaseLo;
        copy.leaseHi = leaseHi;
        copy.endLo = endLo;
        copy.endHi = endHi;
        copy.storedEnd = storedEnd;
        copy.cap = cap;
        copy.shard = shard;
        copy.session = session;
        copy.waiting = waiting;
        copy.closed = closed;
        copy.aliveAt = aliveAt;
        copy.decided = decided;
        return copy;
    }

    boolean sameAs(Device other) {
        return id.equals(other.id)
                && state == other.state
                && stateSince == other.stateSince
                && heardLo == other.heardLo
                && heardHi == other.heardHi
                && stampLo == other.stampLo
                && stampHi == other.stampHi
                && leaseLo == other.leaseLo
                && leaseHi == other.leaseHi
                && endLo == other.endLo
                && endHi == other.endHi
                && storedEnd == other.storedEnd
                && cap == other.cap
                && Objects.equals(shard, other.shard)
                && session == other.session
                && waiting == other.waiting
                && closed == other.closed
                && aliveAt == other.aliveAt
                && Objects.equals(decided, other.decided);
    }

    void take(State taken, long stamp) {
        if (taken != state || stateSince == Variant.NEVER) {
            stateSince = stamp;
        }
        state = taken;
    }

    void end(long lo, long hi) {
        endLo = lo;
        endHi = hi;
        storedEnd = lo;
        aliveAt = Long.MIN_VALUE;
    }

    void lease(long lo, long hi) {
        leaseLo = lo;
        leaseHi = hi;
    }
}
