package dev.rollcall.real;

import static dev.rollcall.domain.PresenceState.IDLE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rollcall.app.Rollcall;
import dev.rollcall.config.ConfigException;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.embedded.EmbeddedBroker;
import dev.rollcall.real.RealContext.Beating;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.GroupType;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The group goes over to the streams protocol, and back: all instances stop, and start with the other setting. */
@Timeout(300)
@SuppressWarnings("try") // that they run is all, and a test is not interrupted
class ProtocolChangeIT {
    private static final List<String> LIVING = RealContext.users("living", 50);
    private static final List<String> CHANGING = RealContext.users("changing", 8);
    private static final List<String> PROTOCOLS = List.of("classic", "streams", "classic");
    private static final Duration EVERY = Duration.ofMillis(500);

    @TempDir
    private Path dir;

    @Test
    void shouldGoOnFromTheSameOffsetsAndFlapNobody() throws Exception {
        List<String> refused = new CopyOnWriteArrayList<>();
        try (EmbeddedBroker broker = EmbeddedBroker.start(dir.resolve("broker"), 0)) {
            start(broker, "first", PROTOCOLS.get(0)).close(); // makes the topics
            try (RealContext context = new RealContext(broker.bootstrapServers());
                    AutoCloseable deadLetters = context.read(
                            RealContext.TOPICS.deadLetters(),
                            record -> refused.add(new String(record.value(), UTF_8)));
                    KafkaProducer<byte[], byte[]> producer = context.producer(Map.of());
                    Admin admin = context.admin()) {
                Beating beating = context.keepBeating(LIVING, EVERY);
                int number = 0;
                for (String protocol : PROTOCOLS) {
                    try (Rollcall first = start(broker, "first", protocol);
                            Rollcall second = start(broker, "second", protocol)) {
                        context.heartbeats(CHANGING, number % 2 == 0 ? ONLINE : IDLE);
                        number++;
                        for (String user : CHANGING) {
                            context.awaitEmitted(user, number);
                        }
                        assertThat(type(admin)).as("the group's type").isEqualTo(GroupType.parse(protocol));
                        RealContext.acknowledged(producer.send(new ProducerRecord<>(
                                "status", "@alice:example.org".getBytes(UTF_8), protocol.getBytes(UTF_8))));
                        refusesTheOther(broker, protocol);
                    }
                }
                beating.stop();
                context.awaitState(LIVING, ONLINE);
                LIVING.forEach(
                        user -> assertThat(context.emitted(user)).as(user).hasSize(1));
                context.assertHistoriesAreWhole();
                assertThat(refused)
                        .as("each bad record is read once, by the protocol that was in force")
                        .containsExactlyElementsOf(PROTOCOLS);
            }
        }
    }

    /** One that was forgotten, or is too early, has nothing to join. */
    private void refusesTheOther(EmbeddedBroker broker, String protocol) throws Exception {
        String other = protocol.equals("classic") ? "streams" : "classic";
        try (Rollcall early = Rollcall.start(config(broker, "early-" + other, other))) {
            assertThatThrownBy(early::awaitReady)
                    .hasCauseInstanceOf(ConfigException.class)
                    .hasMessageContaining(
                            "the group rollcall has members with another kafka.group.protocol than " + other);
        }
    }

    private static @Nullable GroupType type(Admin admin) throws Exception {
        return admin.listGroups().all().get().stream()
                .filter(group -> group.groupId().equals("rollcall"))
                .findFirst()
                .flatMap(GroupListing::type)
                .orElse(null);
    }

    private Rollcall start(EmbeddedBroker broker, String instance, String protocol) throws Exception {
        Rollcall rollcall = Rollcall.start(config(broker, instance, protocol));
        rollcall.awaitReady();
        return rollcall;
    }

    private RollcallConfig config(EmbeddedBroker broker, String instance, String protocol) {
        return RollcallConfig.of(RealContext.settings(
                dir.resolve(instance),
                "bootstrap.servers",
                broker.bootstrapServers(),
                "kafka.group.protocol",
                protocol));
    }
}
