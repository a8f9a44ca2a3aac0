package dev.rollcall.gateway;

import dev.rollcall.domain.UserId;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Some users. Keeps the set of those that have changed since the last poll. */
final class UsersSubscription extends PresenceSubscription {
    private final PresenceFeed feed;
    private final Set<UserId> users;
    private final Set<UserId> changed = new HashSet<>();

    /** With {@code from} null it starts with a snapshot, else with what has changed since. */
    UsersSubscription(
            PresenceFeed feed, PresenceCopy copy, Set<UserId> users, @Nullable BatchToken from, Runnable onChange) {
        super(feed, from == null, onChange);
        this.feed = feed;
        this.users = Set.copyOf(users);
        for (UserId user : this.users) {
            PresenceRecord record = copy.get(user);
            if (from == null || (record != null && record.offset >= from.offset(record.partition))) {
                changed.add(user);
            }
        }
        feed.add(this, this.users);
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
        changed.add(user);
    }

    @Override
    public void close() {
        feed.remove(this, users);
    }
}
