package dev.rollcall.real;

import static dev.rollcall.domain.PresenceState.OFFLINE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rollcall.app.Rollcall;
import dev.rollcall.client.PresencePublisher;
import dev.rollcall.config.ConfigException;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.UserId;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.FeatureMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Everything that Rollcall asks of a broker, asked of the oldest one that docs/operations.md promises. */
@Timeout(300)
@SuppressWarnings("try") // that they run is all, and a test is not interrupted
class OldestBrokerIT {
    private static final String HIDDEN = "@hidden:example.org";
    private static final List<String> USERS = RealContext.users("user", 20);

    @TempDir
    private Path dir;

    @Test
    void shouldServeAndGoOnAfterARestart() throws Exception {
        try (EarlierBroker broker = EarlierBroker.oldest(dir)) {
            isOld(broker);
            refusesTheStreamsProtocol(broker);
            List<String> refused = new CopyOnWriteArrayList<>();
            Rollcall first = start(broker);
            try (RealContext context = new RealContext(broker.bootstrapServers());
                    PresencePublisher shard = PresencePublisher.forShard("shard-1")
                            .start(Map.of("bootstrap.servers", broker.bootstrapServers()));
                    AutoCloseable deadLetters = context.read(
                            RealContext.TOPICS.deadLetters(),
                            record -> refused.add(new String(record.value(), UTF_8)));
                    KafkaProducer<byte[], byte[]> producer = context.producer(Map.of())) {
                serves(first, context, shard);
                RealContext.acknowledged(producer.send(
                        new ProducerRecord<>("status", "@bad:example.org".getBytes(UTF_8), "bad".getBytes(UTF_8))));
                Awaitility.await().until(() -> refused.equals(List.of("bad")));

                first.close();
                try (Rollcall second = start(broker)) {
                    context.heartbeat("@new:example.org", "phone");
                    context.awaitState(List.of("@new:example.org"), ONLINE);
                    assertThat(USERS)
                            .allSatisfy(
                                    user -> assertThat(context.emitted(user)).hasSize(1));
                    assertThat(context.lastEmitted(HIDDEN).state()).isEqualTo(OFFLINE);
                    shard.closed(UserId.of(USERS.get(0)), "socket").join();
                    context.awaitState(USERS.subList(0, 1), OFFLINE);
                    context.assertHistoriesAreWhole();
                    assertThat(refused).as("no record is read again").hasSize(1);
                    assertThat(second.httpUrl()).isPresent();
                }
            } finally {
                first.close();
            }
        }
    }

    private void serves(Rollcall rollcall, RealContext context, PresencePublisher shard) throws Exception {
        USERS.forEach(user -> shard.opened(UserId.of(user), "socket").join());
        context.awaitState(USERS, ONLINE);
        context.heartbeat("@expiring:example.org", "phone");
        context.awaitState(List.of("@expiring:example.org"), ONLINE);
        context.awaitState(List.of("@expiring:example.org"), OFFLINE);
        shard.opened(UserId.of(HIDDEN), "socket").join();
        context.awaitState(List.of(HIDDEN), ONLINE);
        context.hide(HIDDEN);
        context.awaitState(List.of(HIDDEN), OFFLINE);
        HttpContext http = HttpContext.withoutToken(rollcall.httpUrl().orElseThrow());
        Awaitility.await().until(() -> http.get("/health/ready").status() == 200);
        assertThat(http.get("/v2/users/%s/presence".formatted(USERS.get(0)))
                        .json()
                        .get("state")
                        .asText())
                .isEqualTo("online");
    }

    private static void isOld(EarlierBroker broker) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrapServers()))) {
            FeatureMetadata features =
                    admin.describeFeatures().featureMetadata().get();
            assertThat(features.supportedFeatures().get("metadata.version").maxVersion())
                    .as("the level of metadata.version in Kafka 4.0")
                    .isEqualTo((short) 25);
        }
    }

    /** It has no groups of that kind, and the start says from which version on there are. */
    private void refusesTheStreamsProtocol(EarlierBroker broker) {
        assertThatThrownBy(() -> Rollcall.start(config(broker, "kafka.group.protocol", "streams")))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("streams.version")
                .hasMessageContaining("Kafka 4.2 or later");
    }

    private Rollcall start(EarlierBroker broker) throws Exception {
        Rollcall rollcall = Rollcall.start(config(broker));
        rollcall.awaitReady();
        return rollcall;
    }

    private RollcallConfig config(EarlierBroker broker, String... keysAndValues) {
        List<String> all = new ArrayList<>(List.of(
                "bootstrap.servers",
                broker.bootstrapServers(),
                "http.port",
                "0",
                "device.lease.ms",
                String.valueOf(Duration.ofSeconds(2).toMillis())));
        all.addAll(List.of(keysAndValues));
        return RollcallConfig.of(RealContext.settings(dir.resolve("data"), all.toArray(String[]::new)));
    }
}
