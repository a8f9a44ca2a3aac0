package dev.rollcall.topology;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Headers;
import org.jspecify.annotations.Nullable;

/** What a simulated task acts on: a transaction of a simulated producer, and somebody who wants to know why. */
public interface Surroundings {
    /** What follows is because of this record, which is handled now. */
    void handles(ConsumerRecord<byte[], byte[]> record);

    void presence(byte[] key, byte @Nullable [] value, long timestamp);

    void deadLetter(byte @Nullable [] key, byte @Nullable [] value, Headers headers);

    /** Into the task's own partition of the heartbeats. */
    void clockTick(byte[] value);

    /** To a topic of its own, where a variant has its clock ticks. */
    default void ownClockTick(byte[] value) {
        throw new UnsupportedOperationException();
    }

    /** Back to the topic that it came from, to where murmur2 of the key puts it. */
    void rerouted(String topic, byte @Nullable [] key, byte @Nullable [] value, Headers headers);

    /** To the changelog of one of the {@link PresenceTopology}'s stores. */
    void changelog(String store, byte[] key, byte @Nullable [] value);

    /** The clock of Kafka Streams, which no step of the machine's clock moves, in ms since the epoch. */
    long steadyClock();
}
