package dev.rollcall.simulation.processor;

import dev.rollcall.simulation.input.Fetcher;
import dev.rollcall.simulation.input.ThreadClock;
import dev.rollcall.simulation.judge.History.Topic;
import dev.rollcall.simulation.kafka.Cluster;
import dev.rollcall.simulation.kafka.Log;
import dev.rollcall.simulation.kafka.Transaction;
import org.jspecify.annotations.Nullable;

/** The transactions of one thread, one after the other: each is committed with the offsets of what was handled. */
final class Commits {
    /** What came of an attempt. */
    enum Result {
        /** There is nothing to commit, or it is committed. */
        DONE,
        /** It is not time yet. */
        NOT_DUE,
        /** The brokers do not answer: to be tried again, and nothing else is done. */
        BLOCKED,
        /** It is aborted. */
        LOST
    }

    private final Deployment deployment;
    private final StreamThread thread;
    private final Assignment assignment;
    private final Fetcher fetcher;
    private final ThreadClock clock;
    private @Nullable Transaction transaction;
    private boolean isDirty;
    private Machine.@Nullable CommitFailure failsNext;
    private long repeatedAfterMs;
    private long last;

    Commits(Deployment deployment, StreamThread thread, Assignment assignment, Fetcher fetcher, ThreadClock clock) {
        this.deployment = deployment;
        this.thread = thread;
        this.assignment = assignment;
        this.fetcher = fetcher;
        this.clock = clock;
        last = thread.steadyClock();
    }

    /** The one that is open, or a new one. */
    Transaction transaction() {
        Transaction current = transaction;
        if (current == null) {
            current = deployment.transactions().begin(thread::wake);
            transaction = current;
        }
        return current;
    }

    /** There is something to commit. */
    void dirty() {
        isDirty = true;
    }

    void failNext(Machine.CommitFailure how) {
        failsNext = how;
    }

    /** Each request arrives a second time, so many ms later; 0: no longer. */
    void repeat(long laterMs) {
        repeatedAfterMs = laterMs;
    }

    private void arriveAgain() {
        Transaction open = transaction;
        if (open != null) {
            deployment.transactions().repeatedEnd(open);
        }
    }

    /** When the next one is due by the thread's clock; {@link Long#MAX_VALUE}: there is nothing to commit. */
    long dueAt() {
        return isDirty ? last + deployment.pace().commitMs() : Long.MAX_VALUE;
    }

    /** What is open is aborted. */
    void abort() {
        Transaction current = transaction;
        if (current != null && current.isOpen()) {
            deployment.transactions().end(current, false);
        }
        transaction = null;
        isDirty = false;
    }

    /** @param atOnce whether it is due or not */
    Result attempt(boolean atOnce) {
        Transaction open = transaction;
        if (!deployment.group().isMember(thread) || (open != null && !open.isOpen())) {
            return Result.LOST;
        }
        if (!atOnce && (!isDirty || thread.steadyClock() < dueAt())) {
            return Result.NOT_DUE;
        }
        if (!isDirty) {
            return Result.DONE;
        }
        Transaction current = transaction();
        if (!current.isFlushed() || !deployment.cluster().coordinator().isUp()) {
            return Result.BLOCKED;
        }
        last = thread.steadyClock();
        Machine.CommitFailure failure = failsNext;
        failsNext = null;
        if (failure != Machine.CommitFailure.REFUSED) {
            commit(current);
        }
        return failure == null ? Result.DONE : Result.LOST;
    }

    private void commit(Transaction current) {
        for (OpenTask task : assignment.tasks()) {
            for (Topic topic : Topic.values()) {
                Log log = deployment.cluster().log(topic, task.partition());
                Long waiting = task.queues().firstOffset(topic);
                long offset =
                        waiting != null ? waiting : fetcher.position(log.name()).orElse(0);
                deployment.group().commit(Cluster.number(topic), task.partition(), offset);
                log.forget(offset);
            }
        }
        deployment.transactions().end(current, true);
        transaction = null;
        isDirty = false;
        if (repeatedAfterMs > 0) {
            deployment.time().afterMillis(repeatedAfterMs, this::arriveAgain);
        }
        assignment.tasks().forEach(OpenTask::committed);
        clock.spend(deployment.cluster().coordinator().latencyMicros());
    }
}
