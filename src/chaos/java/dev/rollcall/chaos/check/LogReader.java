package dev.rollcall.chaos.check;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.rollcall.chaos.check.Entry.Before;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;

/** Reads whole topics, as far as their transactions are committed. */
public final class LogReader {
    /** Where the processor notes when a record was first written that it sent to its partition. */
    private static final String FIRST_TIME = "rollcall.rerouted-from-time";

    /**
     * A campaign's producer names with this header what was acknowledged at least 100 ms before it sent the record:
     * {@code TOPIC@OFFSET}, on the same partition. That takes effect before it (rule 7).
     */
    public static final String AFTER = "campaign.after";

    /** No record of the contract is that long; what is longer is garbage, whatever it holds. */
    private static final int LONGEST_KEPT = 16_384;

    /** Too long for an id, and not the end of any value. */
    private static final int KEPT_OF_IT = 256;

    private LogReader() {}

    /**
     * Reads the topics under their names in the contract, from their beginnings to where they end now. The output comes
     * first, so nothing is in it for which there is no reason in the inputs yet. The machine's clock must be the brokers'.
     *
     * @param limit for all of it; there is an {@link IllegalStateException} when it takes longer
     */
    public static Logs read(String bootstrapServers, Duration limit) {
        long deadline = System.nanoTime() + limit.toNanos();
        long readAt = System.currentTimeMillis();
        List<Entry> presence = readTopic(bootstrapServers, "presence", deadline);
        List<Entry> flags = readTopic(bootstrapServers, "appear-offline", deadline);
        List<Entry> statuses = readTopic(bootstrapServers, "status", deadline);
        List<Entry> heartbeats = readTopic(bootstrapServers, "device-heartbeat", deadline);
        Map<ByteBuffer, Entry> compacted = new LinkedHashMap<>();
        for (Entry entry : readTopic(bootstrapServers, "presence", deadline)) {
            ByteBuffer key = ByteBuffer.wrap(entry.key() == null ? new byte[0] : entry.key());
            if (entry.value() == null) {
                compacted.remove(key);
            } else {
                compacted.put(key, entry);
            }
        }
        return new Logs(readAt, heartbeats, statuses, flags, presence, new ArrayList<>(compacted.values()));
    }

    private static List<Entry> readTopic(String bootstrapServers, String topic, long deadline) {
        Map<String, Object> config = new HashMap<>();
        config.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers);
        config.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        config.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 10_000);
        List<Entry> entries = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = consumer.partitionsFor(topic, left(topic, deadline)).stream()
                    .map(partition -> new TopicPartition(topic, partition.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions, left(topic, deadline));
            for (TopicPartition partition : partitions) {
                long end = ends.getOrDefault(partition, 0L);
                while (consumer.position(partition, left(topic, deadline)) < end) {
                    consumer.poll(Duration.ofMillis(200)).forEach(record -> {
                        if (record.offset()
                                < ends.getOrDefault(new TopicPartition(record.topic(), record.partition()), 0L)) {
                            entries.add(entry(record));
                        }
                    });
                }
            }
        }
        return entries;
    }

    private static Duration left(String topic, long deadline) {
        long left = deadline - System.nanoTime();
        if (left <= 0) {
            throw new IllegalStateException("the time is over, and " + topic + " is not read to its end");
        }
        return Duration.ofNanos(left);
    }

    private static Entry entry(ConsumerRecord<byte[], byte[]> record) {
        List<Before> after = new ArrayList<>();
        record.headers().headers(AFTER).forEach(header -> {
            String[] words = new String(header.value(), UTF_8).split("@", 2);
            after.add(new Before(words[0], Long.parseLong(words[1])));
        });
        int headerBytes = 0;
        for (Header header : record.headers()) {
            headerBytes += header.key().length() + (header.value() == null ? 0 : header.value().length);
        }
        return new Entry(
                record.partition(),
                record.offset(),
                record.timestamp(),
                kept(record.key()),
                kept(record.value()),
                firstTime(record.headers().lastHeader(FIRST_TIME)),
                after,
                headerBytes);
    }

    private static byte @Nullable [] kept(byte @Nullable [] bytes) {
        return bytes == null || bytes.length <= LONGEST_KEPT ? bytes : Arrays.copyOf(bytes, KEPT_OF_IT);
    }

    /** Null: there is no mark. A mark that cannot be read counts as one, with no time in it (-1). */
    private static @Nullable Long firstTime(@Nullable Header mark) {
        if (mark == null) {
            return null;
        }
        byte[] value = mark.value();
        if (value == null || value.length != Long.BYTES) {
            return -1L;
        }
        return ByteBuffer.wrap(value).getLong();
    }
}
