package dev.rollcall.simulation.processor;

import dev.rollcall.consumer.SimulatedBarrier;
import dev.rollcall.simulation.input.EndOffset;
import dev.rollcall.simulation.input.Fetcher;
import dev.rollcall.simulation.input.Queues;
import dev.rollcall.simulation.input.ThreadClock;
import dev.rollcall.simulation.judge.History.Topic;
import dev.rollcall.simulation.kafka.Cluster;
import dev.rollcall.simulation.kafka.Log;
import dev.rollcall.simulation.kafka.Transaction;
import dev.rollcall.simulation.time.Chance;
import dev.rollcall.simulation.time.EventQueue;
import dev.rollcall.topology.OutputLimits;
import dev.rollcall.topology.SimulatedProcess;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** The one thread of one life of a processor, as Kafka Streams' has it: polls, handles, punctuates, commits. */
final class StreamThread {
    private static final int MAX_POLL_RECORDS = 1_000;

    /** {@code buffered.records.per.partition}, as Rollcall sets it; bundles count as one. */
    private static final int BUFFERED = 40;

    private static final long RECORD_MICROS = 10;
    private static final long COMMIT_RETRY_MS = 50;

    /** The process is killed in the midst of something. */
    private static final class Killed extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    private final Deployment deployment;
    private final Machine machine;
    private final EventQueue time;
    private final ThreadClock clock;
    private final SimulatedProcess process;
    private final Fetcher fetcher;
    private final SimulatedBarrier barrier;
    private final Assignment assignment;
    private final Commits commits;

    private final long startedAt;
    private final long clockOffsetMs;
    private long nextTurn = Long.MAX_VALUE;
    private boolean isPolling;
    private boolean isPaused;
    private boolean isDead;
    private boolean isStopping;
    private boolean isBlocked;
    private int stepsToLive;
    private @Nullable Consumer<StreamThread> onDeath;

    StreamThread(Deployment deployment, Machine machine, String instance, Chance chance) {
        this.deployment = deployment;
        this.machine = machine;
        this.time = deployment.time();
        clock = new ThreadClock(time);
        startedAt = time.millis();
        clockOffsetMs = machine.clockOffsetMs();
        InstantSource wall = () -> Instant.ofEpochMilli(time.millis() + machine.clockOffsetMs());
        process = new SimulatedProcess(
                deployment.config(),
                wall.withZone(ZoneOffset.UTC),
                deployment.cluster().partitions(),
                instance,
                OutputLimits.DEFAULTS);
        fetcher = new Fetcher(time, deployment.cluster(), deployment.pace().fetchLimit(), this::wake);
        assignment = new Assignment(deployment, this, machine.disk(), fetcher, chance);
        barrier = new SimulatedBarrier(Cluster.INPUTS, this::endOffsets, () -> clock.micros() * 1_000);
        commits = new Commits(deployment, this, assignment, fetcher, clock);
    }

    /** It has no task for the partition any more; one that was replaced has left it long ago. */
    void left(int partition) {
        if (machine.isLatest(this)) {
            machine.disk().left(partition, time.millis());
        }
    }

    /** In ms. */
    long startedAt() {
        return startedAt;
    }

    SimulatedProcess process() {
        return process;
    }

    /** As {@code SteadyTime} has it: the machine's clock when the thread began, and the time that has passed since. */
    long steadyClock() {
        return time.millis() + clockOffsetMs;
    }

    boolean isOpen() {
        return isRunning() && !assignment.isOpening();
    }

    boolean isDead() {
        return isDead;
    }

    /** Neither dead nor paused. */
    boolean isRunning() {
        return !isDead && !isPaused;
    }

    private Map<TopicPartition, KafkaFuture<ListOffsetsResultInfo>> endOffsets(Set<TopicPartition> partitions) {
        Map<TopicPartition, KafkaFuture<ListOffsetsResultInfo>> answers = new HashMap<>();
        for (Log log : deployment.cluster().logs()) {
            if (partitions.contains(log.name())) {
                answers.put(log.name(), new EndOffset(log, clock));
            }
        }
        return answers;
    }

    // ---- partitions come and go ----

    Assignment assignment() {
        return assignment;
    }

    /** It commits, leaves the group, and ends. */
    void stop() {
        isStopping = true;
        wake();
    }

    private void closeRevoked() {
        assignment.closeRevoked(isStopping);
        if (isStopping) {
            end();
            deployment.group().leave(this);
        }
    }

    private void end() {
        isDead = true;
        machine.disk().cleanUp(startedAt, time.millis());
        fetcher.close();
    }

    /** It was taken for dead, or its transaction was ended: it drops everything, and joins anew. */
    private void loseAll() {
        assignment.drop(true);
        commits.abort();
        deployment.group().leave(this);
        if (isStopping) {
            end();
        } else {
            deployment.group().join(this);
        }
    }

    // ---- the end ----

    void kill() {
        end();
        assignment.drop(false);
    }

    void dieIn(int steps, Consumer<StreamThread> whenDead) {
        stepsToLive = steps;
        onDeath = whenDead;
    }

    /** The process does something that it could be killed before. */
    void step() {
        if (stepsToLive > 0 && --stepsToLive == 0) {
            throw new Killed();
        }
    }

    void pause(long ms) {
        isPaused = true;
        time.afterMillis(Group.SESSION_MS, () -> {
            if (isPaused) {
                deployment.group().leave(this);
            }
        });
        time.afterMillis(ms, () -> {
            isPaused = false;
            wake();
        });
    }

    void repeatCommits(long laterMs) {
        commits.repeat(laterMs);
    }

    void failNextCommit(Machine.CommitFailure how) {
        commits.failNext(how);
    }

    // ---- turns ----

    void wake() {
        schedule(time.micros());
    }

    private void schedule(long micros) {
        long at = Math.max(micros, clock.micros());
        if (!isDead && !isPolling && at < nextTurn) {
            nextTurn = at;
            time.at(at, () -> {
                if (nextTurn == at && !isPolling) {
                    nextTurn = Long.MAX_VALUE;
                    turn();
                }
            });
        }
    }

    private void turn() {
        if (isDead || isPaused) {
            return;
        }
        Map<TopicPartition, List<ConsumerRecord<byte[], byte[]>>> polled = fetcher.poll(MAX_POLL_RECORDS);
        if (polled.isEmpty()) {
            handle(polled);
            return;
        }
        polled.replaceAll((partition, records) ->
                partition.topic().equals(Cluster.INPUTS.get(0)) ? SimulatedBarrier.bundled(records) : records);
        barrier.poll(new ConsumerRecords<>(polled, Map.of()));
        if (clock.micros() > time.micros()) {
            isPolling = true;
            time.at(clock.micros(), () -> {
                isPolling = false;
                handle(polled);
            });
        } else {
            handle(polled);
        }
    }

    private void handle(Map<TopicPartition, List<ConsumerRecord<byte[], byte[]>>> polled) {
        if (isDead) {
            return;
        }
        if (isPaused) {
            time.afterMillis(100, () -> handle(polled));
            isPolling = true;
            return;
        }
        isPolling = false;
        try {
            polled.forEach((partition, records) -> {
                OpenTask task = assignment.task(partition.partition());
                if (task != null) {
                    task.queues().add(Cluster.topic(partition.topic()), records);
                }
            });
            if (!isBlocked) {
                for (OpenTask task : assignment.tasks()) {
                    process(task);
                }
                for (OpenTask task : assignment.tasks()) {
                    if (task.task().punctuate()) {
                        commits.dirty();
                    }
                }
            }
            maybeCommit();
        } catch (Killed e) {
            kill();
            if (onDeath != null) {
                onDeath.accept(this);
            }
            return;
        } catch (RuntimeException e) {
            kill();
            machine.failed(this, e);
            return;
        }
        scheduleNext();
    }

    private void process(OpenTask task) {
        Queues queues = task.queues();
        for (Topic topic : Topic.values()) {
            TopicPartition partition =
                    deployment.cluster().log(topic, task.partition()).name();
            queues.updateLag(topic, barrier.lag(partition, fetcher.lag(partition), fetcher::position));
        }
        for (int left = deployment.pace().turnLimit(); left > 0 && queues.isReady(); left--) {
            task.process();
            commits.dirty();
            clock.spend(RECORD_MICROS);
        }
        for (Topic topic : Topic.values()) {
            fetcher.pause(deployment.cluster().log(topic, task.partition()).name(), queues.size(topic) > BUFFERED);
        }
    }

    private void scheduleNext() {
        if (isBlocked) {
            schedule(time.micros() + COMMIT_RETRY_MS * 1_000);
            return;
        }
        boolean waits = false;
        long next = Long.MAX_VALUE;
        for (OpenTask task : assignment.tasks()) {
            if (task.queues().isReady()) {
                schedule(clock.micros());
                return;
            }
            waits |= !task.queues().isEmpty();
            next = Math.min(next, task.task().nextPunctuation());
        }
        if (fetcher.hasData()) {
            schedule(clock.micros());
            return;
        }
        next = Math.min(next, commits.dueAt());
        boolean isEnding = isStopping || assignment.isAnyRevoked();
        if (next != Long.MAX_VALUE) {
            schedule(time.micros() + Math.max(1, next - steadyClock()) * 1_000);
        }
        if (waits || isEnding) {
            schedule(time.micros()
                    + Math.min(deployment.pace().pollMs(), isEnding ? COMMIT_RETRY_MS : Long.MAX_VALUE) * 1_000);
        }
    }

    @Override
    public String toString() {
        return "dead %s, paused %s, stopping %s, blocked %s, polling %s, %s"
                .formatted(isDead, isPaused, isStopping, isBlocked, isPolling, assignment);
    }

    /** A clock tick from a topic of its own. */
    void ownTick(OpenTask task, byte[] value, long stamp) {
        if (!isDead && !isPaused && assignment.task(task.partition()) == task) {
            task.task().processOwnTick(value, stamp);
            commits.dirty();
            wake();
        }
    }

    // ---- commits ----

    Transaction transaction() {
        return commits.transaction();
    }

    private void maybeCommit() {
        boolean isEnding = isStopping || assignment.isAnyRevoked();
        Commits.Result result = commits.attempt(isEnding);
        isBlocked = result == Commits.Result.BLOCKED;
        if (result == Commits.Result.LOST) {
            loseAll();
        } else if (result == Commits.Result.DONE) {
            machine.isWell();
            if (isEnding) {
                closeRevoked();
            }
        }
    }
}
