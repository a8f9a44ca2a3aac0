package dev.rollcall.real;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.app.Rollcall;
import dev.rollcall.config.RollcallConfig;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Whatever bytes are sent to the edge: it answers with no 500, says nothing of its inside, and goes on. */
@Timeout(240)
class HttpFuzzIT {
    private static final int REQUESTS = 4_000;
    private static final List<String> METHODS =
            List.of("GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "CONNECT", "BREW", "get", "");
    private static final List<String> SEGMENTS = List.of(
            "v2",
            "users",
            "devices",
            "presence",
            "status",
            "appear-offline",
            "query",
            "events",
            "health",
            "live",
            "ready",
            "_matrix",
            "client",
            "v3",
            "openapi.json",
            "%40a%3Ab",
            "..",
            ".",
            "",
            "%2F",
            "%2e%2e",
            "%00",
            "%",
            "%zz",
            "%ff",
            "%c3%a9",
            "é",
            "a;b",
            "a b",
            "{user_id}",
            "%F0%9F%91%8B",
            "@a:b");
    private static final List<String> PATHS = List.of(
            "/v2/users/%40a/devices/d/presence",
            "/v2/users/%40a/status",
            "/v2/users/%40a/appear-offline",
            "/v2/users/%40a/presence",
            "/v2/presence/query",
            "/v2/users/%40a/devices/d/events",
            "/_matrix/client/v3/presence/%40a/status",
            "/health/ready",
            "/openapi.json",
            "/");
    private static final List<String> QUERIES = List.of(
            "",
            "?",
            "?users=",
            "?users=%ff",
            "?users=%40a,%40b&timeout=0",
            "?timeout=99999999999999999999",
            "?since=s",
            "?next_batch=s0.1&since=%",
            "?since=s0.999999999999999999",
            "?since=s999999999.1",
            "?presence=online",
            "?presence=%00",
            "?&&&=",
            "?%",
            "?=?=");
    private static final List<String> BODIES = List.of(
            "",
            "{}",
            "[]",
            "null",
            "{\"state\":\"online\"}",
            "{\"state\":\"\\u0000\"}",
            "{\"text\":\"\\ud83d\"}",
            "{\"text\":\"x\",\"expires_in_ms\":-1}",
            "{\"appear_offline\":true}",
            "{\"user_ids\":[\"a\",\"a\",\"\"]}",
            "{\"user_ids\":{}}",
            "[".repeat(5_000),
            "{\"a\":".repeat(500),
            "\"",
            "{\"presence\":\"online\",\"status_msg\":7}",
            "1e999999999",
            "{\"expires_in_ms\":1e400,\"text\":\"x\"}",
            "\u00ff\u00fe");
    private static final List<String> HEADERS = List.of(
            "Accept: application/json",
            "Accept: */*",
            "Authorization: Bearer x",
            "Authorization:",
            "Origin: %%",
            "Content-Type: application/x-www-form-urlencoded",
            "Content-Type: text/plain; charset=nonsense",
            "Content-Encoding: gzip",
            "Transfer-Encoding: chunked",
            "Transfer-Encoding: nonsense",
            "Content-Length: -1",
            "Content-Length: 99999999999999999999",
            "Expect: 100-continue",
            "Expect: x",
            "Last-Event-ID: s1.1_",
            "Last-Event-ID: \u00e9",
            "Connection: upgrade",
            "Upgrade: h2c",
            "Range: bytes=0-1",
            "Host: evil.example",
            "X: " + "y".repeat(2_000),
            "Cookie: ;;;=;",
            ": x",
            "no colon");

    @Test
    void shouldNeverFailInsideWhateverIsSent(@TempDir Path dataDir) throws Exception {
        long seed = new Random().nextLong();
        System.out.println("seed of the fuzzed requests: " + seed);
        Random random = new Random(seed);
        Map<Integer, Integer> statuses = new TreeMap<>();
        try (Rollcall rollcall = Rollcall.start(RollcallConfig.of(RealContext.settings(dataDir, "http.port", "0")))) {
            rollcall.awaitReady();
            String url = rollcall.httpUrl().orElseThrow();
            HttpContext.withoutToken(url).awaitReady();
            for (int i = 0; i < REQUESTS; i++) {
                byte[] request = request(random, URI.create(url).getAuthority());
                String answer = send(URI.create(url), request);
                String as = "request %d:%n%s%nanswer:%n%s"
                        .formatted(i, new String(request, StandardCharsets.ISO_8859_1), answer);
                int status = answer.startsWith("HTTP/1.1 ") ? Integer.parseInt(answer.substring(9, 12)) : 0;
                statuses.merge(status, 1, Integer::sum);
                assertThat(status == 503 || status < 500).as(as).isTrue();
                assertThat(answer)
                        .as(as)
                        .doesNotContainIgnoringCase("jetty")
                        .doesNotContain("\tat ")
                        .doesNotContain("Exception")
                        .doesNotContain("dev.rollcall.");
                if (status != 200) { // which the page is
                    assertThat(answer).as(as).doesNotContain("<html");
                }
                int body = answer.indexOf("\r\n\r\n");
                if (status >= 400 && answer.length() > body + 4) {
                    assertThat(answer).as(as).contains("\"errcode\":\"M_");
                }
            }
            HttpContext.withoutToken(url).get("/health/ready").isOk();
        }
        System.out.println("statuses (0: the connection was closed without one): " + statuses);
        assertThat(statuses).containsKeys(200, 400, 404, 405);
    }

    private static byte[] request(Random random, String host) {
        StringBuilder text =
                new StringBuilder(pick(random, random.nextInt(3) > 0 ? METHODS.subList(0, 4) : METHODS)).append(' ');
        if (random.nextInt(3) > 0) {
            text.append(pick(random, PATHS));
        } else {
            for (int i = random.nextInt(8); i >= 0; i--) {
                text.append('/').append(pick(random, SEGMENTS));
            }
        }
        text.append(random.nextInt(3) == 0 ? pick(random, QUERIES) : "").append(" HTTP/1.1\r\n");
        text.append("Host: ").append(host).append("\r\n");
        for (int i = random.nextInt(3); i > 0; i--) {
            text.append(pick(random, HEADERS)).append("\r\n");
        }
        boolean mayHaveBody = text.charAt(0) == 'P' || random.nextInt(10) == 0;
        String body = mayHaveBody ? pick(random, BODIES) : "";
        if (!body.isEmpty()) {
            text.append("Content-Length: ").append(body.length()).append("\r\n");
        }
        text.append("Connection: close\r\n\r\n").append(body);
        byte[] bytes = text.toString().getBytes(StandardCharsets.ISO_8859_1);
        if (random.nextInt(20) == 0) {
            bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
        }
        return bytes;
    }

    private static String pick(Random random, List<String> from) {
        return from.get(random.nextInt(from.size()));
    }

    /** What comes back before the connection ends, or in a while, since some requests open a stream or never end. */
    private static String send(URI url, byte[] request) throws IOException {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(url.getHost(), url.getPort()));
            socket.setSoTimeout(300);
            StringBuilder answer = new StringBuilder();
            try {
                socket.getOutputStream().write(request);
                byte[] buffer = new byte[8_192];
                for (int read = socket.getInputStream().read(buffer);
                        read >= 0;
                        read = socket.getInputStream().read(buffer)) {
                    answer.append(new String(buffer, 0, read, StandardCharsets.ISO_8859_1));
                    if (answer.indexOf("text/event-stream") >= 0) {
                        break;
                    }
                }
            } catch (IOException e) {
                // closed by the other side, or it waits for more of the request
            }
            return answer.toString();
        }
    }
}
