package dev.rollcall.real;

import static dev.rollcall.real.RealContext.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rollcall.app.Rollcall;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.UserId;
import dev.rollcall.embedded.EmbeddedBroker;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two edges, and the topic of presence as others write it: deleted and created again. */
@Timeout(180)
class EdgeTopicIT {
    @TempDir
    private Path dataDir;

    @Test
    void shouldGiveASnapshotWhenATokenIsOfAnotherLifeOfTheTopic() throws Exception {
        try (EmbeddedBroker broker = EmbeddedBroker.start(dataDir.resolve("broker"), 0);
                Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrapServers()))) {
            for (String topic : List.of("device-heartbeat", "status", "appear-offline", "presence")) {
                create(admin, topic);
            }
            try (Rollcall first = edge(broker);
                    Rollcall second = edge(broker)) {
                HttpContext a = HttpContext.withoutToken(first.httpUrl().orElseThrow());
                HttpContext b = HttpContext.withoutToken(second.httpUrl().orElseThrow());
                a.awaitReady();
                b.awaitReady();
                publish(broker, "@before:example.org", 1);
                a.awaitState("@before:example.org", "online");
                String token = a.poll("/v2/presence/events").path("next_batch").asText();
                b.awaitState("@before:example.org", "online");
                try (var stream = a.open("/v2/presence/events?users=%40before%3Aexample.org,%40after%3Aexample.org")) {
                    stream.awaitStates("@before:example.org", "online");

                    admin.deleteTopics(List.of("presence")).all().get();
                    await().until(() -> !admin.listTopics().names().get().contains("presence"));
                    create(admin, "presence");
                    for (int sequence = 1; sequence <= 20; sequence++) { // behind where the token is
                        publish(broker, "@after:example.org", sequence);
                    }
                    for (HttpContext http : List.of(a, b)) {
                        http.awaitState("@after:example.org", "online");
                        http.awaitState("@before:example.org", "unknown");
                        JsonNode batch = http.poll("/v2/presence/events?next_batch=" + token);
                        assertThat(batch.path("snapshot").asBoolean()).isTrue();
                        assertThat(batch.path("presences").valueStream())
                                .extracting(one -> one.path("user_id").asText())
                                .containsExactly("@after:example.org");
                    }
                    await().untilAsserted(() ->
                            assertThat(stream.states("@before:example.org")).endsWith("unknown"));
                    assertThat(stream.states("@after:example.org")).endsWith("online");
                }
            }
        }
    }

    private static void create(Admin admin, String topic) throws Exception {
        admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1))).all().get();
    }

    private static void publish(EmbeddedBroker broker, String user, long sequence) throws Exception {
        Presence presence = new Presence(PresenceState.ONLINE, null, null, sequence, null, sequence);
        byte[] bytes = RealContext.TOPICS.presence().values().serializer().serialize("presence", presence);
        try (var producer = RealContext.producer(broker.bootstrapServers(), Map.of())) {
            producer.send(new ProducerRecord<>(
                            "presence", null, sequence, UserId.of(user).bytes(), bytes))
                    .get();
        }
    }

    private Rollcall edge(EmbeddedBroker broker) {
        return Rollcall.startEdge(RollcallConfig.of(RealContext.settings(
                dataDir.resolve("edge"), "http.port", "0", "bootstrap.servers", broker.bootstrapServers())));
    }
}
