package dev.rollcall.client;

import dev.rollcall.client.GroupOffsets.Known;
import dev.rollcall.client.KnownUsers.Vanished;
import dev.rollcall.client.PartitionView.Begin;
import dev.rollcall.client.PresenceSubscriber.Progress;
import dev.rollcall.client.TopicLookup.TopicInfo;
import dev.rollcall.domain.UserId;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RetriableException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which partitions this process reads, from where, and how far it is with each. For the thread of {@code run} alone.
 *
 * <p>A partition is begun with outside of the rebalance that brought it, which would have to wait, and only once the
 * brokers have said which topic this is; until then it is paused.
 */
final class ReadPartitions implements ConsumerRebalanceListener {
    private static final Logger LOG = LoggerFactory.getLogger(ReadPartitions.class);

    /** Why a partition is to be begun with. */
    private enum Reason {
        /** It was assigned. */
        TAKEN,
        /** It was added to a topic of which all is read here. */
        ADDED,
        /** What was read of it is not there any more. */
        LOST
    }

    private final String topicName;
    private final boolean inGroup;
    private final boolean snapshot;
    private final Consumer<byte[], byte[]> consumer;
    private final TopicWatch watch;
    private final java.util.function.Consumer<Collection<TopicPartition>> onDropped;
    private final GroupOffsets offsets;
    private final KnownUsers users = new KnownUsers();

    private final Map<TopicPartition, PartitionView> views = new HashMap<>();
    private final Map<TopicPartition, Reason> fresh = new HashMap<>();
    private final Map<Integer, Map<UserId, Vanished>> vanished = new HashMap<>();
    private final Deque<TopicPartition> snapshots = new ArrayDeque<>();
    private @Nullable TopicInfo topic;

    /**
     * With no partitions yet.
     *
     * @param onDropped is to forget what it has of these partitions
     */
    ReadPartitions(
            String topicName,
            PresenceSubscriber.Options options,
            Consumer<byte[], byte[]> consumer,
            TopicWatch watch,
            java.util.function.Consumer<Collection<TopicPartition>> onDropped) {
        this.topicName = topicName;
        this.inGroup = options.group() != null;
        this.snapshot = options.snapshot();
        this.consumer = consumer;
        this.watch = watch;
        this.onDropped = onDropped;
        this.offsets = new GroupOffsets(inGroup, consumer);
    }

    /** Whether there is anything to poll for: a consumer that has nothing assigned refuses to be polled. */
    boolean canBePolled() {
        return inGroup || !consumer.assignment().isEmpty();
    }

    /** Reads on, but not what is yet to be begun with. */
    void resume() {
        Set<TopicPartition> paused = new HashSet<>(consumer.paused());
        paused.removeAll(fresh.keySet());
        if (!paused.isEmpty()) {
            consumer.resume(paused);
        }
    }

    boolean isRead(TopicPartition partition) {
        return views.containsKey(partition);
    }

    PartitionView view(TopicPartition partition) {
        PartitionView view = views.get(partition);
        if (view == null) {
            throw new IllegalStateException("not read here: " + partition);
        }
        return view;
    }

    // ---- which ones ----

    /** The brokers say what the topic is at the moment. */
    void topicIs(TopicInfo now) {
        TopicInfo before = topic;
        Reason reason = before == null ? Reason.TAKEN : Reason.ADDED;
        if (before != null && !before.id().equals(now.id())) {
            LOG.warn(
                    "The topic {} was deleted and created again: what was read of it is void, and it is read from its"
                            + " beginning",
                    topicName);
            reason = Reason.LOST;
            offsets.lostAll();
            beginAnew(Set.copyOf(views.keySet()));
        } else if (before != null && before.partitions() >= now.partitions()) {
            return; // partitions are never taken away: a broker that says so is behind
        }
        topic = now;
        if (!inGroup) {
            assignAll(now.partitions(), reason);
        }
    }

    private void assignAll(int partitions, Reason reason) {
        Set<TopicPartition> all = partitions(partitions);
        Set<TopicPartition> gone = new HashSet<>(consumer.assignment());
        gone.removeAll(all);
        gone.forEach(partition -> {
            fresh.remove(partition);
            // Somebody has to tell of these users.
            Map<UserId, Vanished> users = vanished.remove(partition.partition());
            if (users != null) {
                vanished.computeIfAbsent(0, any -> new HashMap<>()).putAll(users);
            }
        });
        Set<TopicPartition> added = new LinkedHashSet<>(all);
        added.removeAll(consumer.assignment());
        consumer.assign(all);
        if (reason == Reason.ADDED) {
            LOG.info("The topic {} has {} partitions now: {} are new", topicName, partitions, added.size());
        }
        take(added, reason);
    }

    private void take(Collection<TopicPartition> partitions, Reason reason) {
        for (TopicPartition partition : partitions) {
            // So that the consumer does not look for a position by itself: where to begin is decided here.
            consumer.seek(partition, 0);
            fresh.putIfAbsent(partition, reason);
        }
        consumer.pause(partitions);
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
        take(partitions, Reason.TAKEN);
        watch.askAnew();
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
        offsets.commitNow(views, partitions);
        drop(partitions);
    }

    @Override
    public void onPartitionsLost(Collection<TopicPartition> partitions) {
        drop(partitions); // too late to commit: somebody else may have them
    }

    private void drop(Collection<TopicPartition> partitions) {
        for (TopicPartition partition : partitions) {
            offsets.leaves(partition, views.remove(partition));
            fresh.remove(partition);
            vanished.remove(partition.partition());
            var unused = users.drop(partition.partition());
        }
        snapshots.removeAll(partitions);
        onDropped.accept(partitions);
    }

    // ---- from where ----

    /** The brokers have nothing at the positions that this process had come to. */
    void lost(Set<TopicPartition> partitions, Exception why) {
        Set<TopicPartition> read = new HashSet<>(partitions);
        read.retainAll(views.keySet());
        LOG.warn(
                "What is to be read next is not in the log any more: the topic was created again, or cut. These are"
                        + " read from their beginnings: {} ({})",
                read,
                why.getMessage());
        beginAnew(read);
        watch.askAnew(); // it may be another topic
    }

    private void beginAnew(Set<TopicPartition> partitions) {
        for (TopicPartition partition : partitions) {
            if (snapshot) {
                vanished.computeIfAbsent(partition.partition(), any -> new HashMap<>())
                        .putAll(users.drop(partition.partition()));
            } // otherwise what is known tells what is news
            views.remove(partition);
            offsets.lost(partition);
            fresh.put(partition, Reason.LOST);
        }
        snapshots.removeAll(partitions);
        consumer.pause(partitions);
        onDropped.accept(partitions);
    }

    /** Begins with what was assigned, as soon as the brokers say where. */
    void beginFresh() {
        TopicInfo now = topic;
        if (fresh.isEmpty() || now == null || !watch.isCurrent()) {
            return;
        }
        try {
            Set<TopicPartition> begun = Set.copyOf(fresh.keySet());
            Set<TopicPartition> all = partitions(now.partitions());
            all.addAll(begun);
            Known known = offsets.known(now, all);
            Map<TopicPartition, Long> beginnings = consumer.beginningOffsets(begun, ReaderClients.ANSWER_WITHIN);
            Map<TopicPartition, Long> ends = consumer.endOffsets(begun, ReaderClients.ANSWER_WITHIN);
            for (TopicPartition partition : begun) {
                begin(partition, known, beginnings.getOrDefault(partition, 0L), ends.getOrDefault(partition, 0L));
            }
        } catch (RetriableException e) {
            LOG.warn("Cannot yet begin with {}: {}", fresh.keySet(), e.toString());
        }
    }

    private void begin(TopicPartition partition, Known known, long beginning, long end) {
        Reason reason = fresh.getOrDefault(partition, Reason.TAKEN);
        OptionalLong dealtWith = known.offset(partition);
        boolean lost = reason == Reason.LOST;
        if (!lost && (known.isOfAnother(partition) || dealtWith.orElse(0) > end)) {
            LOG.warn(
                    "The group has come to an offset of {} that is not in the log, which ends at {}: the topic was"
                            + " created again, or cut. It is read from its beginning",
                    partition,
                    end);
            offsets.lost(partition);
            lost = true;
        }
        long changesFrom;
        if (lost) {
            changesFrom = snapshot ? end : beginning;
        } else if (dealtWith.isPresent()) {
            changesFrom = Math.max(beginning, dealtWith.getAsLong());
        } else {
            changesFrom = reason == Reason.ADDED || known.isAdded(partition) ? beginning : end;
        }
        boolean added = !lost && dealtWith.isEmpty() && changesFrom == beginning;
        offsets.begins(partition, known, lost);
        long from = snapshot ? beginning : changesFrom;
        consumer.seek(partition, from);
        Map<UserId, Vanished> before = vanished.remove(partition.partition());
        views.put(
                partition,
                new PartitionView(
                        partition.partition(),
                        new Begin(from, changesFrom, added ? end : changesFrom, end),
                        users,
                        before == null ? Map.of() : before));
        fresh.remove(partition);
    }

    private Set<TopicPartition> partitions(int count) {
        Set<TopicPartition> all = new LinkedHashSet<>();
        for (int partition = 0; partition < count; partition++) {
            all.add(new TopicPartition(topicName, partition));
        }
        return all;
    }

    // ---- how far ----

    /** A partition whose snapshot is whole and was not yet given out. */
    @Nullable
    TopicPartition readySnapshot() {
        return snapshots.peek();
    }

    void endFolding(TopicPartition partition) {
        view(partition).endFolding();
        snapshots.add(partition);
    }

    /** All of the snapshot was given out. */
    void snapshotIsOut(TopicPartition partition) {
        snapshots.remove(partition);
        if (!offsets.hasCommitted(partition)) {
            // The group begins here, also if this process dies at once.
            offsets.commitNow(views, List.of(partition));
        }
    }

    /** All that was read is dealt with: the consumer may be further, past markers and holes that are no records. */
    void catchUp() {
        views.forEach((partition, view) -> {
            long position = position(partition, view);
            if (view.isFolding() && view.reachesSnapshotEnd(position)) {
                endFolding(partition);
            }
            if (view.isLive()) {
                view.skipTo(position);
            }
        });
        users.olderMayCome(!fresh.isEmpty() || !views.values().stream().allMatch(PartitionView::isLive));
    }

    /** Where the consumer is; what is known, while it has no position and the brokers don't give it one. */
    private long position(TopicPartition partition, PartitionView view) {
        try {
            return consumer.position(partition, ReaderClients.ANSWER_WITHIN);
        } catch (RetriableException e) {
            return view.position();
        }
    }

    void commitSoon() {
        offsets.commitSoon(views);
    }

    void commitNow() {
        offsets.commitNow(views, views.keySet());
    }

    Map<Integer, Progress> progress() {
        Map<Integer, Progress> now = new TreeMap<>();
        fresh.keySet().forEach(partition -> now.put(partition.partition(), new Progress(0, 0, false)));
        views.forEach((partition, view) -> {
            consumer.currentLag(partition).ifPresent(lag -> view.endIsAt(position(partition, view) + lag));
            now.put(partition.partition(), view.progress());
        });
        return Map.copyOf(now);
    }
}
