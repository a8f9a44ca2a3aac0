package dev.rollcall.client.reading;

/**
 * Where reading of a partition starts, and what its records mean.
 *
 * @param position the first offset that is read
 * @param snapshotEnd records before this offset make up the snapshot, those from here on are changes
 * @param completeAt the subscriber is complete when it has delivered up to here: the snapshot, and for a partition that
 *     was added to the topic, which has no snapshot, the changes that it had at the start
 * @param end the end of the log at the start
 */
public record StartOffsets(long position, long snapshotEnd, long completeAt, long end) {}
