package dev.rollcall.client.reading;

import dev.rollcall.client.reading.TopicLookup.TopicInfo;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The group's committed offsets; without a group there are none. For one thread.
 *
 * <p>A commit's metadata has the topic's id, and how many partitions the topic had at the group's first commit. The id
 * tells a commit of a deleted topic from one of its successor. The number tells a partition that was added since, which
 * the group reads from its beginning, from one that the group has had from the start but has not committed yet.
 */
final class GroupOffsets {
    private static final Logger LOG = LoggerFactory.getLogger(GroupOffsets.class);
    private static final Pattern METADATA = Pattern.compile("topic=(\\S+) partitions=(\\d{1,9})");

    private final boolean inGroup;
    private final Consumer<byte[], byte[]> consumer;
    private final Map<TopicPartition, Long> committed = new HashMap<>();
    /** This process's last positions in partitions that were revoked, in case the commit failed. */
    private final Map<TopicPartition, Long> revoked = new HashMap<>();

    private String metadata = "";

    GroupOffsets(boolean inGroup, Consumer<byte[], byte[]> consumer) {
        this.inGroup = inGroup;
        this.consumer = consumer;
    }

    /** The offsets of one topic, as the brokers had them when asked. */
    static final class Committed {
        private final Map<TopicPartition, OffsetAndMetadata> offsets;
        private final Map<TopicPartition, Long> revoked;
        private final TopicInfo topic;
        private final int initialPartitions;

        private Committed(
                Map<TopicPartition, OffsetAndMetadata> offsets, Map<TopicPartition, Long> revoked, TopicInfo topic) {
            this.offsets = offsets;
            this.revoked = revoked;
            this.topic = topic;
            this.initialPartitions = initialPartitions();
        }

        /** The first offset that was not processed; empty: the group has not started the partition. */
        OptionalLong offset(TopicPartition partition) {
            OffsetAndMetadata group = offsets.get(partition);
            long here = revoked.getOrDefault(partition, -1L);
            long last = Math.max(group == null || isOfDeletedTopic(partition) ? -1 : group.offset(), here);
            return last < 0 ? OptionalLong.empty() : OptionalLong.of(last);
        }

        /** Whether the commit is of a deleted topic of the same name. */
        boolean isOfDeletedTopic(TopicPartition partition) {
            Matcher matcher = matcher(offsets.get(partition));
            return matcher != null && !topic.id().equals(matcher.group(1));
        }

        /** Whether the partition was added after the group's first commit. */
        boolean isAdded(TopicPartition partition) {
            return partition.partition() >= initialPartitions;
        }

        private int initialPartitions() {
            int recorded = 0;
            int highest = -1;
            for (TopicPartition partition : offsets.keySet()) {
                Matcher matcher = matcher(offsets.get(partition));
                if (matcher == null) {
                    highest = Math.max(highest, partition.partition()); // committed by hand, or by an earlier version
                } else if (topic.id().equals(matcher.group(1))) {
                    recorded = Math.max(recorded, Integer.parseInt(matcher.group(2)));
                }
            }
            return recorded > 0 ? recorded : highest >= 0 ? highest + 1 : topic.partitions();
        }

        private static @Nullable Matcher matcher(@Nullable OffsetAndMetadata offset) {
            if (offset == null) {
                return null;
            }
            Matcher matcher = METADATA.matcher(offset.metadata());
            return matcher.matches() ? matcher : null;
        }
    }

    /** Asks the brokers for the commits of these partitions: all, or an added one is not recognised. */
    Committed fetch(TopicInfo topic, Set<TopicPartition> partitions) {
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        if (inGroup) {
            consumer.committed(partitions, ReaderClients.TIMEOUT).forEach((partition, offset) -> {
                if (offset != null) {
                    offsets.put(partition, offset);
                }
            });
        }
        Committed result = new Committed(offsets, revoked, topic);
        metadata = "topic=%s partitions=%d".formatted(topic.id(), result.initialPartitions);
        return result;
    }

    /**
     * This process starts reading a partition.
     *
     * @param reset the commit does not count, since its records are not in the log any more
     */
    void started(TopicPartition partition, Committed offsets, boolean reset) {
        OffsetAndMetadata group = offsets.offsets.get(partition);
        if (group != null && !reset) {
            committed.put(partition, group.offset());
        }
    }

    boolean hasCommitted(TopicPartition partition) {
        return committed.containsKey(partition);
    }

    /** This process reads these partitions no more; these are its last positions in them. */
    void revoked(Collection<TopicPartition> partitions, Map<TopicPartition, Long> positions) {
        committed.keySet().removeAll(partitions);
        if (inGroup) {
            revoked.putAll(positions);
        }
    }

    /** The partition is read from its beginning. */
    void reset(TopicPartition partition) {
        committed.remove(partition);
        revoked.remove(partition);
    }

    /** All partitions are read from their beginnings. */
    void resetAll() {
        committed.clear();
        revoked.clear();
    }

    void commitAsync(Map<TopicPartition, Long> positions) {
        Map<TopicPartition, OffsetAndMetadata> offsets = uncommitted(positions);
        if (!offsets.isEmpty()) {
            consumer.commitAsync(offsets, (done, failure) -> {
                if (failure == null) {
                    done.forEach((partition, offset) -> committed.put(partition, offset.offset()));
                } else {
                    LOG.debug("Could not commit; the next commit includes it", failure);
                }
            });
        }
    }

    void commitSync(Map<TopicPartition, Long> positions) {
        Map<TopicPartition, OffsetAndMetadata> offsets = uncommitted(positions);
        if (offsets.isEmpty()) {
            return;
        }
        try {
            consumer.commitSync(offsets, ReaderClients.TIMEOUT);
            offsets.forEach((partition, offset) -> committed.put(partition, offset.offset()));
        } catch (KafkaException e) {
            LOG.warn("Could not commit, so changes may be delivered again: {}", offsets, e);
        }
    }

    private Map<TopicPartition, OffsetAndMetadata> uncommitted(Map<TopicPartition, Long> positions) {
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        if (inGroup) {
            positions.forEach((partition, position) -> {
                if (!position.equals(committed.get(partition))) {
                    offsets.put(partition, new OffsetAndMetadata(position, metadata));
                }
            });
        }
        return offsets;
    }
}
