package dev.rollcall.gateway;

import dev.rollcall.client.PresenceChange;
import dev.rollcall.client.PresenceSubscriber;
import dev.rollcall.domain.Announcement.Presence;
import dev.rollcall.domain.UserId;
import dev.rollcall.wire.Topic;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The last word on everybody, and who waits for the next: a full copy of the topic of presence, so that any instance can
 * tell of any user. A watcher that is slow finds the latest state of each user when it comes, never a queue: everybody is
 * in one order, that of the last change, and a watcher only remembers how far it is.
 *
 * <p>Costs some 500 bytes per user that something was ever said of. Changes come on one thread; all else is thread-safe.
 */
public final class PresenceFeed implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PresenceFeed.class);

    /** Users that were forgotten of late are kept, so that those who knew them can be told. */
    private static final int MAX_FORGOTTEN = 10_000;

    private final PresenceSubscriber subscriber;
    private final Thread reading;

    private final ConcurrentHashMap<UserId, Entry> latest = new ConcurrentHashMap<>();
    private final ConcurrentSkipListMap<Long, Entry> byVersion = new ConcurrentSkipListMap<>();

    /** Per partition: everything before this offset is in here, and its watchers know. */
    private final ConcurrentSkipListMap<Integer, Long> positions = new ConcurrentSkipListMap<>();

    /** Per partition: somebody who was forgotten before this offset may be missing here. */
    private final ConcurrentHashMap<Integer, Long> untold = new ConcurrentHashMap<>();

    private final Deque<Entry> forgotten = new ArrayDeque<>();
    private final Set<PresenceWatch> everybodys = ConcurrentHashMap.newKeySet();
    private final ConcurrentHashMap<UserId, Set<PresenceWatch>> byUser = new ConcurrentHashMap<>();
    private long version;
    private volatile @Nullable Throwable failure;
    private volatile boolean caughtUp;

    /** The last word on one user: {@code presence} is null if it is that nobody knows the user any more. */
    static final class Entry {
        final UserId user;
        final @Nullable Presence presence;
        final int partition;
        final long offset;
        final long version;
        private volatile byte @Nullable [] json;

        Entry(UserId user, @Nullable Presence presence, int partition, long offset, long version) {
            this.user = user;
            this.presence = presence;
            this.partition = partition;
            this.offset = offset;
            this.version = version;
        }

        /** As {@link PresenceJson}, in UTF-8. Written once, for all who watch. */
        byte[] json() {
            byte[] bytes = json;
            if (bytes == null) {
                bytes = PresenceJson.render(user, presence)
                        .toString()
                        .getBytes(java.nio.charset.StandardCharsets.UTF_8);
                json = bytes;
            }
            return bytes;
        }
    }

    /** Begins to read. {@code settings} are a Kafka consumer's; {@code bootstrap.servers} is required. */
    public PresenceFeed(Topic<UserId, Presence> topic, Map<String, ?> settings) {
        subscriber = new PresenceSubscriber(
                topic,
                settings,
                PresenceSubscriber.Options.fullCopy().retrying(1, java.time.Duration.ZERO),
                this::take);
        reading = new Thread(this::read, "presence-feed");
        reading.setDaemon(true);
        reading.start();
    }

    /** Whether it has read what was there when it began. It stays so. */
    public boolean isCaughtUp() {
        if (!caughtUp) {
            Collection<PresenceSubscriber.Progress> progress =
                    subscriber.progress().values();
            caughtUp = !progress.isEmpty() && progress.stream().allMatch(PresenceSubscriber.Progress::snapshotComplete);
        }
        return caughtUp && failure == null;
    }

    /** How many users something is known of. */
    public int users() {
        return latest.size();
    }

    /**
     * Watches these users, or everybody.
     *
     * @param users whom to watch; null: everybody
     * @param since the token up to which the watcher has heard; null: nothing yet
     * @param onChange called when there is something to take, on the thread of the feed: it must return at once
     * @throws UnavailableException while the feed has not caught up
     */
    public PresenceWatch watch(@Nullable Set<UserId> users, @Nullable SinceToken since, Runnable onChange) {
        if (!isCaughtUp()) {
            throw new UnavailableException("still reading who is here");
        }
        SinceToken usable = since == null || isTooOldOrStrange(since) ? null : since;
        return users == null
                ? new WatchOfEverybody(this, usable, onChange)
                : new WatchOfSome(this, users, usable, onChange);
    }

    @Override
    public void close() {
        subscriber.close();
    }

    // ---- for the watches ----

    @Nullable
    Entry entry(UserId user) {
        return latest.get(user);
    }

    ConcurrentSkipListMap<Long, Entry> byVersion() {
        return byVersion;
    }

    /** Everything before these offsets has been entered, and marked with those who watch. */
    SinceToken positions() {
        return new SinceToken(new java.util.TreeMap<>(positions));
    }

    void add(PresenceWatch watch) {
        everybodys.add(watch);
    }

    void add(PresenceWatch watch, Set<UserId> users) {
        for (UserId user : users) {
            byUser.compute(user, (key, watches) -> {
                Set<PresenceWatch> set = watches == null ? ConcurrentHashMap.newKeySet(2) : watches;
                set.add(watch);
                return set;
            });
        }
    }

    void remove(PresenceWatch watch) {
        everybodys.remove(watch);
    }

    void remove(PresenceWatch watch, Set<UserId> users) {
        for (UserId user : users) {
            byUser.computeIfPresent(user, (key, watches) -> {
                watches.remove(watch);
                return watches.isEmpty() ? null : watches;
            });
        }
    }

    // ---- the thread that reads ----

    private void read() {
        try {
            subscriber.run();
        } catch (RuntimeException e) {
            failure = e;
            LOG.error("the feed of presence cannot go on", e);
        }
    }

    private void take(PresenceChange change) {
        version++;
        Entry now = new Entry(change.user(), change.after(), change.partition(), change.offset(), version);
        // Entered before the old one goes: somebody who walks through meanwhile may see both, but never neither.
        byVersion.put(now.version, now);
        Entry before = latest.put(now.user, now);
        if (before != null) {
            byVersion.remove(before.version);
        }
        if (now.presence == null) {
            forgotten.add(now);
            if (forgotten.size() > MAX_FORGOTTEN) {
                Entry gone = forgotten.remove();
                if (latest.remove(gone.user, gone)) {
                    byVersion.remove(gone.version);
                    untold.merge(gone.partition, gone.offset + 1, Math::max);
                }
            }
        }
        Set<PresenceWatch> watches = byUser.get(now.user);
        if (watches != null) {
            watches.forEach(watch -> watch.changed(now.user));
        }
        positions.put(now.partition, now.offset + 1); // now that they know
        everybodys.forEach(watch -> watch.changed(now.user));
    }

    private boolean isTooOldOrStrange(SinceToken since) {
        for (var one : since.offsets().entrySet()) {
            long offset = one.getValue();
            boolean ahead = offset > positions.getOrDefault(one.getKey(), 0L);
            if (ahead || offset < untold.getOrDefault(one.getKey(), 0L)) {
                return true;
            }
        }
        return false;
    }
}
