package dev.rollcall.topology.meters;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.LongSupplier;

/**
 * The clock ticks that this process has written and not read back yet. A tick that comes back shows that everything works: it was
 * written, its transaction was committed, and all that was written before it has been read. Thread-safe.
 */
public final class ClockTicks {
    /** Of a partition; what is written beyond that is not remembered. */
    private static final int MAX_REMEMBERED = 20_000;

    private final LongSupplier nanoTime;
    private final Map<Integer, Queue<Task>> tasks = new ConcurrentHashMap<>();

    public ClockTicks() {
        this(System::nanoTime);
    }

    ClockTicks(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    /** How long each partition has waited for the oldest of its ticks, in ms; 0: all have come back. */
    public Map<Integer, Long> waitingMs() {
        long now = nanoTime.getAsLong();
        Map<Integer, Long> waiting = new TreeMap<>();
        tasks.forEach(
                (partition, open) -> open.forEach(task -> waiting.merge(partition, task.waitingMs(now), Long::max)));
        return waiting;
    }

    /** A task begins. It ends with {@link Task#close}. */
    public Task open(int partition) {
        Task task = new Task(partition);
        tasks.computeIfAbsent(partition, any -> new ConcurrentLinkedQueue<>()).add(task);
        return task;
    }

    /** The ticks of one task, in the order in which they were written and so come back. */
    public final class Task {
        private final int partition;
        private final Deque<Long> written = new ArrayDeque<>();

        private Task(int partition) {
            this.partition = partition;
        }

        public synchronized void wrote() {
            if (written.size() < MAX_REMEMBERED) {
                written.addLast(nanoTime.getAsLong());
            }
        }

        public synchronized void cameBack() {
            written.pollFirst();
        }

        public void close() {
            tasks.computeIfPresent(partition, (any, open) -> {
                open.remove(this);
                return open.isEmpty() ? null : open;
            });
        }

        private synchronized long waitingMs(long now) {
            Long oldest = written.peekFirst();
            return oldest == null ? 0 : (now - oldest) / 1_000_000;
        }
    }
}
