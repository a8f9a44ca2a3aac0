package dev.rollcall.real;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.embedded.EmbeddedBroker;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** A processor that cannot go on says why, and ends with an exit code that whoever started it can see. */
@Execution(ExecutionMode.CONCURRENT)
@Timeout(120)
class FatalErrorIT {
    private static final String CHANGELOG = "rollcall-users-changelog";

    @TempDir
    private Path brokerDir;

    @TempDir
    private Path dataDir;

    private EmbeddedBroker broker;

    @BeforeEach
    void startBroker() {
        broker = EmbeddedBroker.start(brokerDir.resolve("kafka"), 0);
    }

    @AfterEach
    void stopBroker() {
        broker.close();
    }

    @Test
    void shouldEndWithTheReasonWhenWhatIsStoredCannotBeRead() throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrapServers()))) {
            admin.createTopics(List.of(new NewTopic(CHANGELOG, RealContext.PARTITIONS, (short) 1)
                            .configs(Map.of("cleanup.policy", "compact"))))
                    .all()
                    .get();
        }
        try (KafkaProducer<String, String> poisoner = new KafkaProducer<>(
                Map.of("bootstrap.servers", broker.bootstrapServers()),
                new StringSerializer(),
                new StringSerializer())) {
            poisoner.send(new ProducerRecord<>(CHANGELOG, 0, "@alice:example.org", "poison"))
                    .get();
        }
        try (RollcallProcess rollcall = start()) {
            assertThat(rollcall.awaitEnd()).isEqualTo(70);
            assertThat(rollcall.emitted())
                    .contains("Rollcall has stopped")
                    .contains("users")
                    .contains("@alice:example.org")
                    .contains("not Avro single-object encoding");
        }
    }

    @Test
    void shouldEndWithTheReasonWhenATopicIsTakenAway() throws Exception {
        try (RollcallProcess rollcall = start()) {
            rollcall.awaitReady();
            try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrapServers()))) {
                admin.deleteTopics(List.of("device-heartbeat")).all().get();
            }
            assertThat(rollcall.awaitEnd()).isEqualTo(69);
            assertThat(rollcall.emitted()).contains("Rollcall has stopped").contains("device-heartbeat");
        }
    }

    private RollcallProcess start() throws Exception {
        return new RollcallProcess(
                RealContext.settings(dataDir, "bootstrap.servers", broker.bootstrapServers()),
                dataDir.resolve("output.log"));
    }
}
