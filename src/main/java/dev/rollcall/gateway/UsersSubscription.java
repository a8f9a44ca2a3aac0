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

/** Watches some users by remembering which of them have changed. */
final class UsersSubscription extends PresenceSubscription {
    private final PresenceFeed feed;
    private final Set<UserId> users;
    private final Set<UserId> changed = ConcurrentHashMap.newKeySet();
    private boolean begun;

    UsersSubscription(PresenceFeed feed, Set<UserId> users, @Nullable SinceToken heard, Runnable onChange) {
        super(onChange);
        this.feed = feed;
        this.users = Set.copyOf(users);
        feed.add(this, this.users); // first, so that nothing falls in between
        for (UserId user : this.users) {
            Entry entry = feed.entry(user);
            if (heard == null || (entry != null && entry.offset >= heard.offset(entry.partition))) {
                changed.add(user);
            }
        }
        begun = heard != null;
    }

    /** All of it at once: there are no more of them than were asked for. */
    @Override
    public @Nullable Batch take(int atMost) {
        SinceToken since = feed.positions();
        if (takesAnew()) {
            changed.addAll(users);
            begun = false;
        }
        List<Entry> entries = new ArrayList<>();
        for (Iterator<UserId> left = changed.iterator(); left.hasNext(); ) {
            UserId user = left.next();
            left.remove(); // before it is looked up: a change that comes now is told now or next time
            Entry entry = feed.entry(user);
            entries.add(entry == null ? new Entry(user, null, 0, 0, 0) : entry);
        }
        if (entries.isEmpty() && begun) {
            return null;
        }
        entries.sort(Comparator.comparingLong(entry -> entry.version));
        Batch batch = new Batch(!begun, entries.stream().map(Entry::json).toList(), false, since);
        begun = true;
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
