package dev.rollcall.simulation.judge;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What happened on the partitions of a simulated cluster, told as it happens. All times are ms since the epoch; "true" ones are
 * the simulation's own, which no process in it can see; "stamps" are what the partition's leader wrote, by its own clock.
 *
 * <p>A processor handles records in transactions, as under exactly-once: what was handled and published since the last {@link
 * #committed} is either committed or aborted. After an abort, or when another processor takes the partition over, the records
 * behind the last commit are handled again.
 */
public interface History {
    /** The three inputs, which are partitioned alike. */
    enum Topic {
        DEVICE_HEARTBEAT,
        STATUS,
        APPEAR_OFFLINE
    }

    /**
     * A record of an input.
     *
     * @param offset its place in the log of its topic and partition; a gap: a record that was never committed, or a marker
     * @param stamp the leader's (LogAppendTime)
     * @param sent the true time at which the producer handed it to its client
     * @param acknowledged the true time at which its producer learned that it was written; {@link Long#MAX_VALUE}: never
     * @param headers the last of each name
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Input(
            Topic topic,
            long offset,
            long stamp,
            byte @Nullable [] key,
            byte @Nullable [] value,
            Map<String, byte[]> headers,
            long sent,
            long acknowledged) {}

    /** A record of {@code presence}, with the timestamp that Rollcall gave it. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Output(byte[] key, byte @Nullable [] value, long timestamp) {}

    /** A record of {@code presence-dead-letters}: why, and which input it was (the headers of rule 12). */
    record DeadLetter(String reason, Topic topic, long offset) {}

    /** A partition has a new leader, or its leader's clock was set: from now on, its stamps are the true time plus this. */
    void clockOffset(int partition, Topic topic, long offsetMs);

    /** Rollcall handled a record; all records of a partition that were handled come here, in the order of their effects. */
    void handled(int partition, Input input);

    /** Rollcall published a record of presence while it handled the one before, or in a sweep after it. */
    void published(int partition, Output output);

    /** Rollcall refused the record that it handled last, or, with a heartbeat that a text carries, a part of it. */
    void refused(int partition, DeadLetter deadLetter);

    /** Rollcall sent the record that it handled last on to another partition, where it will be an input once more. */
    void rerouted(int partition, Input input, int to);

    /** The brokers removed a record that Rollcall had not read up to: retention, or compaction for a later one of its key. */
    void removed(int partition, Input input);

    /** What was told since the last commit of the partition is true from now on. */
    void committed(int partition, long trueTime);

    /** What was told since the last commit of the partition has never been. */
    void aborted(int partition);

    /** A processor begins with the partition, with what was stored up to the last commit: one joined, restarted or took over. */
    void takenOver(int partition, long trueTime);

    /** Nothing more comes: all inputs were handled, every process ran without a fault for long enough, and all is committed. */
    void ended(long trueTime);
}
