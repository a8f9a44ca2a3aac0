package dev.rollcall.client.reading;

import dev.rollcall.client.reading.GroupOffsets.Committed;
import dev.rollcall.client.reading.TopicLookup.TopicInfo;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RetriableException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which partitions this process reads, and where each starts. For one thread.
 *
 * <p>A new partition is paused until its start offsets are known. They are looked up after the rebalance, which must not
 * block, and not before the brokers have described the topic.
 */
public final class PartitionAssignment implements ConsumerRebalanceListener {
    private static final Logger LOG = LoggerFactory.getLogger(PartitionAssignment.class);

    /** Why a partition starts. */
    private enum Reason {
        ASSIGNED,
        /** It was added to a topic of which this process reads all partitions. */
        ADDED,
        /** What was read of it is not in the log any more. */
        RESET
    }

    private final String topicName;
    private final boolean inGroup;
    private final boolean snapshot;
    private final Consumer<byte[], byte[]> consumer;
    private final TopicMonitor monitor;
    private final AssignmentListener listener;
    private final GroupOffsets offsets;

    /** Partitions whose start offsets are not known yet. */
    private final Map<TopicPartition, Reason> starting = new HashMap<>();

    private final Set<TopicPartition> started = new HashSet<>();
    private @Nullable TopicInfo topic;

    /**
     * Has no partitions yet.
     *
     * @param inGroup false: all partitions are read, and nothing is committed
     * @param snapshot whether to read what is in the log already
     */
    public PartitionAssignment(
            String topicName,
            boolean inGroup,
            boolean snapshot,
            Consumer<byte[], byte[]> consumer,
            TopicMonitor monitor,
            AssignmentListener listener) {
        this.topicName = topicName;
        this.inGroup = inGroup;
        this.snapshot = snapshot;
        this.consumer = consumer;
        this.monitor = monitor;
        this.listener = listener;
        this.offsets = new GroupOffsets(inGroup, consumer);
    }

    /**
     * Whether to poll the consumer. It refuses to be without an assignment or a subscription; and where the topic was deleted it
     * would ask for it again and again without a pause, some 600 times a second.
     */
    public boolean canPoll() {
        return inGroup || (!consumer.assignment().isEmpty() && !monitor.isMissing());
    }

    /** Resumes all partitions whose start offsets are known. */
    public void resume() {
        Set<TopicPartition> paused = new HashSet<>(consumer.paused());
        paused.removeAll(starting.keySet());
        if (!paused.isEmpty()) {
            consumer.resume(paused);
        }
    }

    // ---- which partitions ----

    /** Takes the brokers' newest description of the topic. */
    public void update(TopicInfo now) {
        TopicInfo before = topic;
        Reason reason = before == null ? Reason.ASSIGNED : Reason.ADDED;
        if (before != null && !before.id().equals(now.id())) {
            LOG.warn("The topic {} was deleted and created again: it is read from its beginning", topicName);
            reason = Reason.RESET;
            offsets.resetAll();
            reset(Set.copyOf(started));
        } else if (before != null && before.partitions() >= now.partitions()) {
            return; // a topic's partitions are never removed: a broker that reports fewer has stale metadata
        }
        topic = now;
        if (!inGroup) {
            assignAll(now.partitions(), reason);
        }
    }

    private void assignAll(int partitions, Reason reason) {
        Set<TopicPartition> all = partitions(partitions);
        Set<TopicPartition> deleted = new HashSet<>(consumer.assignment());
        deleted.removeAll(all);
        starting.keySet().removeAll(deleted);
        listener.deleted(deleted);
        Set<TopicPartition> added = new LinkedHashSet<>(all);
        added.removeAll(consumer.assignment());
        consumer.assign(all);
        if (reason == Reason.ADDED) {
            LOG.info("The topic {} has {} partitions now: {} are new", topicName, partitions, added.size());
        }
        add(added, reason);
    }

    private void add(Collection<TopicPartition> partitions, Reason reason) {
        for (TopicPartition partition : partitions) {
            consumer.seek(partition, 0); // so that the consumer does not look up a position of its own
            starting.putIfAbsent(partition, reason);
        }
        consumer.pause(partitions);
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
        add(partitions, Reason.ASSIGNED);
        monitor.refresh();
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
        offsets.commitSync(positions(partitions));
        remove(partitions);
    }

    @Override
    public void onPartitionsLost(Collection<TopicPartition> partitions) {
        remove(partitions); // no commit: another member may have them already
    }

    private void remove(Collection<TopicPartition> partitions) {
        offsets.revoked(partitions, positions(partitions));
        starting.keySet().removeAll(partitions);
        started.removeAll(partitions);
        listener.revoked(partitions);
    }

    // ---- from which offsets ----

    /** The log has no records at these partitions' positions. */
    public void outOfRange(Set<TopicPartition> partitions, Exception cause) {
        Set<TopicPartition> read = new HashSet<>(partitions);
        read.retainAll(started);
        LOG.warn(
                "The next offsets are not in the log any more: the topic was created again, or truncated. These"
                        + " partitions are read from their beginnings: {} ({})",
                read,
                cause.getMessage());
        reset(read);
        monitor.refresh(); // it may be another topic
    }

    private void reset(Set<TopicPartition> partitions) {
        for (TopicPartition partition : partitions) {
            offsets.reset(partition);
            starting.put(partition, Reason.RESET);
        }
        started.removeAll(partitions);
        consumer.pause(partitions);
        listener.reset(partitions);
    }

    /** Starts what was assigned, if the brokers tell where. */
    public void startAssigned() {
        TopicInfo now = topic;
        if (starting.isEmpty() || now == null || !monitor.isCurrent()) {
            return;
        }
        try {
            Set<TopicPartition> ready = Set.copyOf(starting.keySet());
            Set<TopicPartition> all = partitions(now.partitions());
            all.addAll(ready);
            Committed committed = offsets.fetch(now, all);
            Map<TopicPartition, Long> beginnings = consumer.beginningOffsets(ready, ReaderClients.TIMEOUT);
            Map<TopicPartition, Long> ends = consumer.endOffsets(ready, ReaderClients.TIMEOUT);
            for (TopicPartition partition : ready) {
                start(partition, committed, beginnings.getOrDefault(partition, 0L), ends.getOrDefault(partition, 0L));
            }
        } catch (RetriableException e) {
            LOG.warn("Cannot start reading {} yet: {}", starting.keySet(), e.toString());
        }
    }

    private void start(TopicPartition partition, Committed committed, long beginning, long end) {
        Reason reason = starting.getOrDefault(partition, Reason.ASSIGNED);
        OptionalLong offset = committed.offset(partition);
        boolean reset = reason == Reason.RESET;
        if (!reset && (committed.isOfDeletedTopic(partition) || offset.orElse(0) > end)) {
            LOG.warn(
                    "The group's offset of {} is not in the log, which ends at {}: the topic was created again, or"
                            + " truncated. It is read from its beginning",
                    partition,
                    end);
            offsets.reset(partition);
            reset = true;
        }
        long changesFrom;
        if (reset) {
            changesFrom = snapshot ? end : beginning;
        } else if (offset.isPresent()) {
            changesFrom = Math.max(beginning, offset.getAsLong());
        } else {
            changesFrom = reason == Reason.ADDED || committed.isAdded(partition) ? beginning : end;
        }
        boolean added = !reset && offset.isEmpty() && changesFrom == beginning;
        offsets.started(partition, committed, reset);
        long from = snapshot ? beginning : changesFrom;
        consumer.seek(partition, from);
        listener.started(partition, new StartOffsets(from, changesFrom, added ? end : changesFrom, end));
        starting.remove(partition);
        started.add(partition);
    }

    private Set<TopicPartition> partitions(int count) {
        Set<TopicPartition> all = new LinkedHashSet<>();
        for (int partition = 0; partition < count; partition++) {
            all.add(new TopicPartition(topicName, partition));
        }
        return all;
    }

    // ---- how far ----

    /** Assigned partitions whose start offsets are not known yet. */
    public Set<TopicPartition> starting() {
        return Set.copyOf(starting.keySet());
    }

    /** The consumer's position, past markers and gaps that are not records; empty: it has none at the moment. */
    public OptionalLong position(TopicPartition partition) {
        try {
            return OptionalLong.of(consumer.position(partition, ReaderClients.TIMEOUT));
        } catch (RetriableException e) {
            return OptionalLong.empty();
        }
    }

    /** How far the consumer is behind the end of the log; empty: not known. */
    public OptionalLong lag(TopicPartition partition) {
        return consumer.currentLag(partition);
    }

    /** The snapshot of this partition was delivered. From here on the group reads from there, even if this process dies. */
    public void commitStart(TopicPartition partition) {
        if (!offsets.hasCommitted(partition)) {
            offsets.commitSync(positions(Set.of(partition)));
        }
    }

    public void commitAsync() {
        offsets.commitAsync(listener.positions());
    }

    public void commitSync() {
        offsets.commitSync(listener.positions());
    }

    private Map<TopicPartition, Long> positions(Collection<TopicPartition> partitions) {
        Map<TopicPartition, Long> some = new HashMap<>(listener.positions());
        some.keySet().retainAll(new HashSet<>(partitions));
        return some;
    }
}
