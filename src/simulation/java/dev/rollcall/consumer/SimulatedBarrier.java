package dev.rollcall.consumer;

import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;

/** The real {@link ReadBarrier} around a simulated consumer, as {@link ReadBarrierConsumer} has it around Kafka's. */
public final class SimulatedBarrier {
    private final ReadBarrier barrier;

    public SimulatedBarrier(
            List<String> topics,
            Function<Set<TopicPartition>, Map<TopicPartition, KafkaFuture<ListOffsetsResultInfo>>> leaders,
            LongSupplier nanoTime) {
        barrier = new ReadBarrier(topics, leaders, nanoTime);
    }

    /** What was polled, when it may be handed on. */
    public void poll(ConsumerRecords<byte[], byte[]> polled) {
        barrier.await(polled.partitions());
    }

    public OptionalLong lag(
            TopicPartition partition, OptionalLong fetched, Function<TopicPartition, OptionalLong> position) {
        return barrier.lag(partition, fetched, position);
    }

    /** Heartbeats as the consumer's interceptor hands them on. */
    public static List<ConsumerRecord<byte[], byte[]>> bundled(List<ConsumerRecord<byte[], byte[]>> records) {
        return HeartbeatBundles.bundled(records);
    }
}
