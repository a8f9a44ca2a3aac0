package dev.rollcall.contract;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AclOperation;
import org.jspecify.annotations.Nullable;

/**
 * What was seen of a cluster at one time. What could not be seen is missing, and nothing is concluded from that.
 *
 * @param topics by name
 * @param features empty: they could not be read
 * @param progress empty: it could not be read
 * @param brokerSettings of one broker; empty: they could not be read, which takes a right of its own
 */
public record Cluster(
        Map<String, Topic> topics,
        Optional<Features> features,
        Optional<Progress> progress,
        Map<String, String> brokerSettings) {
    /**
     * A topic.
     *
     * @param id changes when the topic is deleted and created again
     * @param replicas of the partition that has the fewest
     * @param settings those that could be read
     * @param rights what this user may do with it; empty: not known
     */
    public record Topic(
            String name,
            String id,
            int partitions,
            int replicas,
            Map<String, String> settings,
            Optional<Set<AclOperation>> rights) {}

    /** The level of each feature that is in force, and the highest that the brokers could have; 0 is not listed. */
    public record Features(Map<String, Integer> inForce, Map<String, Integer> supported) {}

    /**
     * How far the application has come.
     *
     * @param committed the group's offsets of the inputs
     * @param logs where the logs of the inputs and of the changelogs begin and end
     * @param checkpoints what an earlier look has stored, by the number of the partition
     * @param misplaced the partitions of {@code presence} with records that its number of partitions puts elsewhere, as far as
     *     that was looked at
     */
    public record Progress(
            Map<TopicPartition, Long> committed,
            Map<TopicPartition, Log> logs,
            Map<Integer, Checkpoint> checkpoints,
            Set<Integer> misplaced) {

        /** Empty: nothing was committed. */
        OptionalLong committed(String topic, int partition) {
            @Nullable Long offset = committed.get(new TopicPartition(topic, partition));
            return offset == null ? OptionalLong.empty() : OptionalLong.of(offset);
        }

        Optional<Log> log(String topic, int partition) {
            return Optional.ofNullable(logs.get(new TopicPartition(topic, partition)));
        }
    }

    /** The offsets between which a partition has records. */
    public record Log(long begin, long end) {
        boolean isEmpty() {
            return begin >= end;
        }
    }

    Optional<Topic> topic(String name) {
        return Optional.ofNullable(topics.get(name));
    }

    OptionalInt partitions(String topic) {
        @Nullable Topic found = topics.get(topic);
        return found == null ? OptionalInt.empty() : OptionalInt.of(found.partitions());
    }
}
