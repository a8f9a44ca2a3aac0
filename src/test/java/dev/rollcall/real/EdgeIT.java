package dev.rollcall.real;

import static dev.rollcall.real.HttpContext.device;
import static dev.rollcall.real.HttpContext.user;
import static dev.rollcall.real.RealContext.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rollcall.app.Rollcall;
import dev.rollcall.config.ConfigException;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.embedded.EmbeddedBroker;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two edges without a processor beside an instance with everything: what one of them knows, no other needs. */
@Timeout(180)
class EdgeIT {
    private static final String WATCHER = "@watcher:example.org";

    @TempDir
    private static Path dataDir;

    private static EmbeddedBroker broker;
    private static Rollcall processor;
    private static Rollcall edgeA;
    private static Rollcall edgeB;
    private static HttpContext a;
    private static HttpContext b;

    @BeforeAll
    static void start() throws Exception {
        // As most clusters: who asks for a topic creates it.
        broker = EmbeddedBroker.start(
                dataDir.resolve("broker"), 0, Map.of("auto.create.topics.enable", "true"), reason -> {});
        edgeA = edge();
        a = HttpContext.ofService(edgeA.httpUrl().orElseThrow());
        RealContext.sleep(Duration.ofSeconds(2));
        assertItWaitsForTheTopicsAndCreatesNone();
        processor = Rollcall.start(config("processor", "http.port", ""));
        processor.awaitReady();
        edgeB = edge();
        b = HttpContext.ofService(edgeB.httpUrl().orElseThrow());
        a.awaitReady();
        b.awaitReady();
    }

    private static void assertItWaitsForTheTopicsAndCreatesNone() throws Exception {
        JsonNode health = a.get("/health/ready").isRefused(503, "M_UNAVAILABLE").json();
        assertThat(health.path("waits_for").valueStream().map(JsonNode::asText))
                .containsExactly(
                        "the topic device-heartbeat, which does not exist",
                        "the topic status, which does not exist",
                        "the topic appear-offline, which does not exist",
                        "the topic presence, which does not exist");
        a.get(user(WATCHER) + "/presence").isRefused(503, "M_UNAVAILABLE");
        a.get("/health/live").isOk();
        try (Admin admin = admin()) {
            assertThat(admin.listTopics().names().get()).isEmpty();
        }
    }

    @AfterAll
    static void stop() {
        edgeA.close();
        edgeB.close();
        processor.close();
        broker.close();
    }

    @Test
    void shouldServeWhatTheProcessorPublishesAndKeepNothingOnDisk() throws Exception {
        a.setState("@alice:example.org", "phone", "online");
        b.awaitState("@alice:example.org", "online");
        b.setText("@alice:example.org", "hello");
        a.awaitText("@alice:example.org", "hello");
        try (var files = Files.list(dataDir)) {
            assertThat(files.map(file -> file.getFileName().toString())).containsOnly("broker", "processor");
        }
    }

    @Test
    void shouldSayWhatItWaitsForWhenThereAreNoBrokers() {
        try (Rollcall early = Rollcall.startEdge(
                config("early", "http.port", "0", "bootstrap.servers", "localhost:1", "data.dir", "/proc/nowhere"))) {
            HttpContext http = HttpContext.ofService(early.httpUrl().orElseThrow());
            await().untilAsserted(() -> assertThat(http.get("/health/ready")
                            .isRefused(503, "M_UNAVAILABLE")
                            .json()
                            .path("waits_for")
                            .path(0)
                            .asText())
                    .startsWith("the brokers, which do not"));
            http.get("/health/live").isOk();
        }
        assertThatThrownBy(() -> Rollcall.startEdge(config("none", "http.port", "")))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("http.port");
    }

    @Test
    void shouldEndADeviceWhoseStreamIsOpenAtAnotherInstance() throws Exception {
        String name = "@leaver:example.org";
        try (var stream = a.open(device(name, "tab") + "/events?users=" + HttpContext.encode(name))) {
            b.awaitState(name, "online");
            b.delete(device(name, "tab") + "/presence").isOk();

            stream.awaitStates(name, "unknown", "online", "offline");
            RealContext.sleep(Duration.ofSeconds(4));
            assertThat(b.presence(name).path("state").asText())
                    .as("the stream that is still open does not bring the device back")
                    .isEqualTo("offline");
            assertThat(stream.hasEnded()).isFalse();
        }
    }

    @Test
    void shouldGoOnAtAnotherInstanceWithATokenOfTheFirst() {
        a.setState("@before:example.org", "phone", "online");
        a.awaitState("@before:example.org", "online");
        String path = "/v2/presence/events?timeout=5000&next_batch=";
        String token = all(a);
        b.setState("@after:example.org", "phone", "online");

        JsonNode next = b.poll(path + token);
        assertThat(next.path("snapshot").asBoolean()).isFalse();
        assertThat(users(next)).contains("@after:example.org").doesNotContain("@before:example.org");
        String second = next.path("next_batch").asText();
        b.setState("@after:example.org", "phone", "idle");
        JsonNode back = a.poll(path + second);
        assertThat(back.path("snapshot").asBoolean()).isFalse();
        assertThat(users(back)).contains("@after:example.org");
    }

    @Test
    void shouldGiveASnapshotWhenATokenIsOfNoTopicOrNamesPartitionsThatAreNotThere() {
        String token = all(a);
        for (String wrong : List.of(
                token.replaceFirst("s[0-9a-f]*-", "s1234-"), // of another life of the topic
                token + "_4000.7")) {
            JsonNode batch = b.poll("/v2/presence/events?timeout=5000&next_batch=" + wrong);
            assertThat(batch.path("snapshot").asBoolean()).as(wrong).isTrue();
            assertThat(batch.path("next_batch").asText()).startsWith(token.replaceFirst("-.*", "-"));
        }
        String long0 =
                IntStream.range(4, 4_000).mapToObj(i -> "_" + i + ".0").collect(Collectors.joining("", token, ""));
        String answer = b.poll("/v2/presence/events?timeout=300&next_batch=" + long0)
                .path("next_batch")
                .asText();
        assertThat(answer.length()).as("what names nothing is not sent back").isLessThan(200);
    }

    @Test
    void shouldWaitWhenATokenIsAheadOfThisInstance() {
        String token = all(a);
        JsonNode batch = b.poll("/v2/presence/events?timeout=500&next_batch=" + ahead(token, 1_000_000));
        assertThat(batch.path("snapshot").asBoolean()).as("not everything").isFalse();
        assertThat(batch.path("presences")).isEmpty();
        assertThat(batch.path("next_batch").asText()).isEqualTo(ahead(token, 1_000_000));

        long begin = System.nanoTime();
        JsonNode forged = b.poll("/v2/presence/events?timeout=20000&next_batch=" + ahead(token, 1_000_000));
        assertThat(forged.path("snapshot").asBoolean()).as("not for ever").isTrue();
        assertThat(Duration.ofNanos(System.nanoTime() - begin))
                .isBetween(Duration.ofSeconds(4), Duration.ofSeconds(10));
    }

    @Test
    void shouldDeliverToAServiceThatIsNoDevice() throws Exception {
        a.setState("@seen:example.org", "phone", "online");
        b.awaitState("@seen:example.org", "online");
        try (var stream = b.open("/v2/presence/events?users=%40seen%3Aexample.org")) {
            stream.awaitStates("@seen:example.org", "online");
            a.setState("@seen:example.org", "phone", "idle");
            stream.awaitStates("@seen:example.org", "online", "idle");
        }
        JsonNode everybody = b.poll("/v2/presence/events");
        assertThat(everybody.path("snapshot").asBoolean()).isTrue();
        assertThat(users(everybody)).contains("@seen:example.org");

        HttpContext phone = HttpContext.ofDevice(edgeB.httpUrl().orElseThrow(), WATCHER, "phone");
        phone.get("/v2/presence/events").isRefused(403, "M_FORBIDDEN");
        b.get("/v2/presence/events?users=" + "x".repeat(256)).isRefused(400, "M_INVALID_PARAM");
    }

    @Test
    void shouldChangeWhomAnOpenStreamWatches() throws Exception {
        for (String name : List.of("@old:example.org", "@kept:example.org", "@new:example.org")) {
            a.setState(name, "phone", "online");
            b.awaitState(name, "online");
            a.awaitState(name, "online");
        }
        HttpContext tab = HttpContext.ofDevice(edgeA.httpUrl().orElseThrow(), WATCHER, "tab");
        String path = device(WATCHER, "tab") + "/events";
        HttpContext.Stream stream = tab.open(path + "?users=%40old%3Aexample.org,%40kept%3Aexample.org");
        stream.awaitStates("@old:example.org", "online");
        String watched = path + "/" + stream.id() + "/users";
        String body = "{\"user_ids\":[\"@kept:example.org\",\"@new:example.org\",\"@nobody:example.org\"]}";

        tab.put(watched, body).isOk();
        stream.awaitStates("@new:example.org", "online");
        stream.awaitStates("@nobody:example.org", "unknown");
        tab.put(watched, body).isOk(); // changes nothing
        for (String name : List.of("@old:example.org", "@kept:example.org", "@new:example.org")) {
            b.setState(name, "phone", "idle");
            a.awaitState(name, "idle");
        }
        stream.awaitStates("@kept:example.org", "online", "idle");
        stream.awaitStates("@new:example.org", "online", "idle");
        assertThat(stream.states("@old:example.org")).as("not watched any more").containsExactly("online");
        assertThat(stream.events().stream()
                        .filter(event -> event.path("snapshot").asBoolean()))
                .hasSize(1);

        // At another instance, as behind a load balancer, and by others.
        HttpContext tabAtB = HttpContext.ofDevice(edgeB.httpUrl().orElseThrow(), WATCHER, "tab");
        tabAtB.put(watched, body).isRefused(421, "M_NOT_FOUND");
        HttpContext.ofDevice(edgeA.httpUrl().orElseThrow(), "@other:example.org", "tab")
                .put(watched, body)
                .isRefused(403, "M_FORBIDDEN");
        HttpContext.ofDevice(edgeA.httpUrl().orElseThrow(), "@other:example.org", "tab")
                .put(watched.replace("watcher", "other"), body)
                .isRefused(404, "M_NOT_FOUND");
        tab.put(watched, "{\"user_ids\":[\"\"]}").isRefused(400, "M_INVALID_PARAM");
        stream.close();
        await().untilAsserted(() -> tab.put(watched, body).isRefused(404, "M_NOT_FOUND"));
        try (var everybody = a.open("/v2/presence/events")) {
            a.put("/v2/presence/events/" + everybody.id() + "/users", "{\"user_ids\":[]}")
                    .isRefused(400, "M_INVALID_PARAM");
        }
        try (var service = a.open("/v2/presence/events?users=")) {
            a.put("/v2/presence/events/" + service.id() + "/users", "{\"user_ids\":[\"@new:example.org\"]}")
                    .isOk();
            service.awaitStates("@new:example.org", "idle");
        }
    }

    /** Reads everything, and returns the token after it. */
    private static String all(HttpContext http) {
        String token = "";
        boolean more = true;
        while (more) {
            JsonNode batch = http.poll("/v2/presence/events?timeout=300&next_batch=" + token);
            more = batch.path("more").asBoolean() || !batch.path("presences").isEmpty();
            token = batch.path("next_batch").asText();
        }
        return token;
    }

    private static String ahead(String token, long by) {
        int dot = token.lastIndexOf('.') + 1;
        return token.substring(0, dot) + (Long.parseLong(token.substring(dot)) + by);
    }

    private static Set<String> users(JsonNode batch) {
        return batch.path("presences")
                .valueStream()
                .map((JsonNode one) -> one.path("user_id").asText())
                .collect(Collectors.toSet());
    }

    private static Rollcall edge() {
        return Rollcall.startEdge(config("edge", "http.port", "0"));
    }

    private static RollcallConfig config(String instance, String... more) {
        Map<String, String> all = RealContext.settings(dataDir.resolve(instance), more);
        all.putIfAbsent("bootstrap.servers", broker.bootstrapServers());
        all.put("http.jwt.key", HttpContext.KEY);
        all.put("disconnect.grace.ms", "2000");
        all.put("pulse.interval.ms", "250");
        return RollcallConfig.of(all);
    }

    private static Admin admin() {
        return Admin.create(Map.of("bootstrap.servers", broker.bootstrapServers()));
    }
}
