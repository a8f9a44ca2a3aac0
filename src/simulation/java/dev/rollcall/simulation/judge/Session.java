package dev.rollcall.simulation.judge;

import java.util.LinkedHashSet;
import java.util.Set;

/**
 * One life of a shard on a partition (rule 14). Instants are the partition's; {@code Lo} and {@code Hi} bound what the rules leave
 * open, and are equal where they leave nothing.
 */
final class Session {
    /** How it ended, which it does once; {@code NONE} also while it is silent and may be heard again. */
    enum End {
        NONE,
        SILENCE,
        RESTART,
        GOOD_ORDER
    }

    final String shard;
    final String name;
    /** The users with a device that this session holds, or that waits for it. */
    final Set<User> users = new LinkedHashSet<>();
    /** Those of them that have a device that waits. */
    final Set<User> waiters = new LinkedHashSet<>();
    /** Whether a ShardHeartbeat of it was read. */
    boolean heard;

    long startedAt;
    long lease;
    long lastHeard = Long.MIN_VALUE;
    /** Its last ShardHeartbeat plus its lease, later after a take-over or a silence of the log. */
    long untilLo;

    long untilHi;
    /** A silent session holds its devices at least until then, after a take-over or a silence of the log. */
    long holdAtLeastLo = Long.MIN_VALUE;

    long holdAtLeastHi = Long.MIN_VALUE;
    /** A clock tick has noticed the silence; from then on it is stored as ended. */
    boolean silenceNoticed;
    /** A later session of the shard was heard: records of this one count for nothing. */
    boolean superseded;

    boolean saidEnded;
    End end = End.NONE;
    long endedLo;
    long endedHi;
    long heldLo;
    long heldHi;

    Session(String shard, String name) {
        this.shard = shard;
        this.name = name;
    }

    /** Whether it is heard of, not ended, and not silent at the instant; the parts of an interval separately. */
    boolean surelyAlive(long at) {
        return heard && !superseded && end == End.NONE && at < untilLo;
    }

    boolean possiblyAlive(long at) {
        return heard && !superseded && end == End.NONE && at < untilHi;
    }

    /** Whether nothing is stored of its end: after a take-over it has one lease more, from the first record read. */
    boolean mayBeStoredAlive() {
        return heard && !superseded && end == End.NONE && !silenceNoticed;
    }

    /** Whether it has ended by the last clock tick, where it is silent. */
    boolean surelyEnded(long lastTick) {
        return end != End.NONE || untilHi <= lastTick;
    }

    boolean possiblyEnded(long lastTick) {
        return end != End.NONE || untilLo <= lastTick;
    }

    long sinceLo() {
        return end == End.NONE ? untilLo : endedLo;
    }

    long sinceHi() {
        return end == End.NONE ? untilHi : endedHi;
    }

    long holdEndLo(long holdMs) {
        return end == End.NONE ? Math.max(untilLo + holdMs, holdAtLeastLo) : heldLo;
    }

    long holdEndHi(long holdMs) {
        return end == End.NONE ? Math.max(untilHi + holdMs, holdAtLeastHi) : heldHi;
    }
}
