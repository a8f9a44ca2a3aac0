package dev.rollcall.gateway;

import dev.rollcall.gateway.PresenceFeed.Entry;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** All users, in the feed's order of versions. Keeps one position and no queue, so that its size does not grow with users. */
final class AllUsersSubscription extends PresenceSubscription {
    private final PresenceFeed feed;

    /** Null: the subscriber knows nothing, and gets a snapshot. */
    private @Nullable BatchToken from;

    /** The feed's version at the start. Later entries are changes; up to here they are the snapshot, or what was missed. */
    private long startVersion;

    /** Per partition, the next offset after what was delivered. */
    private final TreeMap<Integer, Long> delivered = new TreeMap<>();

    private long lastDelivered;
    private boolean started;

    AllUsersSubscription(PresenceFeed feed, @Nullable BatchToken from, Runnable onChange) {
        super(onChange);
        this.feed = feed;
        this.from = from;
        feed.add(this);
        startVersion = feed.lastVersion();
        if (from != null) {
            delivered.putAll(from.offsets());
            started = true;
        }
    }

    @Override
    public @Nullable Batch poll(int maxUsers) {
        BatchToken end = feed.positions();
        if (takeRestart()) {
            from = null;
            startVersion = feed.lastVersion();
            delivered.clear();
            lastDelivered = 0;
            started = false;
        }
        List<byte[]> presences = new ArrayList<>();
        Iterator<Entry> entries =
                feed.byVersion().tailMap(lastDelivered, false).values().iterator();
        while (entries.hasNext() && presences.size() < maxUsers) {
            Entry entry = entries.next();
            lastDelivered = entry.version;
            delivered.merge(entry.partition, entry.offset + 1, Math::max);
            if (isNews(entry)) {
                presences.add(entry.json());
            }
        }
        boolean more = entries.hasNext();
        if (!more) {
            end.offsets().forEach((partition, offset) -> delivered.merge(partition, offset, Math::max));
        }
        if (presences.isEmpty() && started) {
            return null;
        }
        Batch batch = new Batch(!started, presences, more, new BatchToken(end.topicId(), new TreeMap<>(delivered)));
        started = true;
        return batch;
    }

    @Override
    public void close() {
        feed.remove(this);
    }

    private boolean isNews(Entry entry) {
        if (entry.version > startVersion) {
            return true;
        }
        return from == null ? entry.presence != null : entry.offset >= from.offset(entry.partition);
    }
}
