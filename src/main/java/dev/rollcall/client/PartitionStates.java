package dev.rollcall.client;

import dev.rollcall.client.PresenceSubscriber.Progress;
import dev.rollcall.client.reading.AssignmentListener;
import dev.rollcall.client.reading.LastRecord;
import dev.rollcall.client.reading.PartitionAssignment;
import dev.rollcall.client.reading.StartOffsets;
import dev.rollcall.domain.UserId;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** The state of each partition that was started, and the users on them. For one thread. */
final class PartitionStates implements AssignmentListener {
    private final boolean snapshot;
    private final Consumer<Collection<TopicPartition>> onDiscarded;
    private final KnownUsers users = new KnownUsers();
    private final Map<TopicPartition, PartitionState> states = new HashMap<>();

    /** Users of logs that are gone, by the partition that replaces the log. */
    private final Map<Integer, Map<UserId, LastRecord>> removed = new HashMap<>();

    /** Partitions with a loaded snapshot, which is to be delivered. */
    private final Deque<TopicPartition> snapshots = new ArrayDeque<>();

    /**
     * Has no partitions yet.
     *
     * @param snapshot whether users who are not in a new log are delivered as forgotten
     * @param onDiscarded is called with partitions whose records must not be delivered any more
     */
    PartitionStates(boolean snapshot, Consumer<Collection<TopicPartition>> onDiscarded) {
        this.snapshot = snapshot;
        this.onDiscarded = onDiscarded;
    }

    boolean isStarted(TopicPartition partition) {
        return states.containsKey(partition);
    }

    PartitionState get(TopicPartition partition) {
        PartitionState state = states.get(partition);
        if (state == null) {
            throw new IllegalStateException("not started: " + partition);
        }
        return state;
    }

    @Override
    public void started(TopicPartition partition, StartOffsets offsets) {
        Map<UserId, LastRecord> before = removed.remove(partition.partition());
        states.put(
                partition,
                new PartitionState(partition.partition(), offsets, users, before == null ? Map.of() : before));
    }

    @Override
    public void reset(Collection<TopicPartition> partitions) {
        for (TopicPartition partition : partitions) {
            if (snapshot) {
                removedFrom(partition.partition()).putAll(users.removeAll(partition.partition()));
            } // without a snapshot the known users stay, to tell which of the records are duplicates
            states.remove(partition);
        }
        snapshots.removeAll(partitions);
        onDiscarded.accept(partitions);
    }

    @Override
    public void deleted(Collection<TopicPartition> partitions) {
        for (TopicPartition partition : partitions) {
            Map<UserId, LastRecord> users = removed.remove(partition.partition());
            if (users != null) {
                removedFrom(0).putAll(users); // partition 0 exists in every topic
            }
        }
    }

    @Override
    public void revoked(Collection<TopicPartition> partitions) {
        for (TopicPartition partition : partitions) {
            states.remove(partition);
            removed.remove(partition.partition());
            var unused = users.removeAll(partition.partition());
        }
        snapshots.removeAll(partitions);
        onDiscarded.accept(partitions);
    }

    @Override
    public Map<TopicPartition, Long> positions() {
        Map<TopicPartition, Long> positions = new HashMap<>();
        states.forEach((partition, state) -> {
            if (state.isLive()) {
                positions.put(partition, state.position());
            }
        });
        return positions;
    }

    private Map<UserId, LastRecord> removedFrom(int partition) {
        return removed.computeIfAbsent(partition, any -> new HashMap<>());
    }

    /** A partition whose snapshot is to be delivered; null: none. */
    @Nullable
    TopicPartition loadedSnapshot() {
        return snapshots.peek();
    }

    void snapshotLoaded(TopicPartition partition) {
        get(partition).snapshotLoaded();
        snapshots.add(partition);
    }

    void snapshotDelivered(TopicPartition partition) {
        snapshots.remove(partition);
    }

    /** Takes over the consumer's positions, past markers and gaps, once all records that were read are processed. */
    void catchUp(PartitionAssignment assignment) {
        states.forEach((partition, state) -> {
            long position = assignment.position(partition).orElse(state.position());
            if (state.isLoading() && state.reachesSnapshotEnd(position)) {
                snapshotLoaded(partition);
            }
            if (state.isLive()) {
                state.advanceTo(position);
            }
        });
        users.keepForgotten(
                !assignment.starting().isEmpty() || !states.values().stream().allMatch(PartitionState::isLive));
    }

    Map<Integer, Progress> progress(PartitionAssignment assignment) {
        Map<Integer, Progress> progress = new TreeMap<>();
        assignment.starting().forEach(partition -> progress.put(partition.partition(), new Progress(0, 0, false)));
        states.forEach((partition, state) -> {
            assignment.lag(partition).ifPresent(lag -> {
                long position = assignment.position(partition).orElse(state.position());
                state.updateEnd(position + lag);
            });
            progress.put(partition.partition(), state.progress());
        });
        return Map.copyOf(progress);
    }
}
