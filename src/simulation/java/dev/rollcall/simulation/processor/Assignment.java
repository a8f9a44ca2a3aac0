package dev.rollcall.simulation.processor;

import dev.rollcall.simulation.input.Fetcher;
import dev.rollcall.simulation.judge.History.Topic;
import dev.rollcall.simulation.kafka.Cluster;
import dev.rollcall.simulation.time.Chance;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The partitions of one thread: those that it restores, and those whose tasks are open. */
final class Assignment {
    private static final long PAUSED_RETRY_MS = 1_000;

    private final Deployment deployment;
    private final StreamThread thread;
    private final Disk disk;
    private final Fetcher fetcher;
    private final Chance chance;
    private final Map<Integer, OpenTask> tasks = new TreeMap<>();
    private final Set<Integer> opening = new TreeSet<>();

    Assignment(Deployment deployment, StreamThread thread, Disk disk, Fetcher fetcher, Chance chance) {
        this.deployment = deployment;
        this.thread = thread;
        this.disk = disk;
        this.fetcher = fetcher;
        this.chance = chance;
    }

    Collection<OpenTask> tasks() {
        return tasks.values();
    }

    @Nullable
    OpenTask task(int partition) {
        return tasks.get(partition);
    }

    boolean isOpening() {
        return !opening.isEmpty();
    }

    boolean isAnyRevoked() {
        for (OpenTask task : tasks.values()) {
            if (task.isRevoked()) {
                return true;
            }
        }
        return false;
    }

    /** The group gives the thread this partition; it has to restore it first. */
    void give(int partition) {
        opening.add(partition);
        deployment.time().afterMillis(chance.magnitude(20, 3_000), () -> open(partition));
    }

    private void open(int partition) {
        if (thread.isDead() || !opening.contains(partition)) {
            return;
        }
        if (!thread.isRunning()) {
            deployment.time().afterMillis(PAUSED_RETRY_MS, () -> open(partition));
            return;
        }
        opening.remove(partition);
        tasks.put(
                partition,
                new OpenTask(deployment, thread, partition, disk.restored(deployment, partition, thread.startedAt())));
        for (Topic topic : Topic.values()) {
            fetcher.add(
                    deployment.cluster().log(topic, partition),
                    deployment.group().committed(Cluster.number(topic), partition));
        }
        thread.wake();
    }

    /** The group wants it back. */
    void revoke(int partition) {
        OpenTask task = tasks.get(partition);
        if (task == null) {
            opening.remove(partition);
            deployment.group().released(partition);
        } else {
            task.revoke();
            thread.wake();
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

    /** Closes what the group wants back, or all; all that was handled is committed. */
    void closeRevoked(boolean all) {
        for (OpenTask task : List.copyOf(tasks.values())) {
            if (task.isRevoked() || all) {
                int partition = task.partition();
                task.task()
                        .closeCleanly(
                                deployment.users(partition).endOffset(),
                                disk.of(partition).shards(),
                                deployment.shards(partition).endOffset());
                forget(task);
                if (!all) {
                    deployment.group().released(partition);
                }
            }
        }
    }

    /** What is open is no more; {@code closes}: the process goes on, and closes it. */
    void drop(boolean closes) {
        for (OpenTask task : List.copyOf(tasks.values())) {
            task.abort();
            if (closes) {
                task.task().closeDirty();
            }
            forget(task);
        }
    }

    private void forget(OpenTask task) {
        tasks.remove(task.partition());
        thread.left(task.partition());
        for (Topic topic : Topic.values()) {
            fetcher.remove(deployment.cluster().log(topic, task.partition()));
        }
    }

    @Override
    public String toString() {
        return "owns %s, restores %s".formatted(tasks.keySet(), opening);
    }
}
