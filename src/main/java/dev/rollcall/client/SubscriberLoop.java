package dev.rollcall.client;

import dev.rollcall.client.PresenceSubscriber.Listener;
import dev.rollcall.client.PresenceSubscriber.Options;
import dev.rollcall.client.PresenceSubscriber.Progress;
import dev.rollcall.client.PresenceSubscriber.Totals;
import dev.rollcall.client.reading.PartitionAssignment;
import dev.rollcall.client.reading.ReaderClients;
import dev.rollcall.client.reading.TopicLookup.TopicInfo;
import dev.rollcall.client.reading.TopicMonitor;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.UserId;
import dev.rollcall.wire.Topic;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.InvalidOffsetException;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** Polls, delivers and commits, in rounds. For one thread, except for what is marked as thread-safe. */
final class SubscriberLoop implements AutoCloseable {
    private static final Duration POLL_TIMEOUT = Duration.ofMillis(200);

    /** How long to deliver between two polls, which keep this process in the group. */
    private static final Duration DELIVER_FOR = Duration.ofMillis(200);

    private static final Duration COMMIT_EVERY = Duration.ofSeconds(1);

    private final ReaderClients clients;
    private final LongSupplier nanoTime;
    private final TopicMonitor monitor;
    private final PartitionStates partitions;
    private final PartitionAssignment assignment;
    private final Delivery delivery;
    private long committedAt;

    private volatile boolean stopped;
    private volatile Map<Integer, Progress> progress = Map.of();

    SubscriberLoop(
            Topic<UserId, Presence> topic,
            Options options,
            Listener listener,
            ReaderClients clients,
            LongSupplier nanoTime) {
        boolean inGroup = options.group() != null;
        this.clients = clients;
        this.nanoTime = nanoTime;
        this.monitor = new TopicMonitor(topic.name(), clients.lookup(), nanoTime);
        this.partitions = new PartitionStates(options.snapshot(), this::discard);
        this.assignment = new PartitionAssignment(
                topic.name(), inGroup, options.snapshot(), clients.consumer(), monitor, partitions);
        this.delivery = new Delivery(topic, options, listener, nanoTime, partitions, assignment::commitStart);
        this.committedAt = nanoTime.getAsLong();
        if (inGroup) {
            clients.consumer().subscribe(List.of(topic.name()), assignment);
        }
    }

    /** Until {@link #stop}. */
    void run() {
        while (!stopped) {
            step();
        }
    }

    /** After the change that the listener is processing. Thread-safe. */
    void stop() {
        stopped = true;
    }

    /** One round: polls once, and delivers for a while. */
    void step() {
        TopicInfo described = monitor.poll();
        if (described != null) {
            assignment.update(described);
        }
        poll();
        assignment.startAssigned();
        long until = nanoTime.getAsLong() + DELIVER_FOR.toNanos();
        while (!stopped && delivery.work()) {
            if (nanoTime.getAsLong() - until >= 0) {
                break;
            }
        }
        if (delivery.isIdle()) {
            partitions.catchUp(assignment);
        }
        if (nanoTime.getAsLong() - committedAt >= COMMIT_EVERY.toNanos()) {
            committedAt = nanoTime.getAsLong();
            assignment.commitAsync();
        }
        progress = partitions.progress(assignment);
    }

    private void poll() {
        if (!assignment.canPoll()) {
            monitor.await(POLL_TIMEOUT);
            return;
        }
        Duration wait = POLL_TIMEOUT;
        if (monitor.isMissing()) {
            monitor.await(POLL_TIMEOUT); // as the consumer does not pause, and has to be polled to stay in the group
            wait = Duration.ZERO;
        } else if (delivery.isBusy()) {
            // Polls without reading more, to stay in the group.
            clients.consumer().pause(clients.consumer().assignment());
            wait = delivery.untilRetry(POLL_TIMEOUT);
        } else {
            assignment.resume();
        }
        try {
            clients.consumer().poll(wait).forEach(delivery::add);
        } catch (InvalidOffsetException e) {
            assignment.outOfRange(e.partitions(), e);
        }
    }

    private void discard(Collection<TopicPartition> gone) {
        delivery.discard(gone);
    }

    /** Commits, and closes the clients. */
    @Override
    public void close() {
        progress = Map.of();
        try (clients) {
            assignment.commitSync();
        }
    }

    /** Thread-safe; empty after {@link #close}. */
    Map<Integer, Progress> progress() {
        return progress;
    }

    /** Thread-safe. */
    Totals totals() {
        return delivery.totals();
    }

    /** See {@link TopicMonitor#waitsFor}; or a schema. Thread-safe. */
    @Nullable
    String waitsFor() {
        String missing = monitor.waitsFor();
        return missing == null ? delivery.waitsFor() : missing;
    }

    /** See {@link TopicMonitor#isMissing}. Thread-safe. */
    boolean isTopicMissing() {
        return monitor.isMissing();
    }
}
