package dev.rollcall.client;

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
 * A bounded queue in front of the producer. Adding never waits, where a producer that has no metadata or no memory does
 * ({@code max.block.ms}): event loops must not stand still because a broker does. What was added goes to the producer in
 * that order. Thread-safe.
 */
final class Outbox {
    private static final Logger LOG = LoggerFactory.getLogger(Outbox.class);

    private record Entry(ProducerRecord<byte[], byte[]> record, CompletableFuture<Void> future) {}

    private final EventSender sender;
    private final Executor executor;
    private final Deque<Entry> waiting = new ArrayDeque<>();

    /** What was accepted and has no answer yet: what waits here and what the producer has. */
    private int pending;

    private boolean draining;
    private boolean closed;

    /** Sends on {@code executor}, one task at a time; the task waits when the producer does. */
    Outbox(EventSender sender, Executor executor) {
        this.sender = sender;
        this.executor = executor;
    }

    /**
     * Accepts a record, or refuses it when as many as {@code limit} are pending.
     *
     * @return completes when the brokers have the record; fails if they don't get it, with a {@link
     *     BufferExhaustedException} at once if it was refused
     */
    CompletableFuture<Void> add(ProducerRecord<byte[], byte[]> record, int limit) {
        Entry entry = new Entry(record, new CompletableFuture<>());
        boolean start;
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
            start = !draining;
            draining = true;
        }
        if (start) {
            begin();
        }
        return entry.future;
    }

    private void begin() {
        try {
            executor.execute(this::drain);
        } catch (Throwable e) {
            // Whatever waits would wait for somebody who never comes.
            Deque<Entry> left;
            synchronized (this) {
                draining = false;
                left = new ArrayDeque<>(waiting);
                waiting.clear();
            }
            left.forEach(entry -> answered(entry, e));
        }
    }

    synchronized int pending() {
        return pending;
    }

    /** Waits until everything has its answer, and makes sure that it has one then. Nothing is accepted any more. */
    void close(Duration timeout) {
        long deadline = System.nanoTime() + timeout.toNanos();
        boolean interrupted = !awaitAnswers(deadline);
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
            left.forEach(entry -> answered(entry, closedBeforeSent()));
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Whether that was not cut short by an interrupt. */
    private synchronized boolean awaitAnswers(long deadline) {
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
                var unused = sender.send(next.record).whenComplete((done, failure) -> answered(next, failure));
            } catch (Throwable e) {
                // Also an Error: nobody would send the others, and they are taken in all the same.
                LOG.error("a record could not be handed to the producer, and its sender is told", e);
                answered(next, e);
            }
        }
    }

    private void answered(Entry entry, @Nullable Throwable failure) {
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
