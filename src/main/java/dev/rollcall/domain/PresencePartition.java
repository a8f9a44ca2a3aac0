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
 * <p>The clock is the partition's own log: now is the time of the last clock tick that was read. Between clock ticks time stands
 * still, so a backlog, a pause or a dead broker cannot make a live device look silent.
 */
public final class PresencePartition {
    /**
     * A user without a device is in memory from this long before their text expires, in ms: twice as long as the walk through
     * the store takes that finds them.
     */
    public static final long TEXT_HORIZON_MS = 2 * 86_400_000L;

    private final PresenceRules rules;
    private final StoredUsers archive;
    private final Shards shards;
    private final UserTable users = new UserTable();
    private final PartitionClock clock = new PartitionClock();
    private final Deadlines deadlines = new Deadlines(users, clock);

    /** The time of the last record on the partition that does not come from a hidden user. */
    private long lastHeard = PartitionClock.UNKNOWN;

    /** The last gap since then for which devices were excused, in ms; 0: there was none. */
    private long excusedMs;

    /** How many of the users in memory are not hidden. */
    private int visibleUsers;

    /** When a processor was last known to write clock ticks, or not to need any. */
    private long lastTick = PartitionClock.UNKNOWN;

    /** Starts with what is stored; the partition's first record then sets the deadlines (see {@link #hear}). */
    public PresencePartition(PresenceRules rules, StoredUsers archive) {
        this.rules = rules;
        this.archive = archive;
        this.shards = new Shards(rules);
    }

    /** Takes over a stored user, before the first record. */
    public void takeOver(UserId id, UserSnapshot snapshot) {
        if (!snapshot.canExpire()) {
            return;
        }
        User user = User.of(id, snapshot, rules);
        user.restored(clock, snapshot.clockAheadMs(), shards);
        keep(user);
    }

    /** Says who comes next, so that the CPU waits for the memory of all of them at once. Changes nothing. */
    public void expect(List<@Nullable UserId> ids) {
        users.touch(ids);
    }

    /** A heartbeat, with the broker's stamp in ms since the epoch. */
    public Decision heartbeat(UserId id, Heartbeat heartbeat, long stamp) {
        int slot = users.find(id);
        User unpacked = slot == UserTable.NO_SLOT ? fromArchive(id) : null;
        if (isHidden(slot, unpacked)) {
            // What a hidden user's devices do must not show, not even in how long the others are held (rule 9).
            return take(slot, unpacked, heartbeat, clock.timeOf(stamp), stamp);
        }
        long at = clock.advance(stamp);
        if (hear(at)) {
            slot = users.find(id);
            unpacked = slot == UserTable.NO_SLOT ? fromArchive(id) : null;
        }
        shards.heard(heartbeat.shard(), at);
        return take(slot, unpacked, heartbeat, at, stamp);
    }

    /**
     * A heartbeat that is taken before others that were written earlier, because something of its user is: the partition's
     * time must not run ahead of those.
     */
    public Decision earlyHeartbeat(UserId id, Heartbeat heartbeat, long stamp) {
        int slot = users.find(id);
        return take(slot, slot == UserTable.NO_SLOT ? fromArchive(id) : null, heartbeat, clock.timeOf(stamp), stamp);
    }

    /** A heartbeat that was misrouted: it says nothing of this partition at the time at which it was first written. */
    public Decision misroutedHeartbeat(UserId id, Heartbeat heartbeat, long firstStamp, long stamp) {
        User user = find(id);
        long arrivedAt = user.hidden ? clock.timeOf(stamp) : clock.advance(stamp);
        user.settle(clock, shards);
        return conclude(user, user.misroutedHeartbeat(heartbeat, firstStamp, arrivedAt, clock, shards));
    }

    /** Takes the heartbeat of the user in the slot, or of the one from the archive. */
    private Decision take(int slot, @Nullable User unpacked, Heartbeat heartbeat, long at, long stamp) {
        if (unpacked == null && PackedUser.renew(users.packed(slot), heartbeat, at, stamp, clock, rules)) {
            return Decision.NOTHING;
        }
        User user = unpacked == null ? unpack(slot) : unpacked;
        user.settle(clock, shards);
        Refusal refusal = user.heartbeat(heartbeat, at, stamp, clock, shards);
        if (!user.hidden) {
            shards.heard(heartbeat.shard(), at); // of which a live device may be the first to name it
        }
        return conclude(user, refusal);
    }

    /** A text, with the broker's stamp in ms since the epoch. */
    public Decision status(UserId id, StatusText status, long stamp) {
        User user = settled(id, stamp);
        user.status(status, stamp, stamp, clock);
        return conclude(user, null);
    }

    /** A text that was misrouted: one that was first written before the one that holds changes nothing (rule 7). */
    public Decision misroutedStatus(UserId id, StatusText status, long firstStamp, long stamp) {
        User user = settled(id, stamp);
        if (firstStamp >= user.statusAt) {
            user.status(status, firstStamp, stamp, clock);
        }
        return conclude(user, null);
    }

    /** The appear-offline flag, with the broker's stamp in ms since the epoch. */
    public Decision appearOffline(UserId id, boolean on, long stamp) {
        User user = settled(id, stamp);
        user.appearOffline(on, stamp, stamp, clock);
        return conclude(user, null);
    }

    /** A flag that was misrouted: one that was first written before the one that holds changes nothing (rule 7). */
    public Decision misroutedAppearOffline(UserId id, boolean on, long firstStamp, long stamp) {
        User user = settled(id, stamp);
        if (firstStamp >= user.appearOfflineAt) {
            user.appearOffline(on, firstStamp, stamp, clock);
        }
        return conclude(user, null);
    }

    /** A clock tick was read, with the broker's stamp in ms. What is due then ends with {@link #sweep}. */
    public void tick(long stamp) {
        long at = clock.tick(stamp);
        hear(at);
        lastTick = at;
        excusedMs = 0;
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
        boolean finished = deadlines.handOut(rules.sweepBudget(), slot -> {
            User user = unpack(slot);
            user.bucket = Deadlines.NONE;
            user.settle(clock, shards);
            Decision decision = conclude(user, null);
            if (!decision.isNothing()) {
                ended.add(new Ended(user.id, decision));
            }
        });
        ended.sort(Ended.IN_ORDER);
        ended.forEach(one -> decisions.accept(one.user(), one.decision()));
        return finished;
    }

    /**
     * Looks at a user that only the archive knows: after a long time of nothing to say, it is forgotten (rule 11); and one
     * whose text expires within {@link #TEXT_HORIZON_MS} is in memory from now on.
     */
    public Decision review(UserId id) {
        return conclude(settled(id, now()), null);
    }

    /** Whether time has to go on: there is something that can expire. */
    public boolean needsClockTicks() {
        return users.size() > 0;
    }

    /** What the broker's clock says, by the last clock tick read, in ms since the epoch; far in the past: none was. */
    public long now() {
        return clock.stampOf(clock.now());
    }

    /** How many users are in memory. */
    public int size() {
        return users.size();
    }

    /** How many entries of any kind are in memory, for tests of what grows. */
    int entries() {
        return users.size() + deadlines.entries() + shards.size();
    }

    /** How far the sweep is behind, in ms: what was due then has not been looked at yet. */
    public long sweepBehindMs() {
        return clock.now() == PartitionClock.UNKNOWN ? 0 : deadlines.behindMs(clock.now());
    }

    /**
     * Something was written to the partition at that time, so it could be written to. If nothing could be for a while,
     * then no device is to blame for its silence:
     *
     * <ul>
     *   <li>After a take-over, every heartbeat since the last commit is yet to be read, so a device was last heard no
     *       later than the first record read: its lease counts from there.
     *   <li>After a gap in which not even a clock tick was written, a device gets as long as the gap lasted, at most a
     *       lease, to be heard from again. Only a gap behind a tick, or behind the record where a processor took over, tells
     *       that: where nobody writes ticks, a few devices may well have nothing to say for a while. So one absence of the
     *       processors moves a deadline once, however many gaps there are in it.
     * </ul>
     *
     * @return whether all users in memory have been looked at, so that slots may have changed
     */
    private boolean hear(long at) {
        long silentSince = lastHeard;
        lastHeard = Math.max(lastHeard, at);
        if (silentSince == PartitionClock.UNKNOWN) {
            lastTick = at;
            deadlines.clear(); // what was armed before any time was known is filed too finely
            changeAll(user -> takenOver(user, at));
            return true;
        }
        if (visibleUsers == 0) {
            lastTick = at; // nobody else has needed ticks until now
        }
        long gap = at - silentSince;
        boolean ticksWereWritten = silentSince - lastTick < rules.logGapMs();
        boolean isMuchLonger = excusedMs > 0 && gap >= 2 * excusedMs; // it was away again before a tick got in
        if (gap >= rules.logGapMs() && (ticksWereWritten || isMuchLonger)) {
            excusedMs = gap;
            changeAll(user -> excuse(user, silentSince, at));
            return true;
        }
        return false;
    }

    private void takenOver(User user, long at) {
        user.bucket = Deadlines.NONE;
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
                shards.hold(device, from); // no clock tick has looked since its deadline
            }
            boolean liveThen = device.lastRecord() <= from && device.heldUntil() > from;
            if (liveThen) {
                long patience = device.connectionEnded() ? rules.graceMs() : device.leaseMs();
                device.deferTo(to + Math.min(to - from, patience));
            }
        }
    }

    private boolean isHidden(int slot, @Nullable User unpacked) {
        return unpacked == null ? PackedUser.isHidden(users.packed(slot)) : unpacked.hidden;
    }

    /** The user, with all ended that has come to its end; {@code stamp} is a time that the broker's clock has reached. */
    private User settled(UserId id, long stamp) {
        clock.reach(stamp);
        User user = find(id);
        user.settle(clock, shards);
        return user;
    }

    private User find(UserId id) {
        int slot = users.find(id);
        return slot == UserTable.NO_SLOT ? fromArchive(id) : unpack(slot);
    }

    private User fromArchive(UserId id) {
        UserSnapshot snapshot = archive.find(id);
        return snapshot == null ? new User(id, rules) : User.of(id, snapshot, rules);
    }

    private User unpack(int slot) {
        User user = PackedUser.unpack(users.packed(slot), rules);
        user.slot = slot;
        return user;
    }

    private Decision conclude(User user, @Nullable Refusal refusal) {
        Decision decision = user.conclude(refusal, clock);
        keep(user);
        return decision;
    }

    /** Keeps a user in memory for as long as there is something that can expire before long. */
    private void keep(User user) {
        if (user.slot != UserTable.NO_SLOT && !PackedUser.isHidden(users.packed(user.slot))) {
            visibleUsers--;
        }
        long next = user.nextDeadline(clock);
        boolean isTextNear = clock.reached() == PartitionClock.UNKNOWN || next - clock.reached() < TEXT_HORIZON_MS;
        if (!user.devices().isEmpty() || (next != Long.MAX_VALUE && isTextNear)) {
            if (user.slot == UserTable.NO_SLOT) {
                user.slot = users.add(user.id);
            }
            deadlines.arm(user, next);
            users.set(user.slot, PackedUser.pack(user));
            visibleUsers += user.hidden ? 0 : 1;
        } else if (user.slot != UserTable.NO_SLOT) {
            users.remove(user.slot, user.id);
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
            return decision.updates().isEmpty()
                    ? Long.MIN_VALUE
                    : decision.updates().get(0).at();
        }
    }
}
