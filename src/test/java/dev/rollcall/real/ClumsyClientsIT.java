package dev.rollcall.real;

import static dev.rollcall.real.HttpContext.device;
import static dev.rollcall.real.HttpContext.user;
import static dev.rollcall.real.RealContext.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rollcall.domain.PresenceState;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What clients, proxies and probes do that is allowed, if unusual; and heartbeats over HTTP with all that they may have. */
@Timeout(120)
class ClumsyClientsIT {
    @RegisterExtension
    static final HttpExtension EDGE = HttpExtension.with(
            "http.jwt.key", HttpContext.KEY, "device.lease.ms", "3000", "disconnect.grace.ms", "500");

    private final HttpContext nobody = EDGE.http();
    private final HttpContext service = HttpContext.ofService(EDGE.url());

    @ParameterizedTest
    @ValueSource(strings = {"/health/live", "/health/ready", "/", "/page.js", "/openapi.json"})
    void shouldAnswerHeadAsGetWithoutABody(String path) {
        // More than once: between two requests the health's numbers may have got another digit.
        await().atMost(Duration.ofSeconds(10)).untilAsserted(() -> {
            HttpContext.Answer get = nobody.get(path).isOk();
            HttpContext.Answer head = nobody.send("HEAD", path, null).isOk();
            assertThat(head.body()).isEmpty();
            for (String header : List.of("Content-Type", "Content-Length", "Cache-Control")) {
                assertThat(head.response().headers().firstValue(header))
                        .as(header)
                        .isEqualTo(get.response().headers().firstValue(header));
            }
        });
    }

    @Test
    void shouldOpenNoStreamWhenOnlyItsHeadIsAskedFor() throws Exception {
        String path = device("@head:example.org", "tab") + "/events";
        HttpContext.Answer head = service.send("HEAD", path, null).isOk();
        assertThat(head.response().headers().firstValue("Content-Type")).hasValue("text/event-stream");
        RealContext.sleep(Duration.ofSeconds(1));
        assertThat(service.presence("@head:example.org").path("state").asText()).isEqualTo("unknown");
        assertThat(service.send("OPTIONS", path, null).response().headers().firstValue("Allow"))
                .hasValue("GET, HEAD");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    Application/JSON                                | application/json
                    application/*                                   | application/json
                    application/json, text/event-stream;q=0.5       | application/json
                    text/event-stream;q=0, */*                      | application/json
                    */*                                             | text/event-stream
                    application/json;q=0.5, text/event-stream;q=0.9 | text/event-stream
                    application/json;q=0.1, text/*                  | text/event-stream
                    text/html                                       | text/event-stream
                    """)
    void shouldAnswerInTheTypeThatIsWantedMore(String accept, String type) {
        String path = device("@accept:example.org", "tab") + "/events?users=&timeout=0";
        assertThat(service.get(path, "Accept", accept)
                        .isOk()
                        .response()
                        .headers()
                        .firstValue("Content-Type"))
                .hasValue(type);
    }

    @Test
    void shouldRefuseABodyThatIsEncoded() {
        HttpContext.Answer refused = service.send(
                        "POST", "/v2/presence/query", "{\"user_ids\":[]}", "Content-Encoding", "gzip")
                .isRefused(415, "M_UNRECOGNIZED");
        assertThat(refused.response().headers().firstValue("Accept-Encoding")).hasValue("identity");
        service.send("POST", "/v2/presence/query", "{\"user_ids\":[]}", "Content-Encoding", "Identity")
                .isOk();
    }

    @Test
    void shouldSpeakR0AsV3() {
        String user = "@r0:example.org";
        String path = "/presence/" + HttpContext.encode(user) + "/status";
        service.put("/_matrix/client/r0" + path, "{\"presence\":\"unavailable\"}")
                .isOk();
        service.awaitState(user, "idle");
        assertThat(service.get("/_matrix/client/r0" + path).isOk().json())
                .isEqualTo(service.get("/_matrix/client/v3" + path).isOk().json());
    }

    /** One record for each request: nobody sees the text with the state before, nor the state with the text before. */
    @Test
    void shouldShowBothAtOnceWhenAStateComesWithAText() {
        String user = "@both:example.org";
        String path = "/_matrix/client/v3/presence/" + HttpContext.encode(user) + "/status";
        int puts = 20;
        for (int i = 0; i < puts; i++) {
            String presence = i % 2 == 0 ? "online" : "unavailable";
            service.put(path, "{\"presence\":\"%s\",\"status_msg\":\"text %d\"}".formatted(presence, i))
                    .isOk();
            service.awaitText(user, "text " + i);
            service.awaitState(user, i % 2 == 0 ? "online" : "idle");
        }
        List<RealContext.Emitted> records = EDGE.kafka().emitted(user).stream()
                .filter(record -> record.state() != PresenceState.OFFLINE) // a lease may be over in between
                .toList();
        assertThat(records).hasSize(puts);
        for (int i = 0; i < puts; i++) {
            assertThat(records.get(i).presence().status()).isEqualTo("text " + i);
            assertThat(records.get(i).state()).isEqualTo(i % 2 == 0 ? PresenceState.ONLINE : PresenceState.IDLE);
        }
    }

    @Test
    void shouldKeepADeviceAsItIsForTheLeaseThatItNames() throws Exception {
        String user = "@lease:example.org";
        String path = device(user, "phone") + "/presence";
        HttpContext phone = HttpContext.ofDevice(EDGE.url(), user, "phone");
        phone.put(path, "{\"state\":\"idle\"}").isOk();
        service.awaitState(user, "idle");
        phone.put(path, "{\"lease_ms\":6000}").isOk(); // still here, and still idle
        RealContext.sleep(Duration.ofMillis(4_500));
        assertThat(service.presence(user).path("state").asText()).isEqualTo("idle");
        service.awaitState(user, "offline");
        assertThat(EDGE.kafka().emitted(user)).hasSize(2);
        phone.put(path, "{}").isOk();
        service.awaitState(user, "online");
        phone.put(path, "{\"lease_ms\":0}").isRefused(400, "M_BAD_JSON");
        phone.put(path, "{\"lease_ms\":86400001}").isRefused(400, "M_BAD_JSON");
        phone.put(path, "{\"state\":\"busy\"}").isRefused(400, "M_INVALID_PARAM");
        // A shard's name holds all of its devices, so a device may not give it.
        phone.put(path, "{\"shard\":\"shard-1\"}").isRefused(403, "M_FORBIDDEN");
        service.put(path, "{\"shard\":\"shard-1\"}").isOk();
        service.put(path, "{\"shard\":\"\"}").isRefused(400, "M_INVALID_PARAM");
    }

    @Test
    void shouldTakeManyHeartbeatsAndAnswerEach() {
        String body = """
                {"heartbeats": [
                  {"user_id": "@h1:a", "device_id": "d", "state": "idle", "lease_ms": 60000},
                  {"user_id": "@h2:a", "device_id": "d"},
                  {"user_id": "@h3:a", "device_id": "d", "state": "online", "shard": "s", "session": "1"},
                  {"user_id": "@h4:a", "device_id": "d", "state": "online", "closed": true},
                  {"user_id": "", "device_id": "d"},
                  {"user_id": "@h5:a"},
                  {"user_id": "@h5:a", "device_id": "d", "session": "1"},
                  {"user_id": "@h5:a", "device_id": "d", "state": "away"},
                  {"user_id": "@h5:a", "device_id": "d", "lease_ms": 0},
                  {"user_id": "@h5:a", "device_id": "d", "closed": 1},
                  7,
                  {"user_id": ".", "device_id": ".."}
                ]}
                """;
        JsonNode results = service.post("/v2/heartbeats", body).isOk().json().path("results");
        assertThat(results.valueStream().map(result -> result.path("errcode").asText("")))
                .containsExactly(
                        "",
                        "",
                        "",
                        "",
                        "M_INVALID_PARAM",
                        "M_BAD_JSON",
                        "M_BAD_JSON",
                        "M_INVALID_PARAM",
                        "M_BAD_JSON",
                        "M_BAD_JSON",
                        "M_BAD_JSON",
                        "");
        service.awaitState("@h1:a", "idle");
        service.awaitState("@h2:a", "offline"); // after the default lease
        assertThat(service.presence("@h1:a").path("state").asText()).isEqualTo("idle");
        service.awaitState("@h4:a", "offline"); // after the grace
        assertThat(service.presence("@h5:a").path("state").asText()).isEqualTo("unknown");
        // An id that no path can have.
        JsonNode dot = service.post("/v2/presence/query", "{\"user_ids\":[\".\"]}")
                .isOk()
                .json();
        assertThat(dot.path("presences").path(0).path("sequence").asLong()).isPositive();
    }

    @Test
    void shouldTakeAThousandHeartbeatsAndNotMore() {
        String one = "{\"user_id\":\"@k:a\",\"device_id\":\"d\"},";
        String thousand = "{\"heartbeats\":[" + one.repeat(999) + one.replace("},", "}");
        long start = System.nanoTime();
        assertThat(service.post("/v2/heartbeats", thousand + "]}").isOk().json().path("results"))
                .hasSize(1_000);
        System.out.printf("1000 heartbeats in %d ms%n", TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start));
        service.post("/v2/heartbeats", thousand + ",{}]}").isRefused(400, "M_INVALID_PARAM");
        service.post("/v2/heartbeats", "{}").isRefused(400, "M_BAD_JSON");
        HttpContext.ofDevice(EDGE.url(), "@k:a", "d")
                .post("/v2/heartbeats", "{\"heartbeats\":[]}")
                .isRefused(403, "M_FORBIDDEN");
        service.post("/v2/heartbeats", "{\"heartbeats\":[]}").isOk();
        assertThat(service.get(user("@k:a") + "/presence")
                        .isOk()
                        .json()
                        .path("state")
                        .asText())
                .isNotEmpty();
    }
}
