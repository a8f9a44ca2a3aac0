package dev.rollcall.real;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dev.rollcall.app.Rollcall;
import dev.rollcall.config.RollcallConfig;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Whatever bytes are sent to the edge: it answers as openapi.json has it and with no 500, says nothing of its inside, and
 * goes on.
 */
@Timeout(900)
class HttpFuzzIT {
    /** {@code -Dreal.fuzz.requests=100000} has more. */
    private static final int REQUESTS = Integer.getInteger("real.fuzz.requests", 4_000);

    /** At once, since some requests are answered late or never. */
    private static final int CLIENTS = 16;

    private static final String CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

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
            "/v2/users/%40a/devices/d/events/s/users",
            "/v2/users/%40a/devices",
            "/v2/presence/events",
            "/v2/presence/events/s/users",
            "/v2/heartbeats",
            "/v2/simulation",
            "/_matrix/client/r0/presence/%40a/status",
            "/health/live",
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
            "{\"heartbeats\":[{\"user_id\":\"@a\",\"device_id\":\"d\"},{\"user_id\":\"\"},7]}",
            "{\"heartbeats\":[]}",
            "{\"users\":0}",
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
        Map<Integer, Integer> statuses = new ConcurrentSkipListMap<>();
        List<String> wrong = new ArrayList<>();
        try (Rollcall rollcall = Rollcall.start(RollcallConfig.of(RealContext.settings(dataDir, "http.port", "0")))) {
            rollcall.awaitReady();
            URI url = URI.create(rollcall.httpUrl().orElseThrow());
            HttpContext.withoutToken(url.toString()).awaitReady();
            ExecutorService clients = Executors.newFixedThreadPool(CLIENTS);
            try {
                List<Future<?>> all = new ArrayList<>();
                for (int i = 0; i < REQUESTS; i++) {
                    int number = i;
                    all.add(clients.submit(() -> {
                        byte[] request = request(new Random(seed + number), url.getAuthority());
                        statuses.merge(exchange(url, number, request), 1, Integer::sum);
                        return null;
                    }));
                }
                for (Future<?> one : all) {
                    try {
                        one.get();
                    } catch (ExecutionException e) {
                        wrong.add(String.valueOf(requireNonNull(e.getCause()).getMessage()));
                    }
                }
            } finally {
                clients.shutdownNow();
            }
            HttpContext.withoutToken(url.toString()).get("/health/ready").isOk();
        }
        System.out.println("statuses (0: the connection was closed without one): " + statuses);
        assertThat(wrong).isEmpty();
        assertThat(statuses).containsKeys(200, 400, 404, 405);
    }

    /** The status of the answer, which is one that openapi.json describes; 0: there was none. */
    private static int exchange(URI url, int number, byte[] request) throws IOException {
        RawAnswer answer = RawAnswer.parse(send(url, request));
        String sent = new String(request, StandardCharsets.ISO_8859_1);
        String as = "request %d:%n%s%nanswer:%n%s".formatted(number, sent, answer);
        assertThat(answer.status() == 503 || answer.status() < 500).as(as).isTrue();
        assertThat(answer.toString())
                .as(as)
                .doesNotContainIgnoringCase("jetty")
                .doesNotContain("\tat ")
                .doesNotContain("Exception")
                .doesNotContain("dev.rollcall.");
        if (answer.status() > 0) {
            String[] line = (sent.split("[\r\n]", 2)[0] + "   ").split(" ", -1);
            // Jetty does not know that a request which it cannot read is a HEAD, and answers with a body, then closes.
            String method = line[0].equals("HEAD")
                            && answer.status() == 400
                            && !answer.body().isEmpty()
                    ? "GET"
                    : line[0];
            OpenApi.Answer judged =
                    new OpenApi.Answer(method, line[1], answer.status(), answer.headers()::get, answer.body());
            assertThatCode(() -> OpenApi.check(judged)).as(as).doesNotThrowAnyException();
        }
        return answer.status();
    }

    /** An answer, as far as it has come. The status is 0 if none has. */
    private record RawAnswer(int status, Map<String, String> headers, String body) {
        static RawAnswer parse(String bytes) {
            String text = bytes.startsWith(CONTINUE) ? bytes.substring(CONTINUE.length()) : bytes;
            int end = text.indexOf("\r\n\r\n");
            if (!text.startsWith("HTTP/1.1 ") || end < 0) {
                return new RawAnswer(0, Map.of(), text);
            }
            Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
            text.substring(0, end).lines().skip(1).forEach(line -> {
                String[] pair = line.split(": ?", 2);
                headers.put(pair[0], pair[1]);
            });
            String rest = text.substring(end + 4);
            int length = Integer.parseInt(headers.getOrDefault("Content-Length", "0"));
            String body = rest.substring(0, Math.min(length, rest.length())); // what follows answers another request
            return new RawAnswer(
                    Integer.parseInt(text.substring(9, 12)),
                    headers,
                    new String(body.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8));
        }
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
                    if (answer.indexOf("HTTP/1.1 1") != 0) {
                        socket.setSoTimeout(2_000); // the rest is on its way
                    }
                }
            } catch (IOException e) {
                // closed by the other side, or it waits for more of the request
            }
            return answer.toString();
        }
    }
}
