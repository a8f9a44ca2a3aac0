package dev.rollcall.gateway;

import dev.rollcall.client.PresenceChange;
import dev.rollcall.client.PresenceSubscriber;
import dev.rollcall.domain.PresenceUpdate.Presence;
import dev.rollcall.domain.UserId;
import dev.rollcall.wire.Topic;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.Optional;
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
    private final Set<PresenceSubscription> everybodys = ConcurrentHashMap.newKeySet();
    private final ConcurrentHashMap<UserId, Set<PresenceSubscription>> byUser = new ConcurrentHashMap<>();
    private long version;

    /** Names the topic in tokens; empty: nothing was read of it yet. */
    private volatile String log = "";

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

    /**
     * Begins to read, and waits for the brokers and the topic. {@code settings} are a Kafka consumer's; {@code
     * bootstrap.servers} is required.
     */
    public PresenceFeed(Topic<UserId, Presence> topic, Map<String, ?> settings) {
        subscriber = new PresenceSubscriber(
                topic,
                settings,
                PresenceSubscriber.Options.fullCopy()
                        .retrying(1, java.time.Duration.ZERO)
                        .parkingTo(PresenceFeed::requireNoChange),
                this::take);
        reading = new Thread(this::read, "presence-feed");
        reading.setDaemon(true);
        reading.start();
    }

    /**
     * Whether it has read what was there when it began, and reads on. Until it has read partitions that were added, or a
     * topic that was created again, it has not.
     */
    public boolean isCaughtUp() {
        return subscriber.snapshotComplete();
    }

    /** What it waits for until it has caught up, in words; empty: it has. */
    public Optional<String> waitsFor() {
        if (subscriber.failure().isPresent()) {
            return Optional.of("the feed of presence, which has ended with an error");
        }
        return isCaughtUp()
                ? Optional.empty()
                : subscriber.waitsFor().or(() -> Optional.of("the topic of presence to be read"));
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
    public PresenceSubscription watch(@Nullable Set<UserId> users, @Nullable SinceToken since, Runnable onChange) {
        if (!isCaughtUp()) {
            throw new UnavailableException("still reading who is here");
        }
        String before = log;
        SinceToken usable = since == null || isTooOldOrStrange(since) ? null : since;
        PresenceSubscription watch = users == null
                ? new AllUsersSubscription(this, usable, onChange)
                : new UsersSubscription(this, users, usable, onChange);
        if (!before.equals(log) && !before.isEmpty()) {
            watch.beginAnew();
        }
        return watch;
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

    /** 0: there is none. */
    long lastVersion() {
        var last = byVersion.lastEntry();
        return last == null ? 0 : last.getKey();
    }

    /** Everything before these offsets has been entered, and marked with those who watch. */
    SinceToken positions() {
        String of = log; // first: with an older name the token is too old, and with a newer one it would be wrong
        return new SinceToken(of, new java.util.TreeMap<>(positions));
    }

    void add(PresenceSubscription watch) {
        everybodys.add(watch);
    }

    void add(PresenceSubscription watch, Set<UserId> users) {
        for (UserId user : users) {
            byUser.compute(user, (key, watches) -> {
                Set<PresenceSubscription> set = watches == null ? ConcurrentHashMap.newKeySet(2) : watches;
                set.add(watch);
                return set;
            });
        }
    }

    void remove(PresenceSubscription watch) {
        everybodys.remove(watch);
    }

    void remove(PresenceSubscription watch, Set<UserId> users) {
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
        } catch (Throwable e) {
            LOG.error("the feed of presence has ended, and this instance is not ready any more", e);
        }
    }

    /** A change that cannot be entered would be missing here for ever, and nobody would notice. */
    private static void requireNoChange(PresenceSubscriber.Parked parked) {
        if (parked.change() != null) {
            throw new IllegalStateException("a change cannot be entered", parked.failure());
        }
    }

    private void take(PresenceChange change) {
        noticeAnotherLog(change);
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
        Set<PresenceSubscription> watches = byUser.get(now.user);
        if (watches != null) {
            watches.forEach(watch -> tell(watch, now.user));
        }
        positions.put(now.partition, now.offset + 1); // now that they know
        everybodys.forEach(watch -> tell(watch, now.user));
    }

    private static void tell(PresenceSubscription watch, UserId user) {
        try {
            watch.changed(user);
        } catch (RuntimeException e) {
            LOG.error("one who watches could not be told", e); // and is no reason not to tell the others
        }
    }

    /** The topic was created again, or its end was cut off: all that watchers were told, and their tokens, are void. */
    private void noticeAnotherLog(PresenceChange change) {
        String now = Integer.toHexString(subscriber.topicId().orElse("").hashCode());
        boolean another = !now.equals(log);
        boolean wentBack = change.offset() + 1 < positions.getOrDefault(change.partition(), 0L);
        if (another || wentBack) {
            boolean first = log.isEmpty();
            if (another) {
                positions.clear();
                untold.clear();
            }
            if (!first) {
                everybodys.forEach(PresenceSubscription::beginAnew);
                byUser.values().forEach(watches -> watches.forEach(PresenceSubscription::beginAnew));
            }
            log = now; // last, for whoever has read it finds all of this
        }
    }

    private boolean isTooOldOrStrange(SinceToken since) {
        if (!since.offsets().isEmpty() && !since.log().equals(log)) {
            return true;
        }
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
