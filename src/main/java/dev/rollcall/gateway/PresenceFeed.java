package dev.rollcall.gateway;

import dev.rollcall.domain.Presence;
import dev.rollcall.domain.UserId;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Function;
import java.util.function.IntToLongFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A copy of the whole presence topic in memory, and the subscriptions to it. From it any instance answers for any user, with
 * what is committed. A {@link TopicReader} keeps it; until that has read the topic to its end nothing is answered.
 *
 * <p>Subscribers have no queues: each remembers how far it has come, in offsets of the topic. A slow subscriber therefore
 * gets the latest state of each user.
 *
 * <p>One thread writes; all public methods are thread-safe.
 */
public final class PresenceFeed extends TopicCopy<Presence, PresenceRecord> {
    private static final Logger LOG = LoggerFactory.getLogger(PresenceFeed.class);

    private final ReadWriteLock lock = new ReentrantReadWriteLock();
    private final PresenceCopy copy = new PresenceCopy();
    private final Set<PresenceSubscription> toAllUsers = ConcurrentHashMap.newKeySet();
    private final ConcurrentHashMap<UserId, Set<PresenceSubscription>> toUser = new ConcurrentHashMap<>();

    /** Those that may not have begun, because this instance has not read yet what they are to go on after. */
    private final Set<PresenceSubscription> waiting = ConcurrentHashMap.newKeySet();

    /** As in {@link BatchToken#topicId}; changes while nothing can be read. */
    private volatile String topicId = "";

    private volatile int partitions;

    private volatile Progress progress = Progress.NONE;

    /**
     * How far the topic is read, in offsets, not all of which are records.
     *
     * @param complete whether all is read that was there at the start, or when partitions were added or created again
     * @param read how much of that is read
     * @param total how much that is
     * @param behind how far the copy is behind the end of the topic, as the brokers last said
     * @param waitsFor what is waited for; null: nothing, or the topic to be read
     * @param stalledMs for how long a broker of the topic has not answered, in ms
     */
    public record Progress(
            boolean complete,
            long read,
            long total,
            long behind,
            @Nullable String waitsFor,
            long stalledMs) {
        static final Progress NONE = waiting(null);

        static Progress waiting(@Nullable String what) {
            return new Progress(false, 0, 0, 0, what, 0);
        }
    }

    public Progress progress() {
        return progress;
    }

    /** Whether there are answers. */
    public boolean isCaughtUp() {
        return progress.complete();
    }

    /** What it waits for until it has caught up, in words; empty once it has. */
    public Optional<String> waitsFor() {
        Progress now = progress;
        if (now.complete()) {
            return Optional.empty();
        }
        return Optional.of(
                now.waitsFor() != null
                        ? now.waitsFor()
                        : "the topic of presence to be read: %d of %d".formatted(now.read(), now.total()));
    }

    /**
     * The user's last published presence, but for the state before; empty: there is none.
     *
     * @throws UnavailableException while the copy is not complete
     */
    public Optional<Presence> presence(UserId user) {
        return answer(copy -> Optional.ofNullable(copy.get(user)).map(PresenceRecord::presence));
    }

    /**
     * Subscribes to some users, or to all of them. The subscription must be closed.
     *
     * @param users null: all users
     * @param from where an earlier subscription ended, here or at another instance, which may have read a little more: that
     *     is waited for, at most 5 s. A snapshot comes first if this is null, too old, of another topic or of none
     * @param onChange called on the feed's thread when there is something to poll; must return at once
     * @throws UnavailableException while the copy is not complete
     */
    public PresenceSubscription subscribe(@Nullable Set<UserId> users, @Nullable BatchToken from, Runnable onChange) {
        return answer(copy -> {
            PresenceSubscription subscription = users == null
                    ? new AllUsersSubscription(this, from, onChange)
                    : new UsersSubscription(this, users, from, onChange);
            if (from != null) {
                waiting.add(subscription);
            }
            return subscription;
        });
    }

    private <T> T answer(Function<PresenceCopy, T> reading) {
        T answer = read(reading);
        if (answer == null) {
            throw new UnavailableException(
                    waitsFor().map(what -> "this waits for " + what).orElse("not now"));
        }
        return answer;
    }

    // ---- for the subscriptions ----

    /** How a token stands to the copy. */
    enum Standing {
        /** Nothing that came after it is missing here. */
        USABLE,
        /** Another instance has read more. */
        AHEAD,
        /** It is of another topic, names partitions that are not there, or is too old. */
        VOID
    }

    Standing standing(BatchToken from, PresenceCopy copy) {
        if (from.offsets().isEmpty()) {
            return Standing.USABLE;
        }
        int known = Math.max(partitions, copy.partitions());
        if (!from.topicId().equals(topicId) || from.offsets().lastKey() >= known) {
            return Standing.VOID;
        }
        boolean ahead = false;
        for (var position : from.offsets().entrySet()) {
            if (position.getValue() < copy.evictedBefore(position.getKey())) {
                return Standing.VOID;
            }
            ahead |= position.getValue() > copy.position(position.getKey());
        }
        return ahead ? Standing.AHEAD : Standing.USABLE;
    }

    void waitsNoLonger(PresenceSubscription subscription) {
        waiting.remove(subscription);
    }

    /** Reads while nobody writes. Returns null while the copy is not complete. */
    <T> @Nullable T read(Function<PresenceCopy, T> reading) {
        lock.readLock().lock();
        try {
            return progress.complete() ? reading.apply(copy) : null;
        } finally {
            lock.readLock().unlock();
        }
    }

    /** Every record before these offsets is delivered; to be called while reading. */
    BatchToken token(int partitions, IntToLongFunction offset) {
        TreeMap<Integer, Long> offsets = new TreeMap<>();
        for (int partition = 0; partition < partitions; partition++) {
            if (offset.applyAsLong(partition) > 0) {
                offsets.put(partition, offset.applyAsLong(partition));
            }
        }
        return new BatchToken(topicId, offsets);
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
        waiting.remove(subscription);
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

    // ---- for the reader ----

    @Override
    PresenceRecord record(UserId user, @Nullable Presence value, long at, int partition, long offset) {
        return new PresenceRecord(user, value, at, partition, offset);
    }

    @Override
    void readsTopic(String id, int partitionCount) {
        topicId = Integer.toHexString(id.hashCode());
        partitions = partitionCount;
    }

    @Override
    void readUpTo(Map<Integer, Long> positions) {
        write(() -> positions.forEach(copy::readUpTo));
    }

    @Override
    void apply(List<PresenceRecord> records) {
        Set<PresenceSubscription> changed = new HashSet<>(toAllUsers);
        write(() -> {
            for (PresenceRecord record : records) {
                UserId user = record.user();
                if (copy.put(user, record)) {
                    for (PresenceSubscription subscription : toUser.getOrDefault(user, Set.of())) {
                        subscription.changed(user);
                        changed.add(subscription);
                    }
                }
            }
            if (progress.complete()) { // until then an older record on another partition could bring them back
                copy.evictForgotten();
            }
        });
        changed.forEach(PresenceFeed::wake); // while others can poll already
    }

    /** Tokens are void, so all subscriptions begin anew. */
    @Override
    void clear(Collection<Integer> partitions) {
        write(() -> {
            progress = Progress.NONE;
            partitions.forEach(copy::clear);
            subscriptions().forEach(PresenceSubscription::restart);
        });
    }

    @Override
    void advance(Progress now) {
        boolean wasComplete = progress.complete();
        write(() -> progress = now);
        if (now.complete() && !wasComplete) {
            subscriptions().forEach(PresenceFeed::wake);
        }
        waiting.forEach(PresenceFeed::wake);
    }

    private Set<PresenceSubscription> subscriptions() {
        Set<PresenceSubscription> all = new HashSet<>(toAllUsers);
        toUser.values().forEach(all::addAll);
        return all;
    }

    void write(Runnable writing) {
        lock.writeLock().lock();
        try {
            writing.run();
        } finally {
            lock.writeLock().unlock();
        }
    }

    private static void wake(PresenceSubscription subscription) {
        try {
            subscription.wake();
        } catch (RuntimeException e) {
            LOG.error("a subscriber could not be told of a change", e); // the others still are
        }
    }
}
