package dev.rollcall.domain;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
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
    private final UserTable users = new UserTable();
    private final Deadlines deadlines = new Deadlines(users);
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

    /** Says who comes next, so that the CPU waits for the memory of all of them at once. Changes nothing. */
    public void expect(List<UserId> ids) {
        users.touch(ids);
    }

    public Decision heartbeat(UserId id, Heartbeat heartbeat, long at) {
        int slot = users.find(id.bytes());
        User unpacked = slot == UserTable.NO_SLOT ? fromArchive(id) : null;
        boolean hidden = unpacked == null ? PackedUser.isHidden(users.packed(slot)) : unpacked.hidden;
        if (!hidden) {
            // What a hidden user's devices do must not show, not even in how long the others are held (rule 9).
            hear(at);
            shards.heard(heartbeat.shard(), at);
        }
        return take(slot, unpacked, heartbeat, at);
    }

    /** A heartbeat that was first written elsewhere, then: that says nothing of this partition at that time. */
    public Decision heartbeatFromElsewhere(UserId id, Heartbeat heartbeat, long at) {
        int slot = users.find(id.bytes());
        return take(slot, slot == UserTable.NO_SLOT ? fromArchive(id) : null, heartbeat, at);
    }

    /** Takes the heartbeat of the user in the slot, or of the one from the archive. */
    private Decision take(int slot, @Nullable User unpacked, Heartbeat heartbeat, long at) {
        if (unpacked == null && PackedUser.renew(users.packed(slot), heartbeat, at, now, rules)) {
            return Decision.NOTHING;
        }
        User user = unpacked == null ? unpack(slot) : unpacked;
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

    /** A pulse was read: its time is the new now. What is due then ends with {@link #sweep}. */
    public void pulse(long at) {
        hear(at);
        now = Math.max(now, at);
        shards.forgetBefore(now - SHARD_MEMORY_MS);
    }

    /**
     * Ends what is due. Looks at a bounded number of users, and says what follows in the order of the instants, so that the
     * order does not tell what a hidden user's devices did (rule 9).
     *
     * @return whether everything that is due has been looked at; if not, the next call goes on. Meanwhile no input goes
     *     wrong: a user who is due is ended first when something comes in.
     */
    public boolean sweep(BiConsumer<UserId, Decision> decisions) {
        List<Ended> ended = new ArrayList<>();
        boolean finished = deadlines.handOut(now, rules.sweepBudget(), slot -> {
            User user = unpack(slot);
            user.bucket = Deadlines.NONE;
            user.settle(now, shards);
            Decision decision = conclude(user, null);
            if (!decision.isNothing()) {
                ended.add(new Ended(user.id, decision));
            }
        });
        ended.sort(Ended.IN_ORDER);
        ended.forEach(one -> decisions.accept(one.user(), one.decision()));
        return finished;
    }

    /** Looks at a user that only the archive knows: after a long time of nothing to say, it is forgotten (rule 11). */
    public Decision review(UserId id) {
        User user = find(id);
        user.settle(now, shards);
        return conclude(user, null);
    }

    /** Whether time has to go on: there is something that can expire. */
    public boolean needsPulse() {
        return users.size() > 0;
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
            changeAll(user -> takenOver(user, at));
        } else if (at > lastHeard) {
            long silentSince = lastHeard;
            lastHeard = at;
            if (at - silentSince >= rules.logQuietMs()) {
                changeAll(user -> excuse(user, silentSince, at));
            }
        }
    }

    private void takenOver(User user, long at) {
        for (Device device : user.devices()) {
            if (!user.hidden) {
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
        int slot = users.find(id.bytes());
        return slot == UserTable.NO_SLOT ? fromArchive(id) : unpack(slot);
    }

    private User fromArchive(UserId id) {
        UserFacts facts = archive.find(id);
        return facts == null ? new User(id, rules) : User.of(id, facts, rules);
    }

    private User unpack(int slot) {
        User user = PackedUser.unpack(users.packed(slot), rules);
        user.slot = slot;
        return user;
    }

    private Decision conclude(User user, @Nullable Refusal refusal) {
        Decision decision = user.conclude(refusal);
        keep(user);
        return decision;
    }

    /** Keeps a user in memory for as long as there is something that can expire. */
    private void keep(User user) {
        long next = user.nextDeadline();
        if (next != Long.MAX_VALUE) {
            if (user.slot == UserTable.NO_SLOT) {
                user.slot = users.add(user.id.bytes());
            }
            deadlines.arm(user, next);
            users.set(user.slot, PackedUser.pack(user));
        } else if (user.slot != UserTable.NO_SLOT) {
            users.remove(user.slot, user.id.bytes());
        }
    }

    private void changeAll(Consumer<User> change) {
        users.forEachSlot(slot -> {
            User user = unpack(slot);
            change.accept(user);
            keep(user);
        });
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
