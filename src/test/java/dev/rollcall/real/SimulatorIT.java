package dev.rollcall.real;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.embedded.EmbeddedBroker;
import dev.rollcall.simulate.Population;
import dev.rollcall.simulate.Simulator;
import dev.rollcall.simulate.Tempo;
import dev.rollcall.simulate.Totals;
import dev.rollcall.wire.Topic;
import dev.rollcall.wire.Topics;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the simulator says that it has sent is what the topics hold. */
@Timeout(90)
class SimulatorIT {
    private static final Topics TOPICS = Topics.ofContract();

    @TempDir
    static Path dataDir;

    @Test
    void shouldCountWhatIsOnTheTopicsWhenItHasRun() throws Exception {
        try (EmbeddedBroker broker = EmbeddedBroker.start(dataDir, 0)) {
            Map<String, Object> settings = Map.of("bootstrap.servers", broker.bootstrapServers());
            createTopics(settings);

            Totals full = simulate(new Population(5_000, 3, 5_000, 4, 1), false, 2, settings);

            System.out.println("SimulatorIT: " + full);
            assertThat(full.heartbeats()).isGreaterThan(1_000);
            assertThat(full.failed()).isZero();
            assertThat(full.acknowledged()).isEqualTo(full.records());
            assertThat(onTopic(TOPICS.heartbeats(), settings)).isEqualTo(full.heartbeats());
            assertThat(onTopic(TOPICS.statuses(), settings)).isEqualTo(full.texts());
            assertThat(onTopic(TOPICS.appearOffline(), settings)).isEqualTo(full.flags());

            Totals paced = simulate(new Population(1_000, 2, 300, 4, 1), true, 3, settings);

            assertThat(paced.heartbeats()).isBetween(600L, 900L);
            assertThat(onTopic(TOPICS.heartbeats(), settings)).isEqualTo(full.heartbeats() + paced.heartbeats());
        }
    }

    private static Totals simulate(Population population, boolean paced, long seconds, Map<String, Object> settings) {
        try (Simulator simulator = new Simulator(population, Tempo.LIFELIKE, paced, TOPICS, settings)) {
            simulator.run(seconds);
            return simulator.finish();
        }
    }

    private static void createTopics(Map<String, Object> settings) throws Exception {
        try (Admin admin = Admin.create(settings)) {
            admin.createTopics(TOPICS.inputs().stream()
                            .map(topic -> new NewTopic(topic.name(), 4, (short) 1))
                            .toList())
                    .all()
                    .get();
        }
    }

    /** How many records have a key; the others are of shards and not of users. */
    private static long onTopic(Topic<?, ?> topic, Map<String, Object> settings) {
        long found = 0;
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = consumer.partitionsFor(topic.name()).stream()
                    .map(partition -> new TopicPartition(topic.name(), partition.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
                    found += record.key() == null ? 0 : 1;
                }
            }
        }
        return found;
    }
}
