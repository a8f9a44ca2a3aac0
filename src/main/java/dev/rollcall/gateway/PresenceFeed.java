package dev.rollcall.gateway;

import dev.rollcall.client.PresenceChange;
import dev.rollcall.client.PresenceSubscriber;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.UserId;
import dev.rollcall.wire.Topic;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A copy of the whole presence topic in memory, and the subscriptions to it. With it any instance can serve the changes of
 * any user.
 *
 * <p>Subscribers have no queues. Each change gives its user a new version, and the users are ordered by version; a
 * subscriber remembers the version that it has reached. A slow subscriber therefore gets the latest state of each user.
 *
 * <p>Takes about 500 bytes per known user. Changes are applied by one thread; all methods are thread-safe.
 */
public final class PresenceFeed implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PresenceFeed.class);

    /** So many forgotten users are kept, so that subscribers who resume learn of it. */
    private static final int MAX_TOMBSTONES = 10_000;

    private final PresenceSubscriber subscriber;
    private final Thread reader;

    private final ConcurrentHashMap<UserId, Entry> latest = new ConcurrentHashMap<>();
    private final ConcurrentSkipListMap<Long, Entry> byVersion = new ConcurrentSkipListMap<>();

    /** Per partition: every record before this offset is applied, and the subscriptions to its user are notified. */
    private final ConcurrentSkipListMap<Integer, Long> positions = new ConcurrentSkipListMap<>();

    /** Per partition: a tombstone before this offset may have been evicted, so older tokens are of no use. */
    private final ConcurrentHashMap<Integer, Long> evictedBefore = new ConcurrentHashMap<>();

    private final Deque<Entry> tombstones = new ArrayDeque<>();
    private final Set<PresenceSubscription> toAllUsers = ConcurrentHashMap.newKeySet();
    private final ConcurrentHashMap<UserId, Set<PresenceSubscription>> toUser = new ConcurrentHashMap<>();
    private long version;

    /** As in {@link BatchToken#topicId}; empty until the first record is read. */
    private volatile String topicId = "";

    /** The latest record of one user. {@code presence} is null for a tombstone. */
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

        /** {@link PresenceJson} in UTF-8, rendered once for all subscribers. */
        byte[] json() {
            byte[] bytes = json;
            if (bytes == null) {
                bytes = PresenceJson.render(user, presence).toString().getBytes(StandardCharsets.UTF_8);
                json = bytes;
            }
            return bytes;
        }
    }

    /**
     * Starts reading. Waits in the background for the brokers and the topic.
     *
     * @param settings of a Kafka consumer; {@code bootstrap.servers} is required
     */
    public PresenceFeed(Topic<UserId, Presence> topic, Map<String, ?> settings) {
        subscriber = new PresenceSubscriber(
                topic,
                settings,
                PresenceSubscriber.Options.fullCopy()
                        .retrying(1, Duration.ZERO)
                        .parkingTo(PresenceFeed::requireNoChange),
                this::apply);
        reader = new Thread(this::read, "presence-feed");
        reader.setDaemon(true);
        reader.start();
    }

    /**
     * Whether everything that was in the topic at the start has been applied, and reading goes on. False again while
     * partitions that were added, or a topic that was created again, are read for the first time.
     */
    public boolean isCaughtUp() {
        return subscriber.snapshotComplete();
    }

    /** What it waits for until it has caught up, in words; empty once it has. */
    public Optional<String> waitsFor() {
        if (subscriber.failure().isPresent()) {
            return Optional.of("the feed of presence, which has ended with an error");
        }
        return isCaughtUp()
                ? Optional.empty()
                : subscriber.waitsFor().or(() -> Optional.of("the topic of presence to be read"));
    }

    /** The number of users with an entry. */
    public int users() {
        return latest.size();
    }

    /**
     * Subscribes to some users, or to all of them. The subscription must be closed.
     *
     * @param users null: all users
     * @param from where an earlier subscription ended; null, or a token that is too old or of another topic: a snapshot
     *     comes first
     * @param onChange called on the feed's thread when there is something to poll; must return at once
     * @throws UnavailableException while the feed has not caught up
     */
    public PresenceSubscription subscribe(@Nullable Set<UserId> users, @Nullable BatchToken from, Runnable onChange) {
        if (!isCaughtUp()) {
            throw new UnavailableException("the presence topic is still being read");
        }
        String before = topicId;
        BatchToken usable = from == null || !covers(from) ? null : from;
        PresenceSubscription subscription = users == null
                ? new AllUsersSubscription(this, usable, onChange)
                : new UsersSubscription(this, users, usable, onChange);
        if (!before.equals(topicId) && !before.isEmpty()) {
            subscription.restart();
        }
        return subscription;
    }

    @Override
    public void close() {
        subscriber.close();
    }

    // ---- for the subscriptions ----

    @Nullable
    Entry entry(UserId user) {
        return latest.get(user);
    }

    ConcurrentSkipListMap<Long, Entry> byVersion() {
        return byVersion;
    }

    /** 0 while there is none. */
    long lastVersion() {
        var last = byVersion.lastEntry();
        return last == null ? 0 : last.getKey();
    }

    /** The offsets before which everything is applied, and known to the subscriptions to single users. */
    BatchToken positions() {
        String id = topicId; // read first: an older id makes the token unusable, a newer one would make it wrong
        return new BatchToken(id, new TreeMap<>(positions));
    }

    void add(PresenceSubscription subscription) {
        toAllUsers.add(subscription);
    }

    void add(PresenceSubscription subscription, Set<UserId> users) {
        for (UserId user : users) {
            toUser.compute(user, (key, present) -> {
                Set<PresenceSubscription> subscriptions = present == null ? ConcurrentHashMap.newKeySet(2) : present;
                subscriptions.add(subscription);
                return subscriptions;
            });
        }
    }

    void remove(PresenceSubscription subscription) {
        toAllUsers.remove(subscription);
    }

    void remove(PresenceSubscription subscription, Set<UserId> users) {
        for (UserId user : users) {
            toUser.computeIfPresent(user, (key, subscriptions) -> {
                subscriptions.remove(subscription);
                return subscriptions.isEmpty() ? null : subscriptions;
            });
        }
    }

    // ---- the reader thread ----

    private void read() {
        try {
            subscriber.run();
        } catch (Throwable e) {
            LOG.error("the feed of presence has ended, and this instance is not ready any more", e);
        }
    }

    /** A change that was skipped would be missing in the copy for good, so the feed ends instead. */
    private static void requireNoChange(PresenceSubscriber.Parked parked) {
        if (parked.change() != null) {
            throw new IllegalStateException("a change cannot be applied", parked.failure());
        }
    }

    private void apply(PresenceChange change) {
        detectNewTopic(change);
        version++;
        Entry entry = new Entry(change.user(), change.after(), change.partition(), change.offset(), version);
        // Added before the old entry goes: who iterates meanwhile may see the user twice, but does not miss it.
        byVersion.put(entry.version, entry);
        Entry before = latest.put(entry.user, entry);
        if (before != null) {
            byVersion.remove(before.version);
        }
        if (entry.presence == null) {
            keepTombstone(entry);
        }
        Set<PresenceSubscription> subscriptions = toUser.get(entry.user);
        if (subscriptions != null) {
            subscriptions.forEach(subscription -> notifyOf(entry.user, subscription));
        }
        positions.put(entry.partition, entry.offset + 1); // after those were notified, as its comment promises
        toAllUsers.forEach(subscription -> notifyOf(entry.user, subscription));
    }

    private void keepTombstone(Entry entry) {
        tombstones.add(entry);
        if (tombstones.size() > MAX_TOMBSTONES) {
            Entry oldest = tombstones.remove();
            if (latest.remove(oldest.user, oldest)) {
                byVersion.remove(oldest.version);
                evictedBefore.merge(oldest.partition, oldest.offset + 1, Math::max);
            }
        }
    }

    private static void notifyOf(UserId user, PresenceSubscription subscription) {
        try {
            subscription.changed(user);
        } catch (RuntimeException e) {
            LOG.error("a subscriber could not be notified", e); // the others still are
        }
    }

    /** Where the topic was created again, or truncated, all subscriptions restart, since their tokens are void. */
    private void detectNewTopic(PresenceChange change) {
        String id = Integer.toHexString(subscriber.topicId().orElse("").hashCode());
        boolean another = !id.equals(topicId);
        boolean truncated = change.offset() + 1 < positions.getOrDefault(change.partition(), 0L);
        if (another || truncated) {
            boolean first = topicId.isEmpty();
            if (another) {
                positions.clear();
                evictedBefore.clear();
            }
            if (!first) {
                toAllUsers.forEach(PresenceSubscription::restart);
                toUser.values().forEach(subscriptions -> subscriptions.forEach(PresenceSubscription::restart));
            }
            topicId = id; // last: who reads the new id also sees the changes above
        }
    }

    /** Whether nothing that came after the token is missing here. */
    private boolean covers(BatchToken from) {
        if (!from.offsets().isEmpty() && !from.topicId().equals(topicId)) {
            return false;
        }
        for (var position : from.offsets().entrySet()) {
            long offset = position.getValue();
            boolean ahead = offset > positions.getOrDefault(position.getKey(), 0L);
            if (ahead || offset < evictedBefore.getOrDefault(position.getKey(), 0L)) {
                return false;
            }
        }
        return true;
    }
}
