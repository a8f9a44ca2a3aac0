package dev.rollcall.gateway;

import dev.rollcall.gateway.PresenceFeed.Entry;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Watches everybody by remembering how far it is: its memory does not depend on how many users there are. */
final class AllUsersSubscription extends PresenceSubscription {
    private final PresenceFeed feed;
    private @Nullable SinceToken heard;

    /** Up to here it is a snapshot, or what was missed. */
    private long beginning;

    private final TreeMap<Integer, Long> told = new TreeMap<>();
    private long cursor;
    private boolean begun;

    AllUsersSubscription(PresenceFeed feed, @Nullable SinceToken heard, Runnable onChange) {
        super(onChange);
        this.feed = feed;
        this.heard = heard;
        feed.add(this);
        beginning = feed.lastVersion();
        if (heard != null) {
            told.putAll(heard.offsets());
            begun = true;
        }
    }

    @Override
    public @Nullable Batch take(int atMost) {
        SinceToken allOfIt = feed.positions();
        if (takesAnew()) {
            heard = null;
            beginning = feed.lastVersion();
            told.clear();
            cursor = 0;
            begun = false;
        }
        List<byte[]> presences = new ArrayList<>();
        Iterator<Entry> left = feed.byVersion().tailMap(cursor, false).values().iterator();
        while (left.hasNext() && presences.size() < atMost) {
            Entry entry = left.next();
            cursor = entry.version;
            told.merge(entry.partition, entry.offset + 1, Math::max);
            if (isNews(entry)) {
                presences.add(entry.json());
            }
        }
        boolean more = left.hasNext();
        if (!more) {
            allOfIt.offsets().forEach((partition, offset) -> told.merge(partition, offset, Math::max));
        }
        if (presences.isEmpty() && begun) {
            return null;
        }
        Batch batch = new Batch(!begun, presences, more, new SinceToken(allOfIt.log(), new TreeMap<>(told)));
        begun = true;
        return batch;
    }

    @Override
    public void close() {
        feed.remove(this);
    }

    private boolean isNews(Entry entry) {
        if (entry.version > beginning) {
            return true;
        }
        return heard == null ? entry.presence != null : entry.offset >= heard.offset(entry.partition);
    }
}
