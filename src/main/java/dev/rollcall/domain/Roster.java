package dev.rollcall.domain;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The roll of one partition: its clock, and in memory the users with something that can expire, with exact deadlines.
 * Everything comes in here, and leaves as {@link Decision}s. Not thread-safe. All times in ms since the epoch.
 *
 * <p>The clock is the partition's own log: now is the time of the last pulse that was read. Between pulses time stands
 * still, so a backlog, a pause or a dead broker cannot make a live device look silent.
 */
public final class Roster {
    /** The time before the first pulse: nothing has expired yet. */
    private static final long UNKNOWN = Long.MIN_VALUE;

    /** A shard that has not been heard from for longer than any lease and hold can last is of no use any more. */
    private static final long SHARD_MEMORY_MS = 2 * 86_400_000L;

    private final PresenceRules rules;
    private final UserArchive archive;
    private final Shards shards;
    private final Map<UserId, User> users = new HashMap<>();
    private final Deadlines deadlines = new Deadlines();
    private long now = UNKNOWN;

    /** The last record on the partition that does not come from a hidden user. */
    private long lastHeard = UNKNOWN;

    /** Starts with what is stored; the partition's first record then sets the deadlines (see {@link #hear}). */
    public Roster(PresenceRules rules, UserArchive archive) {
        this.rules = rules;
        this.archive = archive;
        this.shards = new Shards(rules);
    }

    /** Takes over a stored user, before the first record. */
    public void takeOver(UserId id, UserFacts facts) {
        if (facts.canExpire()) {
            keep(User.of(id, facts, rules));
        }
    }

    public Decision heartbeat(UserId id, Heartbeat heartbeat, long at) {
        User user = find(id);
        if (!user.isHidden()) {
            // What a hidden user's devices do must not show, not even in how long the others are held (rule 9).
            hear(at);
            shards.heard(heartbeat.shard(), at);
        }
        return take(user, heartbeat, at);
    }

    /** A heartbeat that was first written elsewhere, then: that says nothing of this partition at that time. */
    public Decision heartbeatFromElsewhere(UserId id, Heartbeat heartbeat, long at) {
        return take(find(id), heartbeat, at);
    }

    private Decision take(User user, Heartbeat heartbeat, long at) {
        user.settle(now, shards);
        return conclude(user, user.heartbeat(heartbeat, at, now, shards));
    }

    public Decision status(UserId id, StatusText status, long at) {
        User user = find(id);
        user.settle(now, shards);
        user.status(status, at, now);
        return conclude(user, null);
    }

    public Decision appearOffline(UserId id, boolean on, long at) {
        User user = find(id);
        user.settle(now, shards);
        user.appearOffline(on, at);
        return conclude(user, null);
    }

    /**
     * A pulse was read: its time is the new now, and what is due ends. Looks at a bounded number of users, and says what
     * follows in the order of the instants, so that the order does not tell what a hidden user's devices did (rule 9).
     */
    public void pulse(long at, BiConsumer<UserId, Decision> decisions) {
        hear(at);
        now = Math.max(now, at);
        shards.forgetBefore(now - SHARD_MEMORY_MS);
        List<Ended> ended = new ArrayList<>();
        deadlines.handOut(now, rules.sweepBudget(), user -> {
            user.settle(now, shards);
            Decision decision = conclude(user, null);
            if (!decision.isNothing()) {
                ended.add(new Ended(user.id, decision));
            }
        });
        ended.sort(Ended.IN_ORDER);
        ended.forEach(one -> decisions.accept(one.user(), one.decision()));
    }

    /** Looks at a user that only the archive knows: after a long time of nothing to say, it is forgotten (rule 11). */
    public Decision review(UserId id) {
        User user = find(id);
        user.settle(now, shards);
        return conclude(user, null);
    }

    /** Whether time has to go on: there is something that can expire. */
    public boolean needsPulse() {
        return !users.isEmpty();
    }

    /** The time of the last pulse read; {@link Long#MIN_VALUE}: none yet. */
    public long now() {
        return now;
    }

    /** How many users are in memory. */
    public int size() {
        return users.size();
    }

    /** How far the sweep is behind, in ms: what was due then has not been looked at yet. */
    public long sweepBehindMs() {
        return now == UNKNOWN ? 0 : deadlines.behindMs(now);
    }

    /**
     * Something was written to the partition at that time, so it could be written to. If nothing could be for a while,
     * then no device is to blame for its silence:
     *
     * <ul>
     *   <li>After a take-over, every heartbeat since the last commit is yet to be read, so a device was last heard no
     *       later than the first record read: its lease counts from there.
     *   <li>After a gap in which not even a pulse was written, a device gets as long as the gap lasted, at most a lease,
     *       to be heard from again.
     * </ul>
     */
    private void hear(long at) {
        if (lastHeard == UNKNOWN) {
            lastHeard = at;
            users.values().forEach(user -> takenOver(user, at));
        } else if (at > lastHeard) {
            long silentSince = lastHeard;
            lastHeard = at;
            if (at - silentSince >= rules.logQuietMs()) {
                users.values().forEach(user -> excuse(user, silentSince, at));
            }
        }
    }

    private void takenOver(User user, long at) {
        for (Device device : user.devices()) {
            if (!user.isHidden()) {
                shards.heard(device.shard(), at);
            }
            if (!device.connectionEnded()) {
                device.deferTo(at + device.leaseMs());
            }
        }
    }

    private void excuse(User user, long from, long to) {
        for (Device device : user.devices()) {
            if (device.heldUntil() <= from) {
                shards.hold(device, from); // no pulse has looked since its deadline
            }
            boolean liveThen = device.lastRecord() <= from && device.heldUntil() > from;
            if (liveThen) {
                long patience = device.connectionEnded() ? rules.graceMs() : device.leaseMs();
                device.deferTo(to + Math.min(to - from, patience));
            }
        }
    }

    private User find(UserId id) {
        User user = users.get(id);
        if (user == null) {
            UserFacts facts = archive.find(id);
            user = facts == null ? new User(id, rules) : User.of(id, facts, rules);
        }
        return user;
    }

    private Decision conclude(User user, @Nullable Refusal refusal) {
        keep(user);
        return user.conclude(refusal);
    }

    /** Keeps a user in memory for as long as there is something that can expire. */
    private void keep(User user) {
        long next = user.nextDeadline();
        if (next == Long.MAX_VALUE) {
            deadlines.disarm(user);
            users.remove(user.id);
        } else if (deadlines.arm(user, next)) {
            users.put(user.id, user);
        }
    }

    private record Ended(UserId user, Decision decision) {
        private static final Comparator<Ended> IN_ORDER =
                Comparator.comparingLong(Ended::at).thenComparing(Ended::user);

        private long at() {
            return decision.announcements().isEmpty()
                    ? Long.MIN_VALUE
                    : decision.announcements().get(0).at();
        }
    }
}
