package dev.rollcall.partition;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceRules;
import dev.rollcall.domain.UserId;
import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.domain.user.PartitionScope;
import dev.rollcall.domain.user.User;
import dev.rollcall.session.Sessions;
import dev.rollcall.time.LogActivity.Finding;
import dev.rollcall.time.PartitionClock;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The users with something that can expire: in memory, packed, each in a slot, with when they come up next. What was decided
 * of one while in here is in the changelog at once, but not in the local store: this is the newest there is of them.
 */
final class LiveUsers implements UnstoredUsers {
    static final int NO_SLOT = UserTable.NO_SLOT;

    private final PartitionScope scope;
    private final PresenceRules rules;
    private final PartitionClock clock;
    private final Sessions sessions;
    private final UserTable table = new UserTable();
    private final Deadlines deadlines;

    /** How many do not appear offline. */
    private int visible;

    LiveUsers(PartitionScope scope) {
        this.scope = scope;
        rules = scope.rules();
        clock = scope.clock();
        sessions = scope.sessions();
        deadlines = new Deadlines(table, clock);
    }

    UserTable table() {
        return table;
    }

    int size() {
        return table.size();
    }

    boolean anyVisible() {
        return visible > 0;
    }

    /** The slot of a user, or {@link #NO_SLOT}; good until the next {@link #keep}. */
    int find(UserId id) {
        return table.find(id);
    }

    /** Fetches the memory of all these users at once, so that the CPU's waits overlap. Changes nothing. */
    void prefetch(List<@Nullable UserId> ids) {
        table.prefetch(ids);
    }

    boolean appearsOffline(int slot) {
        return PackedUser.appearsOffline(table.packed(slot));
    }

    /** See {@link Renewal#apply}. */
    boolean renew(int slot, Heartbeat heartbeat, long at, long stamp) {
        return Renewal.apply(table.packed(slot), heartbeat, at, stamp, clock, rules);
    }

    User unpack(int slot) {
        byte[] packed = table.packed(slot);
        return new User(PackedUser.id(packed), UserCodec.unpack(packed, sessions), scope);
    }

    /**
     * Puts the user back, or in, or out.
     *
     * @param slot where the user is, or {@link #NO_SLOT}
     * @param isUnstored whether the snapshot says more than the local store does, unless it did so before
     * @return whether the user is in here
     */
    boolean keep(User user, UserSnapshot snapshot, int slot, boolean isUnstored) {
        return keep(user, snapshot, slot, bucket(slot), isUnstored);
    }

    private boolean keep(User user, UserSnapshot snapshot, int slot, long bucket, boolean isUnstored) {
        boolean wasKept = slot != NO_SLOT;
        boolean wasUnstored = wasKept && isUnstored(slot);
        if (wasKept && !appearsOffline(slot)) {
            visible--;
        }
        if (!isToBeKept(user, snapshot)) {
            if (wasKept) {
                table.remove(slot, user.id());
            }
            return false;
        }
        int kept = wasKept ? slot : table.add(user.id());
        long scheduled = deadlines.schedule(kept, bucket, user.nextDeadline());
        table.set(kept, UserCodec.pack(user.id(), snapshot, scheduled, wasUnstored || isUnstored, sessions));
        visible += user.appearsOffline() ? 0 : 1;
        return true;
    }

    private boolean isToBeKept(User user, UserSnapshot snapshot) {
        long next = user.nextDeadline();
        boolean isTextNear =
                clock.reached() == PartitionClock.UNKNOWN || next - clock.reached() < PresencePartition.TEXT_HORIZON_MS;
        return !snapshot.devices().isEmpty() || (next != Long.MAX_VALUE && isTextNear);
    }

    private long bucket(int slot) {
        return slot == NO_SLOT ? Deadlines.NONE : PackedUser.bucket(table.packed(slot));
    }

    // ---- time ----

    /**
     * Passes on users for whom something has come to its end.
     *
     * @param limit how many at most
     * @return whether that was enough; if not, the next call goes on
     */
    boolean pollExpired(int limit, IntConsumer onExpiry) {
        return deadlines.poll(limit, slot -> {
            PackedUser.setBucket(table.packed(slot), Deadlines.NONE);
            onExpiry.accept(slot);
        });
    }

    /** Extends the deadlines of all devices that could not be heard from. Slots may be others' then. */
    void extendDeadlines(Finding finding) {
        boolean isTakeOver = finding instanceof Finding.TakeOver;
        if (isTakeOver) {
            deadlines.clear(); // what was scheduled before any time was known is filed too finely
        }
        table.forEachSlot(slot -> {
            if (PackedUser.nextDeadline(table.packed(slot), clock) == Long.MAX_VALUE) {
                if (isTakeOver) {
                    PackedUser.setBucket(table.packed(slot), Deadlines.NONE); // it may have been opened just before
                }
                return; // all of its devices are held by sessions
            }
            User user = unpack(slot);
            user.extendDeadlines(finding);
            keep(user, user.snapshot(), slot, isTakeOver ? Deadlines.NONE : bucket(slot), false);
        });
    }

    long behindMs() {
        return clock.now() == PartitionClock.UNKNOWN ? 0 : deadlines.behindMs(clock.now());
    }

    /** How many entries of any kind are in memory. */
    int entries() {
        return table.size() + deadlines.entries();
    }

    // ---- what the local store lacks ----

    boolean isUnstored(int slot) {
        return PackedUser.isUnstored(table.packed(slot));
    }

    @Override
    public boolean contains(UserId id) {
        int slot = table.find(id);
        return slot != NO_SLOT && isUnstored(slot);
    }

    @Override
    public UserSnapshot get(UserId id) {
        return unpack(table.find(id)).snapshot();
    }

    @Override
    public void stored() {
        table.forEachSlot(slot -> PackedUser.setStored(table.packed(slot)));
    }

    @Override
    public void forEach(BiConsumer<UserId, UserSnapshot> consumer) {
        table.forEachSlot(slot -> {
            if (isUnstored(slot)) {
                User user = unpack(slot);
                consumer.accept(user.id(), user.snapshot());
            }
        });
    }
}
