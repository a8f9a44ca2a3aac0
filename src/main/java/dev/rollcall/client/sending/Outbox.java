package dev.rollcall.client.sending;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.apache.kafka.clients.producer.BufferExhaustedException;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A bounded queue in front of the producer. Adding never blocks, while the producer blocks for up to {@code
 * max.block.ms} without metadata or memory: event loops must not block because a broker is away. Records go to the
 * producer in the order of adding. Thread-safe.
 */
public final class Outbox {
    private static final Logger LOG = LoggerFactory.getLogger(Outbox.class);

    private record Entry(ProducerRecord<byte[], byte[]> record, CompletableFuture<Void> future) {}

    private final EventSender sender;
    private final Executor executor;
    private final Deque<Entry> waiting = new ArrayDeque<>();

    /** Records that were accepted and are neither acknowledged nor failed, here or in the producer. */
    private int pending;

    private boolean draining;
    private boolean closed;

    /** Sends on {@code executor}, one task at a time; the task blocks when the producer does. */
    public Outbox(EventSender sender, Executor executor) {
        this.sender = sender;
        this.executor = executor;
    }

    /**
     * Accepts a record, unless {@code limit} records are pending.
     *
     * @return completes when the brokers have the record; fails if they don't get it, with a {@link
     *     BufferExhaustedException} at once if it was not accepted
     */
    public CompletableFuture<Void> add(ProducerRecord<byte[], byte[]> record, int limit) {
        Entry entry = new Entry(record, new CompletableFuture<>());
        boolean idle;
        synchronized (this) {
            if (closed) {
                return CompletableFuture.failedFuture(closedBeforeSent());
            }
            if (pending >= limit) {
                return CompletableFuture.failedFuture(new BufferExhaustedException(
                        "%d records are waiting for the brokers, and no more than %d may".formatted(pending, limit)));
            }
            waiting.add(entry);
            pending++;
            idle = !draining;
            draining = true;
        }
        if (idle) {
            startDraining();
        }
        return entry.future;
    }

    private void startDraining() {
        try {
            executor.execute(this::drain);
        } catch (Throwable e) {
            // No other task would come for the records that wait.
            Deque<Entry> left;
            synchronized (this) {
                draining = false;
                left = new ArrayDeque<>(waiting);
                waiting.clear();
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
        Deque<Entry> left;
        synchronized (this) {
            closed = true;
            left = new ArrayDeque<>(waiting);
            waiting.clear();
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

    private void drain() {
        while (true) {
            Entry next;
            synchronized (this) {
                next = waiting.poll();
                if (next == null) {
                    draining = false;
                    return;
                }
            }
            try {
                var unused = sender.send(next.record).whenComplete((done, failure) -> complete(next, failure));
            } catch (Throwable e) {
                // Also an Error: it would end this task, and the records that come after would never be sent.
                LOG.error("A record could not be handed to the producer; its future fails", e);
                complete(next, e);
            }
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
