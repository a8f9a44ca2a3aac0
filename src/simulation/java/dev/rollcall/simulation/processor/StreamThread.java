package dev.rollcall.simulation.processor;

import dev.rollcall.consumer.SimulatedBarrier;
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
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
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
    private final Chance chance;
    private final ThreadClock clock;
    private final SimulatedProcess process;
    private final Fetcher fetcher;
    private final SimulatedBarrier barrier;
    private final Map<Integer, OpenTask> tasks = new TreeMap<>();
    private final Set<Integer> opening = new TreeSet<>();

    private @Nullable Transaction transaction;
    private boolean isDirty;
    private long lastCommit;
    private long nextTurn = Long.MAX_VALUE;
    private boolean isPolling;
    private boolean isPaused;
    private boolean isDead;
    private boolean isStopping;
    private boolean isBlocked;
    private boolean failsNextCommit;
    private int stepsToLive;
    private @Nullable Consumer<StreamThread> onDeath;

    StreamThread(Deployment deployment, Machine machine, String instance, Chance chance) {
        this.deployment = deployment;
        this.machine = machine;
        this.time = deployment.time();
        this.chance = chance;
        clock = new ThreadClock(time);
        InstantSource wall = () -> Instant.ofEpochMilli(wallClock());
        process = new SimulatedProcess(
                deployment.config(),
                wall.withZone(ZoneOffset.UTC),
                deployment.cluster().partitions(),
                instance,
                OutputLimits.DEFAULTS);
        fetcher = new Fetcher(time, deployment.cluster(), deployment.pace().fetchLimit(), this::wake);
        barrier = new SimulatedBarrier(Cluster.INPUTS, this::endOffsets, () -> clock.micros() * 1_000);
        lastCommit = wallClock();
    }

    SimulatedProcess process() {
        return process;
    }

    long wallClock() {
        return machine.wallClock();
    }

    boolean isOpen() {
        return !isDead && !isPaused && opening.isEmpty();
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

    /** The group gives it this partition; it has to restore it first. */
    void give(int partition) {
        opening.add(partition);
        time.afterMillis(chance.magnitude(20, 3_000), () -> open(partition));
    }

    private void open(int partition) {
        if (isDead || !opening.contains(partition)) {
            return;
        }
        if (isPaused) {
            time.afterMillis(1_000, () -> open(partition));
            return;
        }
        opening.remove(partition);
        Disk.Stores stores = machine.disk().restored(deployment, partition);
        tasks.put(partition, new OpenTask(deployment, this, partition, stores));
        for (Topic topic : Topic.values()) {
            fetcher.add(
                    deployment.cluster().log(topic, partition),
                    deployment.group().committed(topic.ordinal(), partition));
        }
        wake();
    }

    /** The group wants it back. */
    void revoke(int partition) {
        OpenTask task = tasks.get(partition);
        if (task == null) {
            opening.remove(partition);
            deployment.group().released(partition);
        } else {
            task.revoke();
            wake();
        }
    }

    /** The group has given it to another: what was not committed will not be. */
    void fence(int partition) {
        opening.remove(partition);
        OpenTask task = tasks.get(partition);
        if (task != null) {
            task.abort();
        }
    }

    /** It commits, leaves the group, and ends. */
    void stop() {
        isStopping = true;
        wake();
    }

    private void closeRevoked() {
        for (OpenTask task : List.copyOf(tasks.values())) {
            if (task.isRevoked() || isStopping) {
                int partition = task.partition();
                Disk.Stores stores = machine.disk().of(partition);
                task.task()
                        .closeCleanly(
                                deployment.users(partition).endOffset(),
                                stores.shards(),
                                deployment.shards(partition).endOffset());
                forget(task);
                if (!isStopping) {
                    deployment.group().released(partition);
                }
            }
        }
        if (isStopping) {
            isDead = true;
            fetcher.close();
            deployment.group().leave(this);
        }
    }

    private void forget(OpenTask task) {
        tasks.remove(task.partition());
        for (Topic topic : Topic.values()) {
            fetcher.remove(deployment.cluster().log(topic, task.partition()));
        }
    }

    /** It was taken for dead, or its transaction was ended: it drops everything, and joins anew. */
    private void loseAll() {
        for (OpenTask task : List.copyOf(tasks.values())) {
            task.abort();
            task.task().closeDirty();
            forget(task);
        }
        if (transaction != null && transaction.isOpen()) {
            deployment.transactions().end(transaction, false);
        }
        transaction = null;
        isDirty = false;
        isBlocked = false;
        deployment.group().leave(this);
        if (!isStopping) {
            deployment.group().join(this);
        }
    }

    // ---- the end ----

    void kill() {
        isDead = true;
        fetcher.close();
        for (OpenTask task : List.copyOf(tasks.values())) {
            task.abort();
            forget(task);
        }
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

    void failNextCommit() {
        failsNextCommit = true;
    }

    // ---- turns ----

    private void wake() {
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
                OpenTask task = tasks.get(partition.partition());
                if (task != null) {
                    task.queues().add(Cluster.topic(partition.topic()), records);
                }
            });
            if (!isBlocked) {
                for (OpenTask task : tasks.values()) {
                    process(task);
                }
                for (OpenTask task : tasks.values()) {
                    isDirty |= task.task().punctuate();
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
            isDirty = true;
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
        for (OpenTask task : tasks.values()) {
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
        if (isDirty) {
            next = Math.min(next, lastCommit + deployment.pace().commitMs());
        }
        boolean isEnding = isStopping || tasks.values().stream().anyMatch(OpenTask::isRevoked);
        if (next != Long.MAX_VALUE) {
            schedule(time.micros() + Math.max(1, next - wallClock()) * 1_000);
        }
        if (waits || isEnding) {
            schedule(time.micros()
                    + Math.min(deployment.pace().pollMs(), isEnding ? COMMIT_RETRY_MS : Long.MAX_VALUE) * 1_000);
        }
    }

    @Override
    public String toString() {
        StringBuilder state = new StringBuilder("dead %s, paused %s, stopping %s, blocked %s, polling %s, opening %s, next turn in %d ms"
                .formatted(
                        isDead,
                        isPaused,
                        isStopping,
                        isBlocked,
                        isPolling,
                        opening,
                        nextTurn == Long.MAX_VALUE ? -1 : (nextTurn - time.micros()) / 1_000));
        for (OpenTask task : tasks.values()) {
            for (Topic topic : Topic.values()) {
                TopicPartition partition = deployment.cluster().log(topic, task.partition()).name();
                state.append("; %s queued %d, lag %s of %s"
                        .formatted(
                                partition,
                                task.queues().size(topic),
                                barrier.lag(partition, fetcher.lag(partition), fetcher::position),
                                fetcher.lag(partition)));
            }
        }
        return state.toString();
    }

    /** A clock tick from a topic of its own. */
    void ownTick(OpenTask task, byte[] value, long stamp) {
        if (!isDead && !isPaused && tasks.get(task.partition()) == task) {
            task.task().processOwnTick(value, stamp);
            isDirty = true;
            wake();
        }
    }

    // ---- commits ----

    Transaction transaction() {
        Transaction current = transaction;
        if (current == null) {
            current = deployment.transactions().begin(this::wake);
            transaction = current;
        }
        return current;
    }

    private void maybeCommit() {
        boolean isEnding = isStopping || tasks.values().stream().anyMatch(OpenTask::isRevoked);
        boolean isDue = isDirty && wallClock() - lastCommit >= deployment.pace().commitMs();
        boolean isFenced = !deployment.group().isMember(this) || (transaction != null && !transaction.isOpen());
        if (isFenced) {
            loseAll();
            if (isStopping) {
                isDead = true;
                fetcher.close();
            }
            return;
        }
        if (!isDue && !isEnding) {
            return;
        }
        if (isDirty) {
            Transaction current = transaction();
            if (!current.isFlushed() || !deployment.cluster().coordinator().isUp()) {
                isBlocked = true; // the next turn tries again
                return;
            }
            isBlocked = false;
            lastCommit = wallClock();
            if (failsNextCommit) {
                failsNextCommit = false;
                deployment.transactions().end(current, false);
                loseAll();
                return;
            }
            commit(current);
        }
        if (isEnding) {
            closeRevoked();
        }
    }

    private void commit(Transaction current) {
        List<Log> logs = new ArrayList<>(3 * tasks.size());
        for (OpenTask task : tasks.values()) {
            for (Topic topic : Topic.values()) {
                Log log = deployment.cluster().log(topic, task.partition());
                Long waiting = task.queues().firstOffset(topic);
                long offset = waiting != null ? waiting : fetcher.position(log.name()).orElse(0);
                deployment.group().commit(topic.ordinal(), task.partition(), offset);
                log.forget(offset);
            }
        }
        deployment.transactions().end(current, true);
        transaction = null;
        isDirty = false;
        tasks.values().forEach(OpenTask::committed);
        clock.spend(deployment.cluster().coordinator().latencyMicros());
        machine.isWell();
    }
}
