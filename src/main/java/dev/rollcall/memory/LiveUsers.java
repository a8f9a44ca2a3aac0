package dev.rollcall.memory;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceRules;
import dev.rollcall.domain.UserId;
import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.domain.user.PartitionScope;
import dev.rollcall.domain.user.User;
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
public final class LiveUsers implements UnstoredUsers {
    public static final int NO_SLOT = UserTable.NO_SLOT;

    /**
     * A user without a device is in here from this long before their text expires, in ms: twice as long as the scan of the store
     * takes that finds them.
     */
    public static final long TEXT_HORIZON_MS = 2 * 86_400_000L;

    private final PartitionScope scope;
    private final PresenceRules rules;
    private final PartitionClock clock;
    private final UserCodec codec;
    private final UserTable table = new UserTable();
    private final Deadlines deadlines;
    private final SessionSweep ended;

    /** How many do not appear offline. */
    private int visible;

    /** Of all of them together. */
    private int devices;

    public LiveUsers(PartitionScope scope) {
        this.scope = scope;
        rules = scope.rules();
        clock = scope.clock();
        codec = new UserCodec(scope.sessions());
        deadlines = new Deadlines(table, clock);
        ended = new SessionSweep(table, scope.sessions());
    }

    public int size() {
        return table.size();
    }

    /** How many devices they have. */
    public int devices() {
        return devices;
    }

    public boolean anyVisible() {
        return visible > 0;
    }

    /** The slot of a user, or {@link #NO_SLOT}; good until the next {@link #keep}. */
    public int find(UserId id) {
        return table.find(id);
    }

    /** Fetches the memory of all these users at once, so that the CPU's waits overlap. Changes nothing. */
    public void prefetch(List<@Nullable UserId> ids) {
        table.prefetch(ids);
    }

    public boolean appearsOffline(int slot) {
        return table.at(slot).appearsOffline();
    }

    /** See {@link Renewal#apply}. */
    public boolean renew(int slot, Heartbeat heartbeat, long at, long stamp) {
        return Renewal.apply(table.at(slot), heartbeat, at, stamp, clock, rules);
    }

    public User unpack(int slot) {
        PackedUser packed = table.at(slot);
        return new User(packed.id(), codec.unpack(packed), scope);
    }

    /**
     * Puts the user back, or in, or out.
     *
     * @param slot where the user is, or {@link #NO_SLOT}
     * @param isUnstored whether the snapshot says more than the local store does, unless it did so before
     * @return whether the user is in here
     */
    public boolean keep(User user, UserSnapshot snapshot, int slot, boolean isUnstored) {
        return keep(user, snapshot, slot, bucket(slot), isUnstored);
    }

    private boolean keep(User user, UserSnapshot snapshot, int slot, long bucket, boolean isUnstored) {
        boolean wasKept = slot != NO_SLOT;
        boolean wasUnstored = wasKept && isUnstored(slot);
        if (wasKept) {
            visible -= appearsOffline(slot) ? 0 : 1;
            devices -= table.at(slot).devices();
        }
        if (!isToBeKept(user, snapshot)) {
            if (wasKept) {
                table.remove(slot, user.id());
            }
            return false;
        }
        PackedUser packed = codec.pack(user.id(), snapshot, bucket, wasUnstored || isUnstored);
        int kept = slot;
        if (wasKept) {
            table.set(slot, packed);
        } else {
            kept = table.add(user.id(), packed);
        }
        long scheduled = deadlines.schedule(kept, bucket, user.nextDeadline());
        table.at(kept).setBucket(scheduled);
        visible += user.appearsOffline() ? 0 : 1;
        devices += snapshot.devices().size();
        return true;
    }

    private boolean isToBeKept(User user, UserSnapshot snapshot) {
        long next = user.nextDeadline();
        boolean isTextNear = clock.reached() == PartitionClock.UNKNOWN || next - clock.reached() < TEXT_HORIZON_MS;
        return !snapshot.devices().isEmpty() || (next != Long.MAX_VALUE && isTextNear);
    }

    private long bucket(int slot) {
        return slot == NO_SLOT ? Deadlines.NONE : table.at(slot).bucket();
    }

    // ---- time ----

    /**
     * Passes on users for whom something has come to its end.
     *
     * @param limit how many at most
     * @return whether that was enough; if not, the next call goes on
     */
    public boolean pollExpired(int limit, IntConsumer onExpiry) {
        return deadlines.poll(limit, slot -> {
            table.at(slot).setBucket(Deadlines.NONE);
            onExpiry.accept(slot);
        });
    }

    /** As {@link #pollExpired}, of users with a device whose session is over (rule 14). */
    public boolean pollEndedSessions(int limit, IntConsumer onEnd) {
        return ended.poll(limit, onEnd);
    }

    /** Whether there may be more of those. */
    public boolean anyEndedSessions() {
        return ended.isUnfinished();
    }

    /** Extends the deadlines of all devices that could not be heard from. Slots may be others' then. */
    public void extendDeadlines(Finding finding) {
        boolean isTakeOver = finding instanceof Finding.TakeOver;
        if (isTakeOver) {
            deadlines.clear(); // what was scheduled before any time was known is filed too finely
        }
        table.forEachSlot(slot -> {
            if (table.at(slot).nextDeadline(clock) == Long.MAX_VALUE) {
                if (isTakeOver) {
                    table.at(slot).setBucket(Deadlines.NONE); // it may have been opened just before
                }
                return; // all of its devices are held by sessions
            }
            User user = unpack(slot);
            user.extendDeadlines(finding);
            keep(user, user.snapshot(), slot, isTakeOver ? Deadlines.NONE : bucket(slot), false);
        });
    }

    public long behindMs() {
        return clock.now() == PartitionClock.UNKNOWN ? 0 : deadlines.behindMs(clock.now());
    }

    /** How many entries of any kind are in memory. */
    public int entries() {
        return table.size() + deadlines.entries();
    }

    // ---- what the local store lacks ----

    public boolean isUnstored(int slot) {
        return table.at(slot).isUnstored();
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
        table.forEachSlot(slot -> table.at(slot).setStored());
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
