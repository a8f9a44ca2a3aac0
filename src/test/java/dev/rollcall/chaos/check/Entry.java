package dev.rollcall.chaos.check;

import org.jspecify.annotations.Nullable;

/**
 * A record as it lies in its topic.
 *
 * @param timestamp in ms since the epoch: the broker's where the topic has LogAppendTime, else the producer's
 * @param firstTime where the record was sent on from another partition: when it was first written; null: it was not
 */
@SuppressWarnings("ArrayRecordComponent") // compared by nobody
public record Entry(
        int partition,
        long offset,
        long timestamp,
        byte @Nullable [] key,
        byte @Nullable [] value,
        @Nullable Long firstTime) {

    public Entry(int partition, long offset, long timestamp, byte @Nullable [] key, byte @Nullable [] value) {
        this(partition, offset, timestamp, key, value, null);
    }
}
