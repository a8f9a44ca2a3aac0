package dev.rollcall.simulation.processor;

import dev.rollcall.simulation.input.Queues;
import dev.rollcall.simulation.judge.History;
import dev.rollcall.simulation.judge.History.DeadLetter;
import dev.rollcall.simulation.judge.History.Output;
import dev.rollcall.simulation.judge.History.Topic;
import dev.rollcall.simulation.kafka.Changelog;
import dev.rollcall.simulation.kafka.Cluster;
import dev.rollcall.simulation.kafka.LogRecord;
import dev.rollcall.simulation.kafka.Transaction;
import dev.rollcall.simulation.kafka.Transactions;
import dev.rollcall.topology.PresenceTopology;
import dev.rollcall.topology.SimulatedTask;
import dev.rollcall.topology.Surroundings;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;

/** A task that a thread has open: what it does goes into the thread's transaction, and is told. */
final class OpenTask implements Surroundings {
    private final Deployment deployment;
    private final StreamThread thread;
    private final int partition;
    private final SimulatedTask task;
    private final Queues queues;
    private History history;
    private History.@Nullable Input handled;
    private boolean isUntold;
    private boolean isRevoked;

    OpenTask(Deployment deployment, StreamThread thread, int partition, Disk.Stores stores) {
        this.deployment = deployment;
        this.thread = thread;
        this.partition = partition;
        history = deployment.history();
        history.takenOver(partition, deployment.time().millis());
        task = thread.process().open(partition, stores.users(), stores.shards(), this);
        queues = new Queues(task);
    }

    int partition() {
        return partition;
    }

    SimulatedTask task() {
        return task;
    }

    Queues queues() {
        return queues;
    }

    boolean isRevoked() {
        return isRevoked;
    }

    void revoke() {
        isRevoked = true;
    }

    /** Handles the record that comes next. */
    void process() {
        ConsumerRecord<byte[], byte[]> record = queues.next();
        if (record.topic().equals(Cluster.INPUTS.get(0))) {
            task.processHeartbeats(record);
        } else {
            task.process(record);
        }
    }

    // ---- what is told ----

    /** What was told since the last commit is true. */
    void committed() {
        if (isUntold) {
            history.committed(partition, deployment.time().millis());
            isUntold = false;
        }
    }

    /** Has never been; nor is anything told from now on. */
    void abort() {
        if (isUntold) {
            history.aborted(partition);
            isUntold = false;
        }
        history = deployment.nobody();
    }

    @Override
    public void handles(ConsumerRecord<byte[], byte[]> record) {
        History.Input input = ((LogRecord) record).input();
        handled = input;
        isUntold = true;
        history.handled(partition, input);
    }

    @Override
    public void presence(byte[] key, byte @Nullable [] value, long timestamp) {
        thread.step();
        Transactions.check(key, value, new RecordHeaders());
        isUntold = true;
        history.published(partition, new Output(key, value, timestamp));
        deployment
                .transactions()
                .write(transaction(), () -> deployment.presence().published(partition, key, value, timestamp));
    }

    @Override
    public void deadLetter(byte @Nullable [] key, byte @Nullable [] value, Headers headers) {
        thread.step();
        Transactions.check(key, value, headers);
        isUntold = true;
        history.refused(
                partition,
                new DeadLetter(
                        text(headers, "rollcall.reason"),
                        Cluster.topic(text(headers, "__streams.errors.topic")),
                        Long.parseLong(text(headers, "__streams.errors.offset"))));
        transaction();
    }

    @Override
    public void ownClockTick(byte[] value) {
        deployment.transactions().write(transaction(), () -> {
            long stamp = deployment.time().millis();
            deployment.time().afterMillis(5, () -> thread.ownTick(this, value, stamp));
        });
    }

    private static String text(Headers headers, String name) {
        return new String(headers.lastHeader(name).value(), StandardCharsets.UTF_8);
    }

    @Override
    public void clockTick(byte[] value) {
        thread.step();
        deployment
                .transactions()
                .write(
                        transaction(),
                        deployment.cluster().log(Topic.DEVICE_HEARTBEAT, partition),
                        null,
                        value,
                        new RecordHeaders());
    }

    @Override
    public void rerouted(String topic, byte @Nullable [] key, byte @Nullable [] value, Headers headers) {
        thread.step();
        int to = deployment.cluster().partition(Objects.requireNonNull(key));
        isUntold = true;
        if (handled != null) {
            history.rerouted(partition, handled, to);
        }
        deployment
                .transactions()
                .write(transaction(), deployment.cluster().log(Cluster.topic(topic), to), key, value, headers);
    }

    @Override
    public void changelog(String store, byte[] key, byte @Nullable [] value) {
        thread.step();
        Transactions.check(key, value, new RecordHeaders());
        Changelog changelog =
                store.equals(PresenceTopology.USERS) ? deployment.users(partition) : deployment.shards(partition);
        deployment
                .transactions()
                .write(
                        transaction(),
                        () -> changelog.put(key, value, deployment.time().millis()));
    }

    private Transaction transaction() {
        return thread.transaction();
    }

    @Override
    public long steadyClock() {
        return thread.steadyClock();
    }
}
