package dev.rollcall.gateway;

import dev.rollcall.domain.UserId;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Some users. Keeps the set of those that have changed since the last poll. */
final class UsersSubscription extends PresenceSubscription {
    private final PresenceFeed feed;
    private final Set<UserId> changed = new HashSet<>();
    private volatile Set<UserId> users;
    private boolean closed;

    UsersSubscription(PresenceFeed feed, Set<UserId> users, @Nullable BatchToken from, Runnable onChange) {
        super(feed, from, onChange);
        this.feed = feed;
        this.users = Set.copyOf(users);
        feed.add(this, this.users);
    }

    @Override
    void begin(PresenceCopy copy, @Nullable BatchToken from) {
        for (UserId user : users) {
            PresenceRecord record = copy.get(user);
            if (from == null || (record != null && record.offset >= from.offset(record.partition))) {
                changed.add(user);
            }
        }
    }

    @Override
    public boolean watch(Set<UserId> wanted) {
        change(Set.copyOf(wanted));
        wake();
        return true;
    }

    private synchronized void change(Set<UserId> wanted) {
        if (closed) {
            return;
        }
        Set<UserId> removed = new HashSet<>(users);
        removed.removeAll(wanted);
        Set<UserId> added = new HashSet<>(wanted);
        added.removeAll(users);
        feed.write(
                () -> { // so that no change is missed, and nobody polls
                    feed.remove(this, removed);
                    feed.add(this, added);
                    changed.removeAll(removed);
                    changed.addAll(added);
                    users = wanted;
                });
    }

    /** Finds all changed users at once: their number is bounded by what was subscribed to. */
    @Override
    BatchToken collect(PresenceCopy copy, int maxUsers, List<PresenceRecord> found) {
        for (UserId user : changed) {
            PresenceRecord record = copy.get(user);
            found.add(record == null ? new PresenceRecord(user, null, 0, 0, 0) : record);
        }
        changed.clear();
        return feed.token(copy.partitions(), copy::position);
    }

    @Override
    void restart() {
        super.restart();
        changed.addAll(users);
    }

    @Override
    void changed(UserId user) {
        if (hasBegun()) { // else it may be what the token stands for, and begin() looks for what is news
            changed.add(user);
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        feed.waitsNoLonger(this);
        feed.remove(this, users);
    }
}
