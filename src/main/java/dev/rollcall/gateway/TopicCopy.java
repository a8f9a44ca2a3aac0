package dev.rollcall.gateway;

import dev.rollcall.domain.UserId;
import dev.rollcall.gateway.PresenceFeed.Progress;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link TopicReader} keeps of a compacted topic. All methods but {@link #record} are called on its thread.
 *
 * @param <V> the topic's values
 * @param <R> what is kept of one record
 */
public abstract sealed class TopicCopy<V, R> permits PresenceFeed, LatestValues {
    /** Makes what is to be kept of a record; on any thread. A null value removes the user. */
    abstract R record(UserId user, @Nullable V value, long at, int partition, long offset);

    /** Names the topic; another one while nothing of it is in here. */
    void readsTopic(String id, int partitions) {}

    /** The partitions are read up to these offsets, which need not be those of records: all instances come to the same. */
    void readUpTo(Map<Integer, Long> positions) {}

    /** Takes records of one partition or several, each partition's in order. */
    abstract void apply(List<R> records);

    /** What was read of these partitions is not in the topic any more. */
    abstract void clear(Collection<Integer> partitions);

    /** Takes how far the topic is read. */
    abstract void advance(Progress now);

    /** Reading has failed; {@code why}: what is waited for, in words. */
    final void fail(String why) {
        advance(Progress.waiting(why));
    }
}
