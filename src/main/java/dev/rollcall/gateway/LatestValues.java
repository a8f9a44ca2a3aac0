package dev.rollcall.gateway;

import dev.rollcall.domain.UserId;
import dev.rollcall.gateway.PresenceFeed.Progress;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The last value of each user on a topic, of those values that are worth keeping: some 150 bytes per user who has one, and the
 * value. One thread writes; all public methods are thread-safe.
 */
final class LatestValues<V, K> extends TopicCopy<V, LatestValues.Entry<K>> {
    private final String what;
    private final Function<V, Optional<K>> kept;
    private final Map<UserId, Entry<K>> byUser = new ConcurrentHashMap<>();
    private volatile Progress progress = Progress.NONE;

    record Entry<K>(UserId user, Optional<K> value, int partition) {}

    /**
     * Keeps nothing yet.
     *
     * @param what the values in words, for those who must wait for them
     * @param kept what to keep of a value; empty: nothing
     */
    LatestValues(String what, Function<V, Optional<K>> kept) {
        this.what = what;
        this.kept = kept;
    }

    /**
     * What is kept of the user's last value; empty: nothing, or there was none.
     *
     * @throws UnavailableException while the topic is not read to its end
     */
    Optional<K> of(UserId user) {
        if (!progress.complete()) {
            throw new UnavailableException(
                    "this waits for %s to be read: %d of %d".formatted(what, progress.read(), progress.total()));
        }
        return Optional.ofNullable(byUser.get(user)).flatMap(Entry::value);
    }

    @Override
    Entry<K> record(UserId user, @Nullable V value, long at, int partition, long offset) {
        return new Entry<>(user, value == null ? Optional.empty() : kept.apply(value), partition);
    }

    @Override
    void apply(List<Entry<K>> records) {
        for (Entry<K> record : records) {
            if (record.value.isEmpty()) {
                byUser.remove(record.user);
            } else {
                byUser.put(record.user, record);
            }
        }
    }

    @Override
    void clear(Collection<Integer> partitions) {
        progress = Progress.NONE;
        byUser.values().removeIf(entry -> partitions.contains(entry.partition));
    }

    @Override
    void advance(Progress now) {
        progress = now;
    }
}
