package dev.rollcall.gateway;

import dev.rollcall.domain.UserId;
import dev.rollcall.gateway.PresenceFeed.Entry;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Some users. Keeps the set of those that have changed since the last poll. */
final class UsersSubscription extends PresenceSubscription {
    private final PresenceFeed feed;
    private final Set<UserId> users;
    private final Set<UserId> changed = ConcurrentHashMap.newKeySet();
    private boolean started;

    /** With {@code from} null it starts with a snapshot, else with what has changed since. */
    UsersSubscription(PresenceFeed feed, Set<UserId> users, @Nullable BatchToken from, Runnable onChange) {
        super(onChange);
        this.feed = feed;
        this.users = Set.copyOf(users);
        feed.add(this, this.users); // before the look-up below, so that no change is missed between the two
        for (UserId user : this.users) {
            Entry entry = feed.entry(user);
            if (from == null || (entry != null && entry.offset >= from.offset(entry.partition))) {
                changed.add(user);
            }
        }
        started = from != null;
    }

    /** Returns all changed users at once: their number is bounded by what was subscribed to. */
    @Override
    public @Nullable Batch poll(int maxUsers) {
        BatchToken end = feed.positions();
        if (takeRestart()) {
            changed.addAll(users);
            started = false;
        }
        List<Entry> entries = new ArrayList<>();
        for (Iterator<UserId> iterator = changed.iterator(); iterator.hasNext(); ) {
            UserId user = iterator.next();
            iterator.remove(); // before the look-up: a change that comes now is in this batch or in the next
            Entry entry = feed.entry(user);
            entries.add(entry == null ? new Entry(user, null, 0, 0, 0) : entry);
        }
        if (entries.isEmpty() && started) {
            return null;
        }
        entries.sort(Comparator.comparingLong(entry -> entry.version));
        Batch batch = new Batch(!started, entries.stream().map(Entry::json).toList(), false, end);
        started = true;
        return batch;
    }

    @Override
    public void close() {
        feed.remove(this, users);
    }

    @Override
    void changed(UserId user) {
        changed.add(user);
        super.changed(user);
    }
}
