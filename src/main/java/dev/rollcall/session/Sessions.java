package dev.rollcall.session;

import dev.rollcall.session.Session.State;
import dev.rollcall.session.StoredShard.StoredSession;
import dev.rollcall.time.LogActivity.Finding;
import dev.rollcall.time.PartitionClock;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The shards' sessions on one partition (rule 14). A device that a session holds asks here how long it lives, so that it costs
 * nothing by itself; whoever keeps the devices ends those of the sessions in {@link #takeOver}. Times in ms, of the partition's
 * clock. Not thread-safe.
 */
public final class Sessions {
    /** For how long a shard without a device is remembered, so that its earlier sessions are told from the later ones. */
    private static final long REMEMBERED_MS = 3_600_000;

    /** How many shards are, if they have no devices: whoever makes up names must not fill the memory. */
    private static final int REMEMBERED_SHARDS = 10_000;

    /** How many shards a clock tick looks at, to forget them. */
    private static final int FORGET_AT_ONCE = 64;

    private final SessionRules rules;
    private final PartitionClock clock;
    private final Map<String, Shard> shards = new HashMap<>();

    /** Those that were heard, the longest ago first. */
    private final Set<Shard> heard = new LinkedHashSet<>();

    private final List<@Nullable Session> byNumber = new ArrayList<>();
    private final Deque<Integer> freeNumbers = new ArrayDeque<>();
    private final Checks checks = new Checks();
    private Set<Session> over = new LinkedHashSet<>();
    private final Set<Shard> changed = new LinkedHashSet<>();

    public Sessions(SessionRules rules, PartitionClock clock) {
        this.rules = rules;
        this.clock = clock;
    }

    // ---- what shards and devices say ----

    /**
     * A shard was heard from.
     *
     * @return whether it counts: it is not an earlier session than the latest that was heard
     */
    public boolean heard(ShardHeartbeat beat, long at) {
        Shard shard = shards.computeIfAbsent(beat.shard(), Shard::new);
        Session latest = shard.latest();
        boolean isAnother = latest != null && !latest.id().session().equals(beat.session());
        Session session = shard.newest(beat.session());
        boolean isEarlier = latest != null && isAnother && beat.startedAt() <= latest.startedAt();
        if (isEarlier || (session != null && session.state() == State.SUPERSEDED)) {
            end(shard, session == null ? create(shard, beat.session(), 0) : session, State.SUPERSEDED, at);
            tidy(shard);
            return false;
        }
        heardAt(shard, at);
        if (latest != null && isAnother) {
            shard.lives(latest.id().session()).forEach(life -> end(shard, life, State.SUPERSEDED, at));
        }
        if (session == null || (isOver(session) && session.state() != State.ENDED)) {
            session = create(
                    shard, beat.session(), session == null ? 0 : session.id().life() + 1);
        }
        if (session.state() != State.ENDED) {
            shard.setLatest(session);
            shard.lives(beat.session()).forEach(life -> heard(shard, life, beat, at));
        }
        tidy(shard);
        return true;
    }

    private void heard(Shard shard, Session life, ShardHeartbeat beat, long at) {
        if (isOver(life)) {
            return;
        }
        shard.remember(life);
        if (life.hear(beat, at, clock.now(), rules)) {
            changed.add(shard);
        }
        if (beat.ended()) {
            end(shard, life, State.ENDED, at);
        }
        schedule(life);
    }

    /** Whether a heartbeat of that session counts for nothing: a later one was heard, or it has said that it ended. */
    public boolean refuses(String shard, String session, boolean connectionEnded) {
        Session known = newest(shard, session);
        return known != null
                && (known.state() == State.SUPERSEDED || (known.state() == State.ENDED && !connectionEnded));
    }

    /** How long a device lives that was opened in that session: without end if that is alive then, since it decides. */
    public long leaseMs(String shard, String session, long at) {
        Session known = newest(shard, session);
        return known != null && known.isHeard() && !hasEnded(known, at) ? Long.MAX_VALUE / 2 : rules.leaseMs();
    }

    /**
     * The session that holds what is opened in it then. If it is silent, that waits in another life of it for the session to
     * be heard again, and does not end with what the session holds.
     */
    public Session open(String shardName, String name, long at) {
        Shard shard = shards.computeIfAbsent(shardName, Shard::new);
        Session newest = shard.newest(name);
        if (newest == null || (newest.isHeard() && hasEnded(newest, at))) {
            return create(shard, name, newest == null ? 0 : newest.id().life() + 1);
        }
        return newest;
    }

    /** Before the take-over, what is stored of an end that is yet to come may be old: the session has one lease more. */
    private boolean hasEnded(Session session, long at) {
        return session.endsAt() <= at && (clock.isTakenOver() || !session.isAlive());
    }

    /** One that a device was in when it was last stored or packed. */
    public Session get(SessionId id) {
        Shard shard = shards.computeIfAbsent(id.shard(), Shard::new);
        Session known = shard.find(id);
        return known == null ? create(shard, id.session(), id.life()) : known;
    }

    /** See {@link Session#number}. */
    public Session get(int number) {
        Session session = byNumber.get(number);
        if (session == null) {
            throw new IllegalStateException("there is no session " + number);
        }
        return session;
    }

    /** A session holds one device less. */
    public void remove(Session session) {
        session.remove();
        if (session.devices() == 0) {
            Shard shard = shards.get(session.id().shard());
            if (shard != null) {
                shard.empty(session);
                tidy(shard);
            }
        }
    }

    // ---- time ----

    /** A clock tick was read. */
    public void tick() {
        checks.poll(clock.now(), this::check);
        for (int left = FORGET_AT_ONCE; left > 0 && !heard.isEmpty(); left--) {
            Shard eldest = heard.iterator().next();
            Session latest = eldest.latest();
            if (eldest.lastHeard() + REMEMBERED_MS > clock.now()) {
                break;
            } else if (latest != null && !isOver(latest)) {
                heard.remove(eldest);
                heard.add(eldest); // whether there are devices in it must not show (rule 9)
            } else {
                forget(eldest);
            }
        }
    }

    private void check(Session session) {
        if (session.state() == State.ALIVE && session.endsAt() <= clock.now()) {
            session.silent();
            changed.add(shards.get(session.id().shard()));
        }
        if (!isOver(session)) {
            schedule(session);
        } else if (session.devices() > 0) {
            over.add(session);
        }
    }

    /** Time in which nobody could be heard from does not count. */
    public void extendDeadlines(Finding finding) {
        if (finding instanceof Finding.TakeOver takeOver) {
            heard.forEach(shard -> shard.heardAt(takeOver.at())); // when they were last heard is not stored each time
        }
        for (Session session : byNumber) {
            if (session == null || !session.isHeard()) {
                continue;
            }
            if (finding instanceof Finding.TakeOver takeOver) {
                session.takenOver(takeOver.at(), rules);
            } else if (finding instanceof Finding.Gap gap) {
                session.extendTo(gap.from(), gap.to(), gap.to() - gap.from(), rules);
            }
        }
    }

    /** Whether its devices have ended, as the last clock tick shows. */
    public boolean isOver(Session session) {
        return session.isHeard() && session.heldUntil() <= clock.now();
    }

    public boolean hasOver() {
        return !over.isEmpty();
    }

    /** Those that have become over since the last call, and had devices then. */
    public Set<Session> takeOver() {
        Set<Session> taken = over;
        over = new LinkedHashSet<>();
        return taken;
    }

    // ---- the store ----

    /** Takes what was stored of a shard, before any device and any record. */
    public void restore(String name, StoredShard stored) {
        Shard shard = shards.computeIfAbsent(name, Shard::new);
        clock.startAt(stored.lastHeard(), stored.clockAheadMs());
        shard.heardAt(stored.lastHeard());
        heard.add(shard); // none is forgotten for it: their devices are yet to come
        List<StoredSession> eldestFirst = new ArrayList<>(stored.sessions());
        Collections.reverse(eldestFirst);
        for (StoredSession one : eldestFirst) {
            Session session = new Session(freeNumber(), new SessionId(name, one.session(), one.life()), one);
            byNumber.set(session.number(), session);
            shard.add(session);
            shard.remember(session);
            shard.setLatest(session);
            schedule(session);
        }
    }

    /** Passes on what has to be stored of the shards that have changed since the last call; null: nothing is left of it. */
    public void drainChanges(BiConsumer<String, @Nullable StoredShard> write) {
        for (Shard shard : changed) {
            write.accept(shard.name(), shards.get(shard.name()) == shard ? shard.stored(clock.ahead()) : null);
        }
        changed.clear();
    }

    /** Whether a shard was heard that is not forgotten yet. */
    public boolean anyHeard() {
        return !heard.isEmpty();
    }

    /** How many sessions are in memory. */
    public int size() {
        return byNumber.size() - freeNumbers.size();
    }

    /** How many entries of any kind are in memory. */
    public int entries() {
        return size() + checks.size();
    }

    /** How many sessions have devices. */
    public int holding() {
        int holding = 0;
        for (Session session : byNumber) {
            holding += session != null && session.devices() > 0 ? 1 : 0;
        }
        return holding;
    }

    private @Nullable Session newest(String shardName, String name) {
        Shard shard = shards.get(shardName);
        return shard == null ? null : shard.newest(name);
    }

    private void heardAt(Shard shard, long at) {
        heard.remove(shard);
        heard.add(shard);
        shard.heardAt(at);
        if (heard.size() > REMEMBERED_SHARDS) {
            forget(heard.iterator().next());
        }
    }

    private void forget(Shard shard) {
        heard.remove(shard);
        if (shard.hasDevicesOfHeard()) {
            heard.add(shard);
            return;
        }
        shard.forgetHeard().forEach(this::drop);
        if (shard.isEmpty()) {
            shards.remove(shard.name());
        }
        changed.add(shard);
    }

    private void tidy(Shard shard) {
        for (Session session : shard.dropUnneeded()) {
            drop(session);
            if (session.isHeard()) {
                changed.add(shard);
            }
        }
        if (shard.isEmpty()) {
            shards.remove(shard.name());
        }
    }

    private void end(Shard shard, Session session, State how, long at) {
        shard.remember(session);
        if (session.state() != how) {
            session.end(how, at, clock.now(), rules);
            schedule(session);
            changed.add(shard);
        }
    }

    private void schedule(Session session) {
        long at = session.state() == State.ALIVE ? session.endsAt() : session.heldUntil();
        checks.schedule(session, at, size());
    }

    private Session create(Shard shard, String name, int life) {
        Session session = new Session(freeNumber(), new SessionId(shard.name(), name, life));
        byNumber.set(session.number(), session);
        shard.add(session);
        return session;
    }

    private int freeNumber() {
        Integer free = freeNumbers.poll();
        if (free == null) {
            byNumber.add(null);
            return byNumber.size() - 1;
        }
        return free;
    }

    private void drop(Session session) {
        session.checkAt(Long.MAX_VALUE);
        byNumber.set(session.number(), null);
        freeNumbers.add(session.number());
    }
}
