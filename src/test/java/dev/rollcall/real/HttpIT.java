package dev.rollcall.real;

import static dev.rollcall.real.HttpContext.device;
import static dev.rollcall.real.HttpContext.user;
import static dev.rollcall.real.RealContext.await;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rollcall.app.Rollcall;
import dev.rollcall.config.ConfigException;
import dev.rollcall.config.RollcallConfig;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** All routes of the HTTP edge, on the loopback address without tokens, and what they refuse. */
@Timeout(120)
class HttpIT {
    @RegisterExtension
    static final HttpExtension EDGE = HttpExtension.with(
            "device.lease.ms", "3000", "disconnect.grace.ms", "1000", "http.max.streams.per.user", "2");

    private final HttpContext http = EDGE.http();

    @Test
    void shouldSayThatItLivesAndIsReadyWhenAsked() {
        assertThat(http.get("/health/live").isOk().json().path("status").asText())
                .isEqualTo("live");
        JsonNode ready = http.get("/health/ready").isOk().json();
        assertThat(ready.path("status").asText()).isEqualTo("ready");
        assertThat(ready.path("feed").path("read")).isEqualTo(ready.path("feed").path("total"));
        assertThat(ready.path("feed").path("behind").isIntegralNumber()).isTrue();
    }

    @Test
    void shouldBeOnlineAndThenOfflineAfterTheLeaseWhenADeviceSaysSoOnce() {
        String user = "@put:example.org";
        http.setState(user, "phone", "online");
        http.awaitState(user, "online");
        JsonNode presence = http.presence(user);
        assertThat(presence.path("user_id").asText()).isEqualTo(user);
        assertThat(presence.path("since").asLong()).isPositive();
        assertThat(presence.path("last_active").asLong())
                .isEqualTo(presence.path("since").asLong());
        assertThat(presence.path("sequence").asLong()).isEqualTo(1);
        assertThat(presence.path("status").isNull()).isTrue();

        http.awaitState(user, "offline");
        assertThat(http.presence(user).path("since").asLong()
                        - presence.path("since").asLong())
                .isEqualTo(3_000);
    }

    @Test
    void shouldSayEachTimeWhenADeviceSaysTheSameThroughDifferentWays() {
        String user = "@ways:example.org";
        http.setState(user, "phone", "online");
        http.awaitState(user, "online");
        http.setState(user, "phone", "idle");
        http.awaitState(user, "idle");
        http.setState(user, "phone", "offline");
        http.awaitState(user, "offline");
    }

    @Test
    void shouldEndAfterItsGraceWhenADeviceIsDeleted() {
        String user = "@delete:example.org";
        http.setState(user, "phone", "online");
        http.awaitState(user, "online");
        long since = http.presence(user).path("since").asLong();
        http.delete(device(user, "phone") + "/presence").isOk();
        http.awaitState(user, "offline");
        assertThat(http.presence(user).path("since").asLong() - since).isBetween(1_000L, 2_900L);
    }

    @Test
    void shouldHaveATextForAWhileWhenTheUserSaysSo() {
        String user = "@text:example.org";
        http.put(user(user) + "/status", "{\"text\":\"at lunch \\uD83C\\uDF5D\"}")
                .isOk();
        http.awaitState(user, "offline");
        assertThat(http.presence(user).path("status").asText()).isEqualTo("at lunch \uD83C\uDF5D");
        http.put(user(user) + "/status", "{\"text\":\"back soon\",\"expires_in_ms\":1500}")
                .isOk();
        http.awaitText(user, "back soon");
        http.setState(user, "phone", "idle"); // so that time passes
        http.awaitText(user, "");
        http.setText(user, "there");
        http.awaitText(user, "there");
        http.put(user(user) + "/status", "{\"text\":null}").isOk();
        http.awaitText(user, "");
    }

    @Test
    void shouldLookOfflineAndSayNothingOfDevicesWhenAUserAppearsOffline() throws InterruptedException {
        String user = "@hidden:example.org";
        http.setState(user, "phone", "online");
        http.awaitState(user, "online");
        http.setAppearOffline(user, true);
        http.awaitState(user, "offline");
        JsonNode hidden = http.presence(user);
        for (int i = 0; i < 5; i++) {
            http.setState(user, "phone", "online");
            RealContext.sleep(java.time.Duration.ofMillis(100));
        }
        assertThat(http.presence(user)).isEqualTo(hidden);
        http.setAppearOffline(user, false);
        http.awaitState(user, "online");
    }

    @Test
    void shouldBeUnknownAndNotOfflineWhenNobodyKnowsTheUser() {
        assertThat(http.presence("@nobody:example.org").toString())
                .isEqualTo("{\"user_id\":\"@nobody:example.org\",\"state\":\"unknown\"}");
    }

    @Test
    void shouldStayUnknownWhenAUserWhoWasNeverSeenAppearsOffline() {
        String user = "@ghost:example.org";
        http.setAppearOffline(user, true);
        http.setState(user, "phone", "online");
        http.setText("@after-ghost:example.org", "x");
        http.awaitState("@after-ghost:example.org", "offline");
        assertThat(http.presence(user).path("state").asText()).isEqualTo("unknown");
    }

    @Test
    void shouldAnswerForAllInOrderWhenAThousandAreAskedFor() {
        http.setState("@batch7:example.org", "phone", "idle");
        http.awaitState("@batch7:example.org", "idle");
        List<String> users = RealContext.users("batch", 1_000);
        JsonNode presences =
                http.post("/v2/presence/query", query(users)).isOk().json().path("presences");
        assertThat(presences.valueStream().map(one -> one.path("user_id").asText()))
                .containsExactlyElementsOf(users);
        assertThat(presences.get(7).path("state").asText()).isEqualTo("idle");
        assertThat(presences.get(8).path("state").asText()).isEqualTo("unknown");
        http.post("/v2/presence/query", query(RealContext.users("batch", 1_001)))
                .isRefused(400, "M_INVALID_PARAM");
    }

    private static String query(List<String> users) {
        return users.stream().collect(Collectors.joining("\",\"", "{\"user_ids\":[\"", "\"]}"));
    }

    @Test
    void shouldTakeIdsAsTheyAreWhenTheyHaveAnyCharacter() {
        for (String user : List.of(
                "@a/b:example.org",
                "@..:example.org",
                "..",
                ".",
                "100%",
                "%2F",
                "a+b",
                "a b",
                "é\u0301",
                "\uD83D\uDC4B",
                "a;b=c",
                "?#&",
                "\\",
                "//")) {
            String text = "of " + user.length();
            HttpContext.Answer answer = http.put(user(user) + "/status", "{\"text\":\"" + text + "\"}");
            assertThat(answer.status()).as("%s: %s", user, answer.body()).isEqualTo(200);
            http.awaitText(user, text);
            assertThat(http.presence(user).path("user_id").asText()).isEqualTo(user);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "presence | '' | M_NOT_JSON",
                "presence | {\"state\": | M_NOT_JSON",
                "presence | {\"state\":\"online\"} x | M_NOT_JSON",
                "presence | {\"state\":\"online\",\"state\":\"idle\"} | M_NOT_JSON",
                "presence | [] | M_BAD_JSON",
                "presence | null | M_BAD_JSON",
                "presence | {\"state\":1} | M_BAD_JSON",
                "presence | {\"state\":\"away\"} | M_INVALID_PARAM",
                "status | {} | M_BAD_JSON",
                "status | {\"text\":1} | M_BAD_JSON",
                "status | {\"text\":\"x\",\"expires_in_ms\":0} | M_BAD_JSON",
                "status | {\"text\":\"x\",\"expires_in_ms\":1.5} | M_BAD_JSON",
                "status | {\"text\":\"x\",\"expires_in_ms\":99999999999999999999} | M_BAD_JSON",
                "status | {\"text\":\"\\uD800\"} | M_BAD_JSON",
                "appear-offline | {\"appear_offline\":\"yes\"} | M_BAD_JSON",
                "appear-offline | {} | M_BAD_JSON",
                "query | {} | M_BAD_JSON",
                "query | {\"user_ids\":[1]} | M_BAD_JSON",
                "query | {\"user_ids\":[\"\"]} | M_INVALID_PARAM",
                "query | {\"user_ids\":[\"\\uDC00\"]} | M_BAD_JSON",
            })
    void shouldRefuseABodyWhenItIsNotWhatItMustBe(String what, String body, String code) {
        String text = body.equals("''") ? "" : body;
        HttpContext.Answer answer = what.equals("query")
                ? http.post("/v2/presence/query", text)
                : http.put(
                        what.equals("presence")
                                ? device("@bad:example.org", "phone") + "/presence"
                                : user("@bad:example.org") + "/" + what,
                        text);
        answer.isRefused(400, code);
    }

    @Test
    void shouldRefuseABodyWhenItIsTooLarge() {
        String big = "{\"text\":\"" + "x".repeat(20_000) + "\"}";
        http.put(user("@big:example.org") + "/status", big).isRefused(413, "M_TOO_LARGE");
        http.put(user("@big:example.org") + "/status", "{\"text\":\"" + "x".repeat(1_025) + "\"}")
                .isRefused(400, "M_INVALID_PARAM");
        http.put(user("@big:example.org") + "/status", "{\"text\":\"" + "x".repeat(1_024) + "\"}")
                .isOk();
    }

    /** Who closes the connection meanwhile resets it, and the client never sees why. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "PUT /v2/users/a/status | Content-Length: 500000 | 413",
                "PUT /v2/users/a/status | Transfer-Encoding: chunked | 413",
                "PUT /v2/users/%ff/status | Content-Length: 500000 | 400",
                "PUT /v2/nothing | Content-Length: 500000 | 404",
                "DELETE /v2/users/a/status | Content-Length: 500000 | 405",
                "DELETE /v2/users/a/devices/b/presence | Content-Length: 500000 | 400",
            })
    void shouldLetAClientFinishItsBodyWhenItIsRefused(String what, String length, int status) throws Exception {
        String head = length.startsWith("Content") ? "" : "7a120\r\n";
        String tail = head.isEmpty() ? "" : "\r\n0\r\n\r\n";
        assertThat(answer(what, length, head, "x".repeat(500_000) + tail)).startsWith("HTTP/1.1 " + status);
    }

    @Test
    void shouldCutAConnectionWhenItsBodyDoesNotCome() throws Exception {
        assertThat(answer("PUT /v2/users/a/status", "Content-Length: 100", "{", ""))
                .startsWith("HTTP/1.1 408 ")
                .contains("the request took too long to come to its end");
    }

    /** What comes back until the connection is closed; the second part of the body is written a while after the first. */
    private String answer(String what, String length, String first, String second) throws Exception {
        URI uri = URI.create(EDGE.url());
        try (Socket socket = new Socket(uri.getHost(), uri.getPort())) {
            socket.setSoTimeout(20_000);
            String request = "%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%s\r\n\r\n%s"
                    .formatted(what, uri.getAuthority(), length, first);
            socket.getOutputStream().write(request.getBytes(US_ASCII));
            Thread.sleep(300);
            socket.getOutputStream().write(second.getBytes(US_ASCII));
            return new String(socket.getInputStream().readAllBytes(), US_ASCII);
        }
    }

    @Test
    void shouldRefuseAnIdWhenItIsTooLongOrEmpty() {
        http.get(user("x".repeat(256)) + "/presence").isRefused(400, "M_INVALID_PARAM");
        http.get(user("é".repeat(128)) + "/presence").isRefused(400, "M_INVALID_PARAM");
        http.get("/v2/users//presence").isRefused(400, "M_INVALID_PARAM");
        http.put("/v2/users/a/devices//presence", "{\"state\":\"online\"}").isRefused(400, "M_INVALID_PARAM");
        http.get(user("x".repeat(255)) + "/presence").isOk();
        http.get("/v2/users/%ff/presence").isRefused(400, "M_INVALID_PARAM");
        http.get("/v2/users/%00/presence").isRefused(400, "M_UNKNOWN"); // which the server itself refuses
    }

    /** Where an id comes from makes no difference. */
    @Test
    void shouldRefuseWhatIsNotTextWhereverItStands() {
        http.post("/v2/presence/query", "{\"user_ids\":[\"a\\u0000b\"]}").isRefused(400, "M_INVALID_PARAM");
        http.post("/v2/presence/query", "{\"user_ids\":[\"a\\ud83d\"]}").isRefused(400, "M_BAD_JSON");
        http.post("/v2/presence/query", "{\"user_ids\":[\"a\\ude00\\ud83d\"]}").isRefused(400, "M_BAD_JSON");
        http.put(user("a") + "/status", "{\"text\":\"\\ud83d\"}").isRefused(400, "M_BAD_JSON");
        http.put("/_matrix/client/v3/presence/a/status", "{\"presence\":\"online\",\"status_msg\":\"\\ud83d\"}")
                .isRefused(400, "M_BAD_JSON");
        http.put("/v2/users/a/devices/%e9/presence", "{\"state\":\"online\"}").isRefused(400, "M_INVALID_PARAM");
        http.get("/v2/users/a/devices/d/events?users=%00").isRefused(400, "M_INVALID_PARAM");
        http.get("/v2/users/a/devices/d/events?users=%e9").isRefused(400, "M_INVALID_PARAM");
    }

    @Test
    void shouldSayWhatThereIsNotWhenARouteOrAMethodIsUnknown() {
        http.get("/v2/nothing").isRefused(404, "M_UNRECOGNIZED");
        http.get(user("a") + "/presence/").isRefused(404, "M_UNRECOGNIZED");
        HttpContext.Answer answer = http.post(user("a") + "/presence", "{}").isRefused(405, "M_UNRECOGNIZED");
        assertThat(answer.response().headers().firstValue("Allow")).hasValue("GET, HEAD");
    }

    @ParameterizedTest
    @ValueSource(strings = {"https://evil.example", "null", "http://localhost:1", "%%"})
    void shouldRefuseWhenAnotherSitesPageAsks(String origin) {
        http.get(user("a") + "/presence", "Origin", origin).isRefused(403, "M_FORBIDDEN");
    }

    /** It rewrites Host to where it connects, so behind it everybody would look like this machine. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "Forwarded: for=192.0.2.1",
                "X-Forwarded-For: 192.0.2.1",
                "x-forwarded-proto: https",
                "X-FORWARDED-ANYTHING: x",
                "Via: 1.1 proxy",
                "X-Real-IP: 192.0.2.1",
                "CF-Connecting-IP: 192.0.2.1",
                "True-Client-IP: 192.0.2.1",
            })
    void shouldRefuseAndSayWhatToDoWhenARequestCameThroughAProxy(String header) {
        String[] both = header.split(": ", 2);
        HttpContext.Answer answer =
                http.get(user("a") + "/presence", both[0], both[1]).isRefused(403, "M_FORBIDDEN");
        assertThat(answer.body()).contains("came through a proxy", "set http.jwt.key");
        assertThat(answer.response().headers().firstValue("WWW-Authenticate")).isEmpty();
        http.get("/health/ready", both[0], both[1]).isOk();
    }

    @Test
    void shouldRefuseWhenARequestIsAsNginxPassesItOnByDefault() throws Exception {
        String request = "GET %s HTTP/%s\r\nHost: %s\r\nConnection: close\r\n\r\n";
        String path = user("a") + "/presence";
        String host = URI.create(EDGE.url()).getAuthority();
        assertThat(raw(request.formatted(path, "1.0", host))).contains(" 403 ", "came through a proxy (HTTP/1.0)");
        assertThat(raw(request.formatted(path, "1.1", host))).contains(" 200 ");
        assertThat(raw(request.formatted("/health/ready", "1.0", host))).contains(" 200 ");
    }

    @ParameterizedTest
    @CsvSource({
        "localhost, 200",
        "LOCALHOST:1, 200",
        "127.0.0.1, 200",
        "127.0.0.2, 200",
        "127.255.255.255:80, 200",
        "[::1], 200",
        "[0:0:0:0:0:0:0:1]:80, 200",
        "127.0.0.256, 403",
        "127.0.0.1.example.org, 403",
        "localhost.example.org, 403",
        "128.0.0.1, 403",
        "[::2], 403",
        "example.org, 403",
    })
    void shouldBeThisMachineAloneWhateverItCallsItself(String host, int status) throws Exception {
        String request = "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n";
        assertThat(raw(request.formatted(user("a") + "/presence", host))).startsWith("HTTP/1.1 " + status);
    }

    private static String raw(String request) throws Exception {
        URI uri = URI.create(EDGE.url());
        try (Socket socket = new Socket(uri.getHost(), uri.getPort())) {
            socket.setSoTimeout(20_000);
            socket.getOutputStream().write(request.getBytes(US_ASCII));
            return new String(socket.getInputStream().readAllBytes(), US_ASCII);
        }
    }

    @Test
    void shouldSimulateWhenTheBrokerIsItsOwn() {
        assertThat(http.get("/v2/simulation").isOk().json().path("users").asInt())
                .isZero();
    }

    @Test
    void shouldRefuseWhenABrowserWasLedHere() {
        http.get(user("a") + "/presence", "Sec-Fetch-Site", "cross-site").isRefused(403, "M_FORBIDDEN");
        http.get(user("a") + "/presence", "Sec-Fetch-Site", "same-origin").isOk();
        http.get(user("a") + "/presence", "Origin", EDGE.url()).isOk();
    }

    @Test
    void shouldRefuseToStartWhenOthersCouldReachItAndThereIsNoKey(@TempDir Path dataDir) {
        Map<String, String> settings = RealContext.settings(dataDir, "http.port", "0", "http.host", "0.0.0.0");
        assertThatThrownBy(() -> Rollcall.start(RollcallConfig.of(settings)).close())
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("http.jwt.key is empty");
    }

    @Test
    void shouldRefuseToStartWhenThePortIsTaken(@TempDir Path dataDir) {
        String port = EDGE.url().replaceFirst(".*:", "");
        assertThatThrownBy(() -> Rollcall.start(RollcallConfig.of(RealContext.settings(dataDir, "http.port", port)))
                        .close())
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("cannot listen on 127.0.0.1:" + port)
                .hasMessageContaining("http.port");
    }

    @Test
    void shouldSpeakMatrixWhenAMatrixClientAsks() {
        String user = "@matrix:example.org";
        String path = "/_matrix/client/v3/presence/" + HttpContext.encode(user) + "/status";
        http.get(path).isRefused(404, "M_NOT_FOUND");
        http.put(path, "{\"presence\":\"unavailable\",\"status_msg\":\"making tea\"}")
                .isOk();
        http.awaitState(user, "idle");
        assertThat(http.get(path).isOk().json().toString())
                .isEqualTo("{\"presence\":\"unavailable\",\"currently_active\":false,\"status_msg\":\"making tea\"}");
        http.put(path, "{\"presence\":\"online\"}").isOk();
        http.awaitState(user, "online");
        JsonNode online = http.get(path).isOk().json();
        assertThat(online.path("presence").asText()).isEqualTo("online");
        assertThat(online.path("currently_active").asBoolean()).isTrue();
        assertThat(online.path("status_msg").asText()).isEqualTo("making tea");
        assertThat(online.path("last_active_ago").asLong()).isBetween(0L, 20_000L);
        http.put(path, "{\"presence\":\"offline\",\"status_msg\":\"\"}").isOk();
        http.awaitState(user, "offline");
        http.put(path, "{\"presence\":\"busy\"}").isRefused(400, "M_INVALID_PARAM");
    }

    @Test
    void shouldBeBoundedWhenOneUserOpensManyStreams() {
        String path = device("@many:example.org", "phone") + "/events?users=";
        try (var one = http.open(path);
                var two = http.open(path)) {
            HttpContext.Answer refused = http.get(path).isRefused(429, "M_LIMIT_EXCEEDED");
            assertThat(refused.response().headers().firstValue("Retry-After")).hasValue("5");
            assertThat(IntStream.of(one.events().size(), two.events().size()).sum())
                    .isGreaterThanOrEqualTo(0);
        }
        await().untilAsserted(() ->
                http.get(path + "&timeout=0", "Accept", "application/json").isOk());
    }
}
