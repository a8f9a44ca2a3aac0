package dev.rollcall.client.sending;

import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.apache.kafka.clients.producer.BufferExhaustedException;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A bounded queue in front of the producer. Adding never blocks, while the producer blocks for up to {@code
 * max.block.ms} without metadata or memory: event loops must not block because a broker is away. The records of a topic
 * go to the producer in the order of adding. Topics do not wait for each other. Thread-safe.
 *
 * <p>Where the producer has waited in vain, for a topic that is missing for instance, the records that have waited
 * behind fail with it: they would wait for the same.
 */
public final class Outbox {
    private static final Logger LOG = LoggerFactory.getLogger(Outbox.class);

    /** The limit of records that are few anyway. */
    static final int NO_LIMIT = Integer.MAX_VALUE;

    private record Entry(Supplier<CompletableFuture<Void>> send, long addedAt, CompletableFuture<Void> future) {}

    /** The records of one topic. */
    private static final class Lane {
        private final Deque<Entry> waiting = new ArrayDeque<>();
        private boolean draining;

        private Deque<Entry> takeAll() {
            Deque<Entry> all = new ArrayDeque<>(waiting);
            waiting.clear();
            return all;
        }
    }

    private final EventSender sender;
    private final Executor executor;
    private final InstantSource clock;
    private final long maxWaitMs;
    private final Map<String, Lane> lanes = new HashMap<>();

    /** Records that were accepted and are neither acknowledged nor failed, here or in the producer. */
    private int pending;

    private boolean closed;

    /** Sends on {@code executor}, one task at a time for each topic; the task blocks when the producer does. */
    public Outbox(EventSender sender, Executor executor, InstantSource clock, Duration maxWait) {
        this.sender = sender;
        this.executor = executor;
        this.clock = clock;
        this.maxWaitMs = maxWait.toMillis();
    }

    /**
     * Accepts a record, unless {@code limit} records are pending.
     *
     * @return completes when the brokers have the record; fails if they don't get it, with a {@link
     *     BufferExhaustedException} at once if it was not accepted
     */
    public CompletableFuture<Void> add(ProducerRecord<byte[], byte[]> record, int limit) {
        return add(record.topic(), () -> sender.send(record), limit);
    }

    /** As {@link #add(ProducerRecord, int)}, with what sends to {@code topic} in its turn; it may block. */
    CompletableFuture<Void> add(String topic, Supplier<CompletableFuture<Void>> send, int limit) {
        Entry entry = new Entry(send, clock.millis(), new CompletableFuture<>());
        Lane lane;
        boolean idle;
        synchronized (this) {
            if (closed) {
                return CompletableFuture.failedFuture(closedBeforeSent());
            }
            if (pending >= limit) {
                return CompletableFuture.failedFuture(new BufferExhaustedException(
                        "%d records are waiting for the brokers, and no more than %d may".formatted(pending, limit)));
            }
            lane = lanes.computeIfAbsent(topic, name -> new Lane());
            lane.waiting.add(entry);
            pending++;
            idle = !lane.draining;
            lane.draining = true;
        }
        if (idle) {
            startDraining(lane);
        }
        return entry.future;
    }

    private void startDraining(Lane lane) {
        try {
            executor.execute(() -> drain(lane));
        } catch (Throwable e) {
            // No other task would come for the records that wait.
            Deque<Entry> left;
            synchronized (this) {
                lane.draining = false;
                left = lane.takeAll();
            }
            left.forEach(entry -> complete(entry, e));
        }
    }

    /** How many records were accepted and are neither acknowledged nor failed. */
    public synchronized int pending() {
        return pending;
    }

    /** Waits until no record is pending, fails those that are after the timeout, and accepts none from then on. */
    public void close(Duration timeout) {
        long deadline = System.nanoTime() + timeout.toNanos();
        boolean interrupted = !awaitCompletion(deadline);
        Deque<Entry> left = new ArrayDeque<>();
        synchronized (this) {
            closed = true;
            lanes.values().forEach(lane -> left.addAll(lane.takeAll()));
        }
        Duration remaining = Duration.ofNanos(Math.max(0, deadline - System.nanoTime()));
        try {
            sender.close(interrupted ? Duration.ZERO : remaining);
        } finally {
            left.forEach(entry -> complete(entry, closedBeforeSent()));
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Returns whether it was not interrupted. */
    private synchronized boolean awaitCompletion(long deadline) {
        try {
            long leftMs = millisUntil(deadline);
            while (pending > 0 && leftMs > 0) {
                wait(leftMs);
                leftMs = millisUntil(deadline);
            }
            return true;
        } catch (InterruptedException e) {
            return false;
        }
    }

    private static long millisUntil(long deadline) {
        return Duration.ofNanos(deadline - System.nanoTime()).toMillis();
    }

    private void drain(Lane lane) {
        while (true) {
            Entry next;
            synchronized (this) {
                next = lane.waiting.poll();
                if (next == null) {
                    lane.draining = false;
                    return;
                }
            }
            try {
                send(lane, next);
            } catch (Throwable e) {
                // Also an Error: it would end this task, and the records that come after would never be sent.
                LOG.error("A record could not be handed to the producer; its future fails", e);
                complete(next, e);
            }
        }
    }

    private void send(Lane lane, Entry entry) {
        long waitedMs = clock.millis() - entry.addedAt;
        if (waitedMs > maxWaitMs) {
            complete(entry, new TimeoutException("the producer was busy for %d ms".formatted(waitedMs)));
            return;
        }
        CompletableFuture<Void> sent = entry.send.get();
        var unused = sent.whenComplete((done, failure) -> complete(entry, failure));
        // A record that the producer has accepted fails later, and not here.
        if (sent.isCompletedExceptionally()
                && sent.handle((done, failure) -> failure).join() instanceof TimeoutException waitedInVain) {
            Deque<Entry> behind;
            synchronized (this) {
                behind = lane.takeAll();
            }
            behind.forEach(one -> complete(one, waitedInVain));
        }
    }

    private void complete(Entry entry, @Nullable Throwable failure) {
        synchronized (this) {
            pending--;
            if (pending == 0) {
                notifyAll();
            }
        }
        if (failure == null) {
            entry.future.complete(null);
        } else {
            entry.future.completeExceptionally(failure);
        }
    }

    private static KafkaException closedBeforeSent() {
        return new KafkaException("the publisher was closed before this could be sent");
    }
}
