package dev.rollcall.topology;

import dev.rollcall.domain.UserId;
import org.apache.kafka.common.utils.Utils;

/**
 * On which partition a user's records belong: murmur2 of the key, as the Java client's default partitioner has it. A producer
 * with another one, such as librdkafka's default, would leave two halves of a user in two tasks.
 */
public record UserPartitioner(int partitions) {

    public int partitionOf(UserId user) {
        return Utils.toPositive(Utils.murmur2(user.bytes())) % partitions;
    }

    public boolean isMisrouted(UserId user, int partition) {
        return partitionOf(user) != partition;
    }
}
