package dev.rollcall.topology;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.consumer.HeartbeatBundles;
import dev.rollcall.consumer.HeartbeatBundles.Bundle;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.UserId;
import dev.rollcall.wire.Inbound;
import dev.rollcall.wire.Topics;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Properties;
import java.util.Random;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.streams.StreamsConfig;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class HeartbeatBundlesTest {
    private static final String TOPIC = "device-heartbeat";
    private static final TopicPartition HERE = new TopicPartition(TOPIC, 2);
    private static final long NOON = 1_700_000_000_000L;

    private final HeartbeatBundles bundles = new HeartbeatBundles();

    @BeforeEach
    void configure() {
        Properties streams = new Properties();
        streams.put(StreamsConfig.APPLICATION_ID_CONFIG, "test");
        streams.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "localhost:1");
        streams.put("processing.exception.handler.global.enabled", true);
        HeartbeatBundles.configure(streams, TOPIC);
        bundles.configure(new StreamsConfig(streams).getMainConsumerConfigs("test", "test", 0));
    }

    @Test
    void shouldHandOverAllRecordsInTheirOrderWhereverTheyAreCut() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        List<ConsumerRecord<byte[], byte[]>> log = new ArrayList<>();
        long time = NOON;
        for (int offset = 0; offset < 5_000; offset++) {
            time += random.nextInt(100) == 0 ? random.nextInt(300) : random.nextInt(3);
            log.add(at(offset, time));
        }

        List<ConsumerRecord<byte[], byte[]>> handed = poll(HERE, log);

        assertThat(handed).as("seed %d", seed).hasSizeLessThan(1_000);
        List<ConsumerRecord<byte[], byte[]>> opened = new ArrayList<>();
        for (ConsumerRecord<byte[], byte[]> one : handed) {
            List<ConsumerRecord<byte[], byte[]>> records = ((Bundle) one.headers()).records();
            assertThat(one.offset()).isEqualTo(records.get(0).offset());
            assertThat(one.timestamp())
                    .isEqualTo(records.get(records.size() - 1).timestamp());
            assertThat(records).hasSizeLessThanOrEqualTo(HeartbeatBundles.MAX_RECORDS);
            assertThat(one.timestamp() - records.get(0).timestamp()).isLessThanOrEqualTo(HeartbeatBundles.SPAN_MS);
            opened.addAll(records);
        }
        assertThat(opened).as("seed %d", seed).isEqualTo(log);
    }

    @Test
    void shouldLeaveOtherTopicsAndTheNextOffsetsAsTheyAre() {
        TopicPartition statuses = new TopicPartition("status", 2);
        List<ConsumerRecord<byte[], byte[]>> texts = List.of(at(0, NOON), at(1, NOON));
        Map<TopicPartition, OffsetAndMetadata> next = Map.of(statuses, new OffsetAndMetadata(7));

        ConsumerRecords<byte[], byte[]> handed =
                bundles.onConsume(new ConsumerRecords<>(Map.of(statuses, texts), next));

        assertThat(handed.records(statuses)).isEqualTo(texts);
        assertThat(handed.nextOffsets()).isEqualTo(next);
    }

    @Test
    void shouldReadEachRecordOfABundleAsIfItHadComeAlone() {
        var topic = Topics.ofContract().heartbeats();
        HeartbeatSource source = new HeartbeatSource(topic);
        Heartbeat idle = new Heartbeat("phone", PresenceState.IDLE, false, OptionalLong.empty(), null);
        byte[] value = topic.values().serializer().serialize(TOPIC, Inbound.of(new Inbound.Beat(idle)));
        ConsumerRecord<byte[], byte[]> good = record(41, NOON, "@a:x".getBytes(UTF_8), value);
        ConsumerRecord<byte[], byte[]> bad = record(42, NOON + 1, null, new byte[] {1});
        bad.headers().add("trace", new byte[] {9});
        ConsumerRecord<byte[], byte[]> bundle = poll(HERE, List.of(good, bad)).get(0);

        Object opened = source.deserialize(TOPIC, bundle.headers(), bundle.value());
        List<InputRecord> arrivals = new ArrayList<>();
        source.open((Bundle) opened, arrivals::add, stamp -> {});

        assertThat(((Bundle) opened).users()).containsExactly(UserId.of("@a:x"), null);
        assertThat(arrivals).extracting(InputRecord::offset).containsExactly(41L, 42L);
        assertThat(arrivals).extracting(InputRecord::stamp).containsExactly(NOON, NOON + 1);
        assertThat(arrivals).extracting(InputRecord::partition).containsExactly(2, 2);
        assertThat(arrivals.get(0).user()).hasToString("@a:x");
        assertThat(arrivals.get(0).value().content()).isEqualTo(new Inbound.Beat(idle));
        assertThat(arrivals.get(1).user()).isNull();
        assertThat(arrivals.get(1).headers()).isEqualTo(bad.headers());
        assertThat(arrivals.get(1).value().content()).isInstanceOf(Inbound.Rejected.class);
    }

    private List<ConsumerRecord<byte[], byte[]>> poll(
            TopicPartition partition, List<ConsumerRecord<byte[], byte[]>> records) {
        return bundles.onConsume(new ConsumerRecords<>(Map.of(partition, records), Map.of()))
                .records(partition);
    }

    private static ConsumerRecord<byte[], byte[]> at(long offset, long time) {
        return record(offset, time, new byte[] {1}, new byte[] {2});
    }

    private static ConsumerRecord<byte[], byte[]> record(long offset, long time, byte @Nullable [] key, byte[] value) {
        return new ConsumerRecord<>(
                TOPIC,
                HERE.partition(),
                offset,
                time,
                TimestampType.LOG_APPEND_TIME,
                0,
                0,
                key,
                value,
                new RecordHeaders(),
                Optional.empty());
    }
}
