package dev.rollcall.real;

import static dev.rollcall.real.HttpContext.device;
import static dev.rollcall.real.RealContext.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rollcall.app.Rollcall;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.embedded.EmbeddedBroker;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two instances, which give the same answers while one leaves and one joins; and what they say while Kafka is away. */
@Timeout(180)
class HttpTwoInstancesIT {
    private static final List<String> USERS = RealContext.users("either", 100);

    @TempDir
    private Path dataDir;

    private EmbeddedBroker broker;
    private boolean brokerIsThere;

    @BeforeEach
    void startBroker() {
        broker = EmbeddedBroker.start(dataDir.resolve("broker"), 0);
        brokerIsThere = true;
    }

    @AfterEach
    void stopBroker() {
        if (brokerIsThere) {
            broker.close();
        }
    }

    @Test
    void shouldGiveTheSameAnswersWhileOneLeavesAndOneJoins() throws Exception {
        try (Rollcall staying = start("staying");
                Rollcall leaving = start("leaving");
                RealContext context = new RealContext(broker.bootstrapServers())) {
            HttpContext one = HttpContext.ofService(staying.httpUrl().orElseThrow());
            HttpContext other = HttpContext.ofService(leaving.httpUrl().orElseThrow());
            one.awaitReady();
            other.awaitReady();
            context.keepBeating(USERS, Duration.ofMillis(500));
            for (HttpContext http : List.of(one, other)) {
                await().untilAsserted(() ->
                        assertThat(states(http)).hasSize(USERS.size()).containsOnly("online"));
                for (String user : USERS.subList(0, 20)) {
                    assertThat(http.presence(user).path("state").asText()).isEqualTo("online");
                }
            }
            assertThat(query(one).json()).isEqualTo(query(other).json());

            // On an event stream of one instance, what happens through the other.
            try (var stream =
                    one.open(device("@watcher:example.org", "tab") + "/events?users=%40there%3Aexample.org")) {
                other.put(device("@there:example.org", "phone") + "/presence", "{\"state\":\"idle\"}")
                        .isOk();
                stream.awaitStates("@there:example.org", "unknown", "idle");
            }

            // From one instance to the other, with the stream that was first ending last: nobody sees a thing.
            String moving = "@moving:example.org";
            String path = device(moving, "tab") + "/events?users=";
            HttpContext.Stream before = one.open(path);
            one.awaitState(moving, "online");
            try (var after = other.open(path)) {
                before.close();
                RealContext.sleep(Duration.ofSeconds(4));
                assertThat(context.emitted(moving)).hasSize(1);
                assertThat(after.hasEnded()).isFalse();
            }

            // A stream that ends with its instance: its client has time to come to the other one.
            String kept = "@kept:example.org";
            String keptPath = device(kept, "tab") + "/events?users=";
            HttpContext.Stream ending = other.open(keptPath);
            one.awaitState(kept, "online");

            CompletableFuture<Rollcall> joined =
                    CompletableFuture.runAsync(leaving::close).thenApply(done -> start("joining"));
            JsonNode expected = query(one).isOk().json();
            int answers = 0;
            long end = System.nanoTime() + Duration.ofSeconds(8).toNanos();
            while (System.nanoTime() < end || !joined.isDone()) {
                assertThat(query(one).isOk().json()).isEqualTo(expected);
                answers++;
                RealContext.sleep(Duration.ofMillis(50));
            }
            System.out.printf("while one left and one joined: %d answers, no refusal%n", answers);
            try (Rollcall joining = joined.join()) {
                HttpContext third = HttpContext.ofService(joining.httpUrl().orElseThrow());
                third.awaitReady();
                assertThat(query(third).isOk().json()).isEqualTo(expected);
            }
            await().untilAsserted(
                            () -> assertThat(states(one)).hasSize(USERS.size()).containsOnly("online"));
            assertThat(context.everOffline(USERS)).isEmpty();
            assertThat(ending.hasEnded()).isTrue();
            try (var again = one.open(keptPath)) {
                RealContext.sleep(Duration.ofSeconds(1));
                assertThat(context.emitted(kept)).hasSize(1);
                assertThat(again.hasEnded()).isFalse();
            }
        }
    }

    @Test
    void shouldSayWhenToTryAgainWhileKafkaIsAway() throws Exception {
        try (Rollcall rollcall = start("alone")) {
            HttpContext http = HttpContext.ofService(rollcall.httpUrl().orElseThrow());
            http.awaitReady();
            String path = device("@alice:example.org", "phone") + "/presence";
            http.put(path, "{\"state\":\"online\"}").isOk();
            http.awaitState("@alice:example.org", "online");

            broker.close();
            brokerIsThere = false;

            HttpContext.Answer answer = http.put(path, "{\"state\":\"idle\"}").isRefused(503, "M_UNAVAILABLE");
            assertThat(answer.response().headers().firstValue("Retry-After")).hasValue("1");
            http.get(device("@alice:example.org", "phone") + "/events").isRefused(503, "M_UNAVAILABLE");
            assertThat(http.presence("@alice:example.org").path("state").asText())
                    .isEqualTo("online");
            http.get("/health/live").isOk();
        }
    }

    private static List<String> states(HttpContext http) {
        HttpContext.Answer answer = query(http);
        return answer.status() == 200 ? statesOf(answer) : List.of();
    }

    private static List<String> statesOf(HttpContext.Answer answer) {
        return answer.json()
                .path("presences")
                .valueStream()
                .map((JsonNode one) -> one.path("state").asText())
                .toList();
    }

    private static HttpContext.Answer query(HttpContext http) {
        return http.post(
                "/v2/presence/query", USERS.stream().collect(Collectors.joining("\",\"", "{\"user_ids\":[\"", "\"]}")));
    }

    private Rollcall start(String instance) {
        Rollcall rollcall = Rollcall.start(RollcallConfig.of(RealContext.settings(
                dataDir.resolve(instance),
                "bootstrap.servers",
                broker.bootstrapServers(),
                "http.port",
                "0",
                "http.jwt.key",
                HttpContext.KEY,
                "disconnect.grace.ms",
                "2000",
                "pulse.interval.ms",
                "250")));
        try {
            rollcall.awaitReady();
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException(e);
        }
        return rollcall;
    }
}
