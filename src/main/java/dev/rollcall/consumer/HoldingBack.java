package dev.rollcall.consumer;

import dev.rollcall.consumer.HeartbeatBundles.Bundle;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * Keeps from Kafka Streams what cannot be read yet: a partition goes back to the first such record, and is paused until it can
 * be. What is in front of it is handed on.
 *
 * <p>The partition's lag is then above zero, and for what an input is behind the others of the same task wait (see {@link
 * ReadBarrier}): their order is as if that record had been late. Other tasks go on.
 *
 * <p>Kafka Streams pauses partitions too. It is told nothing of this, so one is resumed when neither holds it. For one thread.
 */
final class HoldingBack {
    private final Consumer<byte[], byte[]> consumer;
    private final HeldPartitions all;

    /** The records that are waited for. */
    private final Map<TopicPartition, ConsumerRecord<byte[], byte[]>> held = new HashMap<>();

    private final Set<TopicPartition> pausedByStreams = new HashSet<>();

    HoldingBack(Consumer<byte[], byte[]> consumer, HeldPartitions all) {
        this.consumer = consumer;
        this.all = all;
    }

    /** Before a poll: lets those go on that can be read now. */
    void release() {
        if (held.isEmpty()) {
            return;
        }
        for (TopicPartition partition : List.copyOf(held.keySet())) {
            ConsumerRecord<byte[], byte[]> record = held.get(partition);
            if (record == null || !hold(partition, record)) {
                held.remove(partition);
                all.release(partition);
                if (!pausedByStreams.contains(partition)) {
                    consumer.resume(List.of(partition));
                }
            }
        }
    }

    /** After a poll: what of it can be read. */
    ConsumerRecords<byte[], byte[]> withhold(ConsumerRecords<byte[], byte[]> polled) {
        forgetAllBut(consumer.assignment());
        Map<TopicPartition, List<ConsumerRecord<byte[], byte[]>>> handedOn = new HashMap<>();
        Map<TopicPartition, OffsetAndMetadata> nextOffsets = new HashMap<>(polled.nextOffsets());
        boolean isHeld = false;
        for (TopicPartition partition : polled.partitions()) {
            List<ConsumerRecord<byte[], byte[]>> records = polled.records(partition);
            List<ConsumerRecord<byte[], byte[]>> readable = untilHeld(partition, records);
            if (!readable.isEmpty()) {
                handedOn.put(partition, readable);
            }
            ConsumerRecord<byte[], byte[]> waiting = held.get(partition);
            if (waiting != null) {
                isHeld = true;
                nextOffsets.put(partition, new OffsetAndMetadata(waiting.offset(), waiting.leaderEpoch(), ""));
                consumer.seek(partition, waiting.offset());
                consumer.pause(List.of(partition));
            }
        }
        return isHeld ? new ConsumerRecords<>(handedOn, nextOffsets) : polled;
    }

    /** Those in front of the first that has to wait, which is then in {@link #held}. */
    private List<ConsumerRecord<byte[], byte[]>> untilHeld(
            TopicPartition partition, List<ConsumerRecord<byte[], byte[]>> records) {
        for (int i = 0; i < records.size(); i++) {
            ConsumerRecord<byte[], byte[]> record = records.get(i);
            List<ConsumerRecord<byte[], byte[]>> inside =
                    record.headers() instanceof Bundle bundle ? bundle.records() : List.of(record);
            for (int j = 0; j < inside.size(); j++) {
                if (hold(partition, inside.get(j))) {
                    List<ConsumerRecord<byte[], byte[]>> readable = new ArrayList<>(records.subList(0, i));
                    if (j > 0) {
                        readable.addAll(HeartbeatBundles.bundled(inside.subList(0, j)));
                    }
                    return readable;
                }
            }
        }
        return records;
    }

    private boolean hold(TopicPartition partition, ConsumerRecord<byte[], byte[]> record) {
        @Nullable String reason = all.waitsFor(record.value());
        if (reason == null) {
            return false;
        }
        held.put(partition, record);
        all.hold(partition, record.offset(), reason);
        return true;
    }

    /** What Kafka Streams wants. */
    void pause(Collection<TopicPartition> partitions) {
        pausedByStreams.addAll(partitions);
        consumer.pause(partitions);
    }

    /** What Kafka Streams wants. */
    void resume(Collection<TopicPartition> partitions) {
        pausedByStreams.removeAll(partitions);
        consumer.resume(partitions.stream()
                .filter(partition -> !held.containsKey(partition))
                .toList());
    }

    /** A partition that is another thread's has nothing to wait for here. */
    private void forgetAllBut(Set<TopicPartition> assigned) {
        pausedByStreams.retainAll(assigned);
        List<TopicPartition> gone =
                held.keySet().stream().filter(one -> !assigned.contains(one)).toList();
        held.keySet().removeAll(gone);
        all.forget(gone);
    }

    void close() {
        all.forget(held.keySet());
    }
}
