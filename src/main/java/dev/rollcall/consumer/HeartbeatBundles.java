package dev.rollcall.consumer;

import dev.rollcall.domain.UserId;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.BitSet;
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
import org.jspecify.annotations.Nullable;

/**
 * Hands heartbeats that lie one behind the other in the log to Kafka Streams as one record. What Streams spends on a record,
 * several times of what a heartbeat that changes nothing needs, it then spends on up to {@value #MAX_RECORDS} of them.
 *
 * <p>A consumer's interceptor may change what was polled (KIP-42). A bundle has the offset of its first record: what Streams
 * commits is the offset of the first record that it has not processed, so a crash in the midst of a bundle is followed by
 * all of it again, as by a transaction that was rolled back. Offsets behind the last bundle come from {@link
 * ConsumerRecords#nextOffsets()} (KIP-1094).
 *
 * <p>Streams orders the records of several topics by time, and a bundle goes as one. It has the time of its last record, so
 * that a flag or a text is never handled after a heartbeat that was written later; the heartbeats of that user that were
 * written before it are taken out of the bundle first (see {@link HeartbeatSource#takeUntil}).
 *
 * <p>A heartbeat that comes alone goes as a bundle of one, so that there is one path.
 */
public final class HeartbeatBundles implements ConsumerInterceptor<byte[], byte[]> {
    /** So many are decided about in less time than a commit takes. */
    public static final int MAX_RECORDS = 256;

    /** In ms; no longer than a commit interval, before which nobody sees anything anyway. */
    public static final int SPAN_MS = 100;

    private static final String TOPIC = "rollcall.bundled.topic";

    private String topic = "";

    /** What a bundle's record has for a value: this very array, which no producer can send. */
    public static final byte[] VALUE = "heartbeats in a bundle".getBytes(StandardCharsets.US_ASCII);

    /** Several records as the headers of one: only headers pass through Streams as the objects that they are. */
    public static final class Bundle extends RecordHeaders {
        private final List<ConsumerRecord<byte[], byte[]>> records;
        private final BitSet taken = new BitSet(0);
        private final BitSet visible = new BitSet(0);
        private @Nullable List<@Nullable UserId> users;

        private Bundle(List<ConsumerRecord<byte[], byte[]>> records) {
            this.records = records;
        }

        public int partition() {
            return records.get(0).partition();
        }

        /** In the order of the log. */
        public List<ConsumerRecord<byte[], byte[]>> records() {
            return records;
        }

        /** Whose they are, in the same order; null where a record has no key. */
        public List<@Nullable UserId> users() {
            List<@Nullable UserId> known = users;
            if (known == null) {
                known = new ArrayList<>(records.size());
                for (ConsumerRecord<byte[], byte[]> record : records) {
                    known.add(record.key() == null ? null : UserId.ofBytes(record.key()));
                }
                users = known;
            }
            return known;
        }

        /** As headers all bundles are the same: without any. */
        @Override
        public boolean equals(Object other) {
            return this == other;
        }

        @Override
        public int hashCode() {
            return System.identityHashCode(this);
        }

        public boolean isTaken(int index) {
            return taken.get(index);
        }

        /** Leaves this one out when the rest is read; {@code isVisible}: others may notice that it is there. */
        public void take(int index, boolean isVisible) {
            taken.set(index);
            visible.set(index, isVisible);
        }

        /** Whether others may notice one that was taken. */
        public boolean isVisible(int index) {
            return visible.get(index);
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

    public static List<ConsumerRecord<byte[], byte[]>> bundled(List<ConsumerRecord<byte[], byte[]>> records) {
        List<ConsumerRecord<byte[], byte[]>> bundles = new ArrayList<>();
        int begin = 0;
        for (int end = 1; end <= records.size(); end++) {
            if (end == records.size() || end - begin == MAX_RECORDS || isApart(records.get(begin), records.get(end))) {
                bundles.add(bundle(List.copyOf(records.subList(begin, end))));
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
        ConsumerRecord<byte[], byte[]> last = records.get(records.size() - 1);
        return new ConsumerRecord<>(
                first.topic(),
                first.partition(),
                first.offset(),
                last.timestamp(),
                last.timestampType(),
                ConsumerRecord.NULL_SIZE,
                VALUE.length,
                null,
                VALUE,
                new Bundle(records),
                first.leaderEpoch());
    }
}
