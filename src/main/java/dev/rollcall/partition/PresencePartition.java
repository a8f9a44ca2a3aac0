package dev.rollcall.partition;

import dev.rollcall.domain.Decision;
import dev.rollcall.domain.Decision.StoreWrite;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceRules;
import dev.rollcall.domain.Rejection;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.domain.UserSnapshot.TakenEarly;
import dev.rollcall.domain.user.PartitionScope;
import dev.rollcall.domain.user.Shards;
import dev.rollcall.domain.user.User;
import dev.rollcall.memory.LiveUsers;
import dev.rollcall.memory.UnstoredUsers;
import dev.rollcall.session.Sessions;
import dev.rollcall.session.ShardHeartbeat;
import dev.rollcall.session.StoredShard;
import dev.rollcall.time.LogActivity;
import dev.rollcall.time.LogActivity.Finding;
import dev.rollcall.time.PartitionClock;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The users of one partition: in memory those with something that can expire, with exact deadlines; the others are in the store.
 * Every input comes in here, and leaves as a {@link Decision}. Not thread-safe. All stamps are the brokers', in ms since the
 * epoch.
 *
 * <p>Now is the stamp of the last clock tick read from the partition's own log. Between ticks time stands still, so a backlog, a
 * pause or a dead broker cannot make a live device look silent.
 */
public final class PresencePartition {
    private final PresenceRules rules;
    private final PartitionScope scope;
    private final PartitionClock clock;
    private final Shards shards;
    private final Sessions sessions;
    private final LogActivity log;
    private final StoredUsers store;
    private final LiveUsers users;

    public PresencePartition(PresenceRules rules, StoredUsers store) {
        this.rules = rules;
        this.store = store;
        scope = new PartitionScope(rules);
        clock = scope.clock();
        shards = scope.shards();
        sessions = scope.sessions();
        log = new LogActivity(rules.logGapMs());
        users = new LiveUsers(scope);
    }

    /** Takes a stored shard into memory, before all users. */
    public void restoreShard(String shard, StoredShard stored) {
        sessions.restore(shard, stored);
    }

    /** Takes a stored user into memory, before the first record, which then sets the deadlines (see {@link LogActivity}). */
    public void restore(UserId id, UserSnapshot snapshot) {
        if (snapshot.canExpire()) {
            User user = new User(id, snapshot, scope);
            user.restore(snapshot.clockAheadMs());
            users.keep(user, snapshot, LiveUsers.NO_SLOT, false);
        }
    }

    /** Fetches the memory of all these users at once, so that the CPU's waits overlap. Changes nothing. */
    public void prefetch(List<@Nullable UserId> ids) {
        users.prefetch(ids);
    }

    // ---- inputs ----

    public Decision heartbeat(UserId id, Heartbeat heartbeat, long stamp) {
        int slot = users.find(id);
        User fromStore = slot == LiveUsers.NO_SLOT ? fromStore(id) : null;
        if (fromStore == null ? users.appearsOffline(slot) : fromStore.appearsOffline()) {
            // What a hidden user's devices do must not show, not even in how long the others are held (rule 9).
            return apply(slot, fromStore, heartbeat, clock.timeOf(stamp), stamp, null);
        }
        long at = clock.advance(stamp);
        if (extendDeadlines(log.record(at, ticksNeeded()))) {
            slot = users.find(id);
            fromStore = slot == LiveUsers.NO_SLOT ? fromStore(id) : null;
        }
        if (!isOfEarlierSession(heartbeat)) {
            shards.recordActivity(heartbeat.shard(), at);
        }
        return apply(slot, fromStore, heartbeat, at, stamp, null);
    }

    private boolean isOfEarlierSession(Heartbeat heartbeat) {
        return heartbeat.shard() != null
                && heartbeat.session() != null
                && sessions.refuses(heartbeat.shard(), heartbeat.session(), heartbeat.connectionEnded());
    }

    /** A shard that holds connections was heard from. Returns whether that counts: it is of no earlier session (rule 14). */
    public boolean shardHeartbeat(ShardHeartbeat heartbeat, long stamp) {
        long at = clock.advance(stamp);
        extendDeadlines(log.record(at, ticksNeeded()));
        boolean counts = sessions.heard(heartbeat, at);
        if (counts) {
            shards.recordActivity(heartbeat.shard(), at);
        }
        return counts;
    }

    /**
     * A heartbeat that is taken before others that were written earlier, because something of its user is: the partition's
     * time must not run ahead of those.
     *
     * @param upTo it and those that were taken before it; null: it is not in the log, but came with a text
     */
    public Decision earlyHeartbeat(UserId id, Heartbeat heartbeat, long stamp, @Nullable TakenEarly upTo) {
        int slot = users.find(id);
        User fromStore = slot == LiveUsers.NO_SLOT ? fromStore(id) : null;
        return apply(slot, fromStore, heartbeat, clock.timeOf(stamp), stamp, upTo);
    }

    /** The place in the log of an {@link #earlyHeartbeat} of a user who did not appear offline: the partition lives. */
    public void earlyHeartbeatPassed(long stamp) {
        extendDeadlines(log.record(clock.advance(stamp), ticksNeeded()));
    }

    /**
     * A heartbeat that was misrouted: it says nothing of this partition at the time at which it was first written.
     *
     * @param early as for {@link #earlyHeartbeat}; null: it is taken in turn
     */
    public Decision misroutedHeartbeat(
            UserId id, Heartbeat heartbeat, long firstStamp, long stamp, @Nullable TakenEarly early) {
        int slot = users.find(id);
        User user = load(slot, id);
        boolean movesTime = early == null && !user.appearsOffline();
        long arrivedAt = movesTime ? clock.advance(stamp) : clock.timeOf(stamp);
        user.expire();
        Rejection rejection = user.misroutedHeartbeat(heartbeat, firstStamp, arrivedAt);
        user.takenEarly(early);
        return decide(user, slot, rejection);
    }

    private Decision apply(
            int slot, @Nullable User fromStore, Heartbeat heartbeat, long at, long stamp, @Nullable TakenEarly early) {
        if (fromStore == null && !users.anyEndedSessions() && users.renew(slot, heartbeat, at, stamp)) {
            return Decision.NOTHING;
        }
        User user = fromStore == null ? users.unpack(slot) : fromStore;
        user.expire();
        Rejection rejection = user.heartbeat(heartbeat, at, stamp);
        user.takenEarly(early);
        if (!user.appearsOffline() && !isOfEarlierSession(heartbeat)) {
            shards.recordActivity(heartbeat.shard(), at); // of which a live device may be the first to name it
        }
        return decide(user, slot, rejection);
    }

    public Decision status(UserId id, StatusText status, long stamp) {
        return change(id, stamp, user -> user.status(status, null, stamp));
    }

    /** A text and a heartbeat that were written as one record; the heartbeat is taken as an {@link #earlyHeartbeat}. */
    public Decision statusAndHeartbeat(UserId id, StatusText status, Heartbeat heartbeat, long stamp) {
        clock.reach(stamp);
        int slot = users.find(id);
        User user = load(slot, id);
        user.expire();
        return decide(user, slot, user.status(status, heartbeat, stamp));
    }

    public Decision misroutedStatus(UserId id, StatusText status, long firstStamp, long stamp) {
        return change(id, stamp, user -> user.misroutedStatus(status, firstStamp, stamp));
    }

    public Decision appearOffline(UserId id, boolean appearOffline, long stamp) {
        return change(id, stamp, user -> user.appearOffline(appearOffline, stamp));
    }

    public Decision misroutedAppearOffline(UserId id, boolean appearOffline, long firstStamp, long stamp) {
        return change(id, stamp, user -> user.misroutedAppearOffline(appearOffline, firstStamp, stamp));
    }

    /**
     * Looks at a user that only the store knows: after a long time of nothing to emit, it is forgotten (rule 11); and one
     * whose text expires within {@link LiveUsers#TEXT_HORIZON_MS} is in memory from now on.
     */
    public Decision review(UserId id) {
        return change(id, now(), user -> {});
    }

    /** Ends what has come to its end, then changes the user; {@code stamp}: a time that the broker's clock has reached. */
    private Decision change(UserId id, long stamp, Consumer<User> change) {
        clock.reach(stamp);
        int slot = users.find(id);
        User user = load(slot, id);
        user.expire();
        change.accept(user);
        return decide(user, slot, null);
    }

    public boolean appearsOffline(UserId id) {
        return load(users.find(id), id).appearsOffline();
    }

    // ---- time ----

    /** A clock tick was read. What is due then ends with {@link #sweep}. */
    public void tick(long stamp) {
        extendDeadlines(log.tick(clock.tick(stamp), ticksNeeded()));
        sessions.tick();
    }

    /**
     * Ends what is due. Looks at a bounded number of users, and passes on what follows in the order of the instants, so that the
     * order does not tell what a hidden user's devices did (rule 9).
     *
     * @return whether everything that is due has been looked at; if not, the next call goes on. Meanwhile no input goes
     *     wrong: a user who is due expires first when something comes in.
     */
    public boolean sweep(BiConsumer<UserId, Decision> decisions) {
        List<Expired> all = new ArrayList<>();
        boolean isFinished = users.pollExpired(rules.sweepBudget(), slot -> expire(slot, all));
        isFinished &= users.pollEndedSessions(rules.sweepBudget(), slot -> expire(slot, all));
        all.sort(Expired.IN_ORDER);
        all.forEach(one -> decisions.accept(one.user(), one.decision()));
        return isFinished;
    }

    private void expire(int slot, List<Expired> all) {
        User user = users.unpack(slot);
        user.expire();
        Decision decision = decide(user, slot, null);
        if (!decision.isNothing()) {
            all.add(new Expired(user.id(), decision));
        }
    }

    /** Whether time has to go on: there is something that can expire. */
    public boolean needsClockTicks() {
        return users.size() > 0 || sessions.size() > 0;
    }

    /** Whether somebody but hidden users does. */
    private boolean ticksNeeded() {
        return users.anyVisible() || sessions.anyHeard();
    }

    /** How many sessions hold devices. */
    public int openSessions() {
        return sessions.holding();
    }

    /** Passes on what has to be stored of the shards that have changed since the last call; null: nothing is left of one. */
    public void drainShards(BiConsumer<String, @Nullable StoredShard> write) {
        sessions.drainChanges(write);
    }

    /** What the broker's clock said in the last clock tick read; far in the past: none was. */
    public long now() {
        return clock.stampOf(clock.now());
    }

    /** How many users are in memory. */
    public int size() {
        return users.size();
    }

    /** How many devices those have who are in memory. */
    public int devices() {
        return users.devices();
    }

    /** How many shards are silent (rule 13). */
    public int silentShards() {
        return shards.silent(clock.now());
    }

    /** How many entries of any kind are in memory, for tests of what grows. */
    int entries() {
        return users.entries() + shards.size() + sessions.entries();
    }

    /** How far the sweep is behind, in ms: what was due then has not been looked at yet. */
    public long sweepBehindMs() {
        return users.behindMs();
    }

    /** Returns whether all users in memory have been changed, so that slots may be others' now. */
    private boolean extendDeadlines(@Nullable Finding finding) {
        if (finding == null) {
            return false;
        }
        if (finding instanceof Finding.TakeOver) {
            clock.takenOver();
        }
        sessions.extendDeadlines(finding);
        users.extendDeadlines(finding);
        return true;
    }

    // ---- users ----

    /** Those in memory of whom the local store does not have the newest. */
    public UnstoredUsers unstored() {
        return users;
    }

    private User load(int slot, UserId id) {
        return slot == LiveUsers.NO_SLOT ? fromStore(id) : users.unpack(slot);
    }

    private User fromStore(UserId id) {
        UserSnapshot snapshot = store.find(id);
        return new User(id, snapshot == null ? UserSnapshot.EMPTY : snapshot, scope);
    }

    private Decision decide(User user, int slot, @Nullable Rejection rejection) {
        Decision decision = user.takeDecision(rejection);
        StoreWrite.Put put = decision.write() instanceof StoreWrite.Put one ? one : null;
        boolean wasUnstored = slot != LiveUsers.NO_SLOT && users.isUnstored(slot);
        UserSnapshot snapshot = put == null ? user.snapshot() : put.snapshot();
        boolean isKept = users.keep(user, snapshot, slot, put != null);
        // Whoever leaves with something that the local store lacks is stored once more; it comes with a decision nearly
        // always.
        return isKept || !wasUnstored || !(decision.write() instanceof StoreWrite.None)
                ? decision
                : decision.with(new StoreWrite.Put(snapshot));
    }
}
