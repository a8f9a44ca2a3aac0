package dev.rollcall.client.reading;

import java.util.Collection;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;

/** Is told which partitions are read, and tells what can be committed. Called on the thread that polls. */
public interface AssignmentListener {
    /** Reading of a partition starts. */
    void started(TopicPartition partition, StartOffsets offsets);

    /** What was read of these partitions is not in the log any more; they start again. */
    void reset(Collection<TopicPartition> partitions);

    /** The topic has no such partitions any more. They were reset before. */
    default void deleted(Collection<TopicPartition> partitions) {}

    /** This process, one of a group, does not read these partitions any more. */
    default void revoked(Collection<TopicPartition> partitions) {}

    /** The offset of the next change to deliver, for each partition whose snapshot was delivered. */
    default Map<TopicPartition, Long> positions() {
        return Map.of();
    }
}
