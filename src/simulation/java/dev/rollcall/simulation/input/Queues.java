package dev.rollcall.simulation.input;

import dev.rollcall.simulation.judge.History.Topic;
import dev.rollcall.simulation.kafka.Cluster;
import dev.rollcall.topology.SimulatedTask;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.OptionalLong;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/**
 * The choice between a task's inputs, as Kafka Streams has it ({@code PartitionGroup} of 4.3 with {@code max.task.idle.ms} 0, KIP-353
 * and KIP-695): the record with the smallest stamp among the heads, as long as no empty input is known to lag, or not known at all.
 */
public final class Queues {
    private static final List<Topic> TOPICS = List.of(Topic.values());
    private static final int INPUTS = Topic.values().length;
    private static final int UNCHOSEN = -1;
    private static final long UNKNOWN = -1;

    private final SimulatedTask task;

    @SuppressWarnings({"unchecked", "rawtypes"})
    private final Deque<ConsumerRecord<byte[], byte[]>>[] queues = new Deque[INPUTS];

    private final long[] lags = new long[INPUTS];

    public Queues(SimulatedTask task) {
        this.task = task;
        for (int i = 0; i < INPUTS; i++) {
            queues[i] = new ArrayDeque<>();
            lags[i] = UNKNOWN;
        }
    }

    public void add(Topic topic, Collection<ConsumerRecord<byte[], byte[]>> records) {
        Deque<ConsumerRecord<byte[], byte[]>> queue = queues[Cluster.number(topic)];
        boolean wasEmpty = queue.isEmpty();
        queue.addAll(records);
        if (wasEmpty) {
            newHead(topic);
        }
    }

    public void updateLag(Topic topic, OptionalLong lag) {
        lags[Cluster.number(topic)] = lag.orElse(UNKNOWN);
    }

    public int size(Topic topic) {
        return queues[Cluster.number(topic)].size();
    }

    public boolean isEmpty() {
        for (Deque<ConsumerRecord<byte[], byte[]>> queue : queues) {
            if (!queue.isEmpty()) {
                return false;
            }
        }
        return true;
    }

    public boolean isReady() {
        for (int i = 0; i < INPUTS; i++) {
            if (queues[i].isEmpty() && lags[i] != 0) {
                return false;
            }
        }
        return !isEmpty();
    }

    /** The record that comes next; it is removed. */
    public ConsumerRecord<byte[], byte[]> next() {
        int first = UNCHOSEN;
        for (int i = 0; i < INPUTS; i++) {
            ConsumerRecord<byte[], byte[]> head = queues[i].peek();
            if (head != null && (first == UNCHOSEN || stamp(head) < stamp(queues[first].element()))) {
                first = i;
            }
        }
        ConsumerRecord<byte[], byte[]> record = queues[first].remove();
        newHead(TOPICS.get(first)); // as Streams does, before the record is processed
        return record;
    }

    private static long stamp(ConsumerRecord<byte[], byte[]> record) {
        return Math.max(0, record.timestamp());
    }

    private void newHead(Topic topic) {
        ConsumerRecord<byte[], byte[]> head = queues[Cluster.number(topic)].peek();
        if (topic == Topic.DEVICE_HEARTBEAT && head != null) {
            task.headOfHeartbeats(head);
        }
    }

    /** The offset of what waits first; null: nothing waits. */
    @Nullable
    public Long firstOffset(Topic topic) {
        ConsumerRecord<byte[], byte[]> head = queues[Cluster.number(topic)].peek();
        return head == null ? null : head.offset();
    }
}
