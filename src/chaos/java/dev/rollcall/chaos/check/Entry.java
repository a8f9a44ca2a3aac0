package dev.rollcall.chaos.check;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A record as it lies in its topic.
 *
 * @param timestamp in ms since the epoch: the broker's where the topic has LogAppendTime, else the producer's
 * @param firstTime where the record was sent on from another partition: when it was first written; null: it was not
 * @param after what was acknowledged some time before this was sent, if its producer named that
 * @param headerBytes how much room its headers take
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record Entry(
        int partition,
        long offset,
        long timestamp,
        byte @Nullable [] key,
        byte @Nullable [] value,
        @Nullable Long firstTime,
        List<Before> after,
        int headerBytes) {

    /** A record on the same partition of another topic. */
    public record Before(String topic, long offset) {}

    public Entry(int partition, long offset, long timestamp, byte @Nullable [] key, byte @Nullable [] value) {
        this(partition, offset, timestamp, key, value, null, List.of(), 0);
    }
}
