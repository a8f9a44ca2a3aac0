package dev.rollcall.client;

import dev.rollcall.client.TopicLookup.TopicInfo;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
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
 * Where the group has come to, for a subscriber without a group: nowhere, ever. For the thread of {@code run} alone.
 *
 * <p>Each commit's metadata says of which topic it is (by id), and how many partitions that had when the group began
 * with it. So a commit of a topic that was deleted is not taken for one of its successor, and a partition that was added
 * since, whose records are all news to the group, is told from one that the group has not come around to.
 */
final class GroupOffsets {
    private static final Logger LOG = LoggerFactory.getLogger(GroupOffsets.class);
    private static final Pattern METADATA = Pattern.compile("topic=(\\S+) partitions=(\\d{1,9})");

    private final boolean inGroup;
    private final Consumer<byte[], byte[]> consumer;
    private final Map<TopicPartition, Long> committed = new HashMap<>();
    /** Where this process had come to with partitions that it had before, in case the group does not know. */
    private final Map<TopicPartition, Long> left = new HashMap<>();

    private String metadata = "";

    GroupOffsets(boolean inGroup, Consumer<byte[], byte[]> consumer) {
        this.inGroup = inGroup;
        this.consumer = consumer;
    }

    /** What the group knows of a topic. */
    static final class Known {
        private final Map<TopicPartition, OffsetAndMetadata> offsets;
        private final Map<TopicPartition, Long> left;
        private final TopicInfo topic;
        private final int beganWith;

        private Known(Map<TopicPartition, OffsetAndMetadata> offsets, Map<TopicPartition, Long> left, TopicInfo topic) {
            this.offsets = offsets;
            this.left = left;
            this.topic = topic;
            this.beganWith = beganWith();
        }

        /** The first offset that the group has not dealt with; empty: it has not been there. */
        OptionalLong offset(TopicPartition partition) {
            OffsetAndMetadata group = offsets.get(partition);
            long here = left.getOrDefault(partition, -1L);
            long last = Math.max(group == null || isOfAnother(partition) ? -1 : group.offset(), here);
            return last < 0 ? OptionalLong.empty() : OptionalLong.of(last);
        }

        /** Whether the group has only been in a topic of the same name that was deleted. */
        boolean isOfAnother(TopicPartition partition) {
            Matcher matcher = matcher(offsets.get(partition));
            return matcher != null && !topic.id().equals(matcher.group(1));
        }

        /** Whether the partition was added since the group began. */
        boolean isAdded(TopicPartition partition) {
            return partition.partition() >= beganWith;
        }

        private int beganWith() {
            int emitted = 0;
            int highest = -1;
            for (TopicPartition partition : offsets.keySet()) {
                Matcher matcher = matcher(offsets.get(partition));
                if (matcher == null) {
                    highest = Math.max(highest, partition.partition()); // set by hand, or by an earlier version
                } else if (topic.id().equals(matcher.group(1))) {
                    emitted = Math.max(emitted, Integer.parseInt(matcher.group(2)));
                }
            }
            return emitted > 0 ? emitted : highest >= 0 ? highest + 1 : topic.partitions();
        }

        private static @Nullable Matcher matcher(@Nullable OffsetAndMetadata offset) {
            if (offset == null) {
                return null;
            }
            Matcher matcher = METADATA.matcher(offset.metadata());
            return matcher.matches() ? matcher : null;
        }
    }

    /** Asks the group about all partitions. */
    Known known(TopicInfo topic, Set<TopicPartition> partitions) {
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        if (inGroup) {
            consumer.committed(partitions, ReaderClients.ANSWER_WITHIN).forEach((partition, offset) -> {
                if (offset != null) {
                    offsets.put(partition, offset);
                }
            });
        }
        Known known = new Known(offsets, left, topic);
        metadata = "topic=%s partitions=%d".formatted(topic.id(), known.beganWith);
        return known;
    }

    /** This process begins where the group is, or anew. */
    void begins(TopicPartition partition, Known known, boolean anew) {
        OffsetAndMetadata group = known.offsets.get(partition);
        if (group != null && !anew) {
            committed.put(partition, group.offset());
        }
    }

    boolean hasCommitted(TopicPartition partition) {
        return committed.containsKey(partition);
    }

    /** The partition is somebody else's now. */
    void leaves(TopicPartition partition, @Nullable PartitionView view) {
        committed.remove(partition);
        if (inGroup && view != null && view.isLive()) {
            left.put(partition, view.position());
        }
    }

    /** What was dealt with on the partition is not there any more. */
    void lost(TopicPartition partition) {
        committed.remove(partition);
        left.remove(partition);
    }

    /** The topic is another one. */
    void lostAll() {
        committed.clear();
        left.clear();
    }

    void commitSoon(Map<TopicPartition, PartitionView> views) {
        Map<TopicPartition, OffsetAndMetadata> offsets = uncommitted(views, views.keySet());
        if (!offsets.isEmpty()) {
            consumer.commitAsync(offsets, (done, failure) -> {
                if (failure == null) {
                    done.forEach((partition, offset) -> committed.put(partition, offset.offset()));
                } else {
                    LOG.debug("Not committed, which is tried again", failure);
                }
            });
        }
    }

    void commitNow(Map<TopicPartition, PartitionView> views, Collection<TopicPartition> partitions) {
        Map<TopicPartition, OffsetAndMetadata> offsets = uncommitted(views, new HashSet<>(partitions));
        if (offsets.isEmpty()) {
            return;
        }
        try {
            consumer.commitSync(offsets, ReaderClients.ANSWER_WITHIN);
            offsets.forEach((partition, offset) -> committed.put(partition, offset.offset()));
        } catch (KafkaException e) {
            LOG.warn("Not committed, so others may get again what was delivered here: {}", offsets, e);
        }
    }

    /** What the group does not yet know, of these partitions. */
    private Map<TopicPartition, OffsetAndMetadata> uncommitted(
            Map<TopicPartition, PartitionView> views, Set<TopicPartition> partitions) {
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        if (!inGroup) {
            return offsets;
        }
        for (TopicPartition partition : partitions) {
            PartitionView view = views.get(partition);
            if (view != null && view.isLive() && view.position() != committed.getOrDefault(partition, -1L)) {
                offsets.put(partition, new OffsetAndMetadata(view.position(), metadata));
            }
        }
        return offsets;
    }
}
