package dev.rollcall.topology;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerInterceptor;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.StreamsConfig;

/**
 * Hands heartbeats that lie one behind the other in the log to Kafka Streams as one record. What Streams spends on a record,
 * several times of what a heartbeat that changes nothing needs, it then spends on up to {@value #MOST} of them.
 *
 * <p>A consumer's interceptor may change what was polled (KIP-42). A bundle has the offset and the time of its first record:
 * what Streams commits is the offset of the first record that it has not processed, so a crash in the midst of a bundle is
 * followed by all of it again, as by a transaction that was rolled back. Offsets behind the last bundle come from {@link
 * ConsumerRecords#nextOffsets()} (KIP-1094).
 *
 * <p>Streams orders the records of several topics by time. A bundle goes as one, so it spans {@value #SPAN_MS} ms at most.
 */
public final class HeartbeatBundles implements ConsumerInterceptor<byte[], byte[]> {
    /** So many are decided about in less time than a commit takes. */
    static final int MOST = 256;

    /** In ms; no longer than a commit interval, before which nobody sees anything anyway. */
    static final int SPAN_MS = 100;

    private static final String TOPIC = "rollcall.bundled.topic";

    private String topic = "";

    /** Several records as the headers of one: only headers pass through Streams as the objects that they are. */
    static final class Bundle extends RecordHeaders {
        private final List<ConsumerRecord<byte[], byte[]>> records;

        private Bundle(List<ConsumerRecord<byte[], byte[]>> records) {
            this.records = records;
        }

        /** In the order of the log. */
        List<ConsumerRecord<byte[], byte[]>> records() {
            return records;
        }
    }

    /**
     * Adds what Kafka Streams has to be set to, so that the records of this topic come in bundles. Called last: other
     * interceptors that are set already see the records as they are, before they are bundled. Behind this, one that copies
     * headers would lose the bundle's records.
     */
    public static void configure(Properties streams, String topic) {
        String ours = HeartbeatBundles.class.getName();
        String key = StreamsConfig.mainConsumerPrefix(ConsumerConfig.INTERCEPTOR_CLASSES_CONFIG);
        // As Kafka Streams has it, what is set for the main consumer counts instead of what is set for all of them.
        Object others = streams.containsKey(key)
                ? streams.get(key)
                : streams.getOrDefault(StreamsConfig.consumerPrefix(ConsumerConfig.INTERCEPTOR_CLASSES_CONFIG), "");
        String all = Stream.concat(
                        Stream.of(String.valueOf(others).split(",", -1))
                                .map(String::strip)
                                .filter(other -> !other.isEmpty() && !other.equals(ours)),
                        Stream.of(ours))
                .collect(Collectors.joining(","));
        streams.put(key, all);
        streams.put(StreamsConfig.mainConsumerPrefix(TOPIC), topic);
    }

    @Override
    public void configure(Map<String, ?> consumer) {
        topic = String.valueOf(consumer.get(TOPIC));
    }

    @Override
    public ConsumerRecords<byte[], byte[]> onConsume(ConsumerRecords<byte[], byte[]> polled) {
        Map<TopicPartition, List<ConsumerRecord<byte[], byte[]>>> all = new LinkedHashMap<>();
        for (TopicPartition partition : polled.partitions()) {
            List<ConsumerRecord<byte[], byte[]>> records = polled.records(partition);
            all.put(partition, partition.topic().equals(topic) ? bundled(records) : records);
        }
        return new ConsumerRecords<>(all, polled.nextOffsets());
    }

    @Override
    public void onCommit(Map<TopicPartition, OffsetAndMetadata> offsets) {
        // nothing to do
    }

    @Override
    public void close() {
        // nothing to do
    }

    private static List<ConsumerRecord<byte[], byte[]>> bundled(List<ConsumerRecord<byte[], byte[]>> records) {
        List<ConsumerRecord<byte[], byte[]>> bundles = new ArrayList<>();
        int begin = 0;
        for (int end = 1; end <= records.size(); end++) {
            if (end == records.size() || end - begin == MOST || isApart(records.get(begin), records.get(end))) {
                bundles.add(end - begin == 1 ? records.get(begin) : bundle(records.subList(begin, end)));
                begin = end;
            }
        }
        return bundles;
    }

    private static boolean isApart(ConsumerRecord<byte[], byte[]> first, ConsumerRecord<byte[], byte[]> another) {
        return Math.abs(another.timestamp() - first.timestamp()) > SPAN_MS;
    }

    private static ConsumerRecord<byte[], byte[]> bundle(List<ConsumerRecord<byte[], byte[]>> records) {
        ConsumerRecord<byte[], byte[]> first = records.get(0);
        return new ConsumerRecord<>(
                first.topic(),
                first.partition(),
                first.offset(),
                first.timestamp(),
                first.timestampType(),
                first.serializedKeySize(),
                first.serializedValueSize(),
                first.key(),
                first.value(),
                new Bundle(List.copyOf(records)),
                first.leaderEpoch());
    }
}
