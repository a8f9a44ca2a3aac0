package dev.rollcall.simulation.input;

import dev.rollcall.simulation.kafka.Log;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.common.KafkaFuture;

/** A leader's answer to where its log ends, on its way to a thread; to wait for it takes the thread's time. */
public final class EndOffset extends KafkaFuture<ListOffsetsResultInfo> {
    private static final long REQUEST_TIMEOUT_MICROS = 5_000_000;

    private final ThreadClock clock;
    private final long givenUpAt;
    private long doneAt = Long.MAX_VALUE;
    private long offset;

    public EndOffset(Log log, ThreadClock clock) {
        this.clock = clock;
        givenUpAt = clock.micros() + REQUEST_TIMEOUT_MICROS;
        log.whenAvailable(() -> {
            offset = log.endOffset();
            doneAt = clock.micros() + log.leader().latencyMicros();
        });
    }

    @Override
    public boolean isDone() {
        return clock.micros() >= Math.min(doneAt, givenUpAt);
    }

    @Override
    public ListOffsetsResultInfo get() throws ExecutionException {
        clock.waitUntil(Math.min(doneAt, givenUpAt));
        if (doneAt > givenUpAt) {
            throw new ExecutionException(new org.apache.kafka.common.errors.TimeoutException("no answer"));
        }
        return new ListOffsetsResultInfo(offset, -1, Optional.empty());
    }

    @Override
    public ListOffsetsResultInfo get(long timeout, TimeUnit unit) throws ExecutionException, TimeoutException {
        long deadline = clock.micros() + Math.max(0, unit.toMicros(timeout));
        if (Math.min(doneAt, givenUpAt) > deadline) {
            clock.waitUntil(deadline);
            throw new TimeoutException();
        }
        return get();
    }

    @Override
    public ListOffsetsResultInfo getNow(ListOffsetsResultInfo absent) throws ExecutionException {
        return isDone() ? get() : absent;
    }

    // ---- the barrier uses no more than the above ----

    @Override
    public boolean isCancelled() {
        return false;
    }

    @Override
    public boolean isCompletedExceptionally() {
        throw new UnsupportedOperationException();
    }

    @Override
    public CompletionStage<ListOffsetsResultInfo> toCompletionStage() {
        throw new UnsupportedOperationException();
    }

    @Override
    public <R> KafkaFuture<R> thenApply(BaseFunction<ListOffsetsResultInfo, R> function) {
        throw new UnsupportedOperationException();
    }

    @Override
    public KafkaFuture<ListOffsetsResultInfo> whenComplete(
            BiConsumer<? super ListOffsetsResultInfo, ? super Throwable> action) {
        throw new UnsupportedOperationException();
    }

    @Override
    protected boolean complete(ListOffsetsResultInfo value) {
        throw new UnsupportedOperationException();
    }

    @Override
    protected boolean completeExceptionally(Throwable failure) {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean cancel(boolean mayInterrupt) {
        throw new UnsupportedOperationException();
    }
}
