package dev.rollcall.real;

import static dev.rollcall.real.HttpContext.device;
import static dev.rollcall.real.HttpContext.user;
import static dev.rollcall.real.RealContext.await;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The attacks that once worked, small and on the loopback address: each of them is refused, and harms nobody else. */
@Timeout(120)
class HostileClientsIT {
    private static final int MAX_STREAMS = 200; // and 1000 other connections
    private static final int PER_ADDRESS = 50;

    @RegisterExtension
    static final HttpExtension EDGE = HttpExtension.with(
            "http.jwt.key", HttpContext.KEY,
            "http.max.streams", String.valueOf(MAX_STREAMS),
            "http.max.connections.per.address", String.valueOf(PER_ADDRESS),
            "http.headers.ms", "3000",
            "http.health.port", "0",
            "http.device.writes.per.s", "2",
            "http.device.ids.per.s", "101",
            "http.user.writes.per.s", "3",
            "http.service.writes.per.s", "101");

    private final HttpContext http = EDGE.http();
    private final List<Socket> sockets = new ArrayList<>();

    @AfterEach
    void closeAll() throws IOException {
        for (Socket socket : sockets) {
            socket.close();
        }
    }

    @Test
    void shouldLogNothingOfWhatAClientSends() throws IOException {
        PrintStream before = System.err;
        ByteArrayOutputStream log = new ByteArrayOutputStream();
        System.setErr(new PrintStream(log, true, ISO_8859_1));
        try {
            for (String host : List.of("a b", "x".repeat(60_000), "y y".repeat(20_000), "\u00ff:z", "[::", ":0")) {
                exchange("GET /health/live HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n".formatted(host));
            }
            exchange("GET /" + "z".repeat(70_000) + " HTTP/1.1\r\nHost: a\r\n\r\n");
            exchange("GET / HTTP/1.1\r\nHost: a\r\nCookie: " + ";;=\u00ff".repeat(9_000) + "\r\n\r\n");
        } finally {
            System.setErr(before);
        }
        assertThat(log.toString(ISO_8859_1)).isEmpty();
    }

    @Test
    void shouldServeOthersWhileConnectionsThatAskNothingFillTheServer() throws Exception {
        for (int i = 0; i < MAX_STREAMS + 1_000; i++) {
            open("127.0.0.1").getOutputStream().write("GET /health/live HTTP/1.1\r\nHost: a\r\nX".getBytes(ISO_8859_1));
        }
        HttpContext health = HttpContext.withoutToken(EDGE.healthUrl());
        health.get("/health/live").isOk();
        health.get("/").isRefused(404, "M_UNRECOGNIZED");
        // Full, so those that ask nothing have 2 s; a byte a second does not help them.
        long start = System.nanoTime();
        http.get("/health/live").isOk();
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
        trickle(sockets.get(sockets.size() - 1), Duration.ofSeconds(8));
    }

    @Test
    void shouldCloseAConnectionThatDoesNotEndItsHeadersHoweverManyBytesItSends() throws Exception {
        Duration lasted = trickle(open("127.0.0.1"), Duration.ofSeconds(8));
        assertThat(lasted).isBetween(Duration.ofSeconds(2), Duration.ofSeconds(5));
    }

    @Test
    void shouldBoundTheConnectionsOfAnAddressAndOfNoProxy() throws Exception {
        for (int i = 0; i < PER_ADDRESS + 10; i++) {
            open("127.0.0.7");
            open("127.0.0.1"); // counts as a proxy
        }
        await().atMost(Duration.ofSeconds(2))
                .untilAsserted(() -> assertThat(stillOpen("127.0.0.7")).isEqualTo(PER_ADDRESS));
        assertThat(stillOpen("127.0.0.1")).isEqualTo(PER_ADDRESS + 10);
        assertThat(exchange(open("127.0.0.8"), "GET /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"))
                .startsWith("HTTP/1.1 200");
        closeAll(); // the address may come again
        await().atMost(Duration.ofSeconds(2))
                .untilAsserted(() -> assertThat(exchange(
                                open("127.0.0.7"), "GET /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"))
                        .startsWith("HTTP/1.1 200"));
    }

    @Test
    void shouldTakeAThousandReconnectsAtOnce() throws Exception {
        List<Thread> clients = IntStream.range(0, 1_000)
                .mapToObj(i -> new Thread(() -> {
                    try {
                        Socket socket = new Socket();
                        synchronized (sockets) {
                            sockets.add(socket);
                        }
                        socket.connect(
                                new InetSocketAddress(
                                        address().getHost(), address().getPort()),
                                900);
                    } catch (IOException e) {
                        throw new AssertionError("a connection waited for a second SYN", e);
                    }
                }))
                .toList();
        List<Throwable> failures = new ArrayList<>();
        for (Thread client : clients) {
            client.setUncaughtExceptionHandler((thread, failure) -> {
                synchronized (failures) {
                    failures.add(failure);
                }
            });
            client.start();
        }
        for (Thread client : clients) {
            client.join();
        }
        assertThat(failures).isEmpty();
    }

    @Test
    void shouldRefuseADevicesFloodOfWritesAndHarmNobodyElse() {
        String flooder = "@flood:example.org";
        HttpContext phone = HttpContext.ofDevice(EDGE.url(), flooder, "phone");
        HttpContext tablet = HttpContext.ofDevice(EDGE.url(), flooder, "tablet");
        String write = "{\"state\":\"online\"}";
        long start = System.nanoTime();
        int written = 0;
        HttpContext.Answer refused = phone.put(device(flooder, "phone") + "/presence", write);
        for (; refused.status() == 200; written++) {
            double seconds = 1 + (System.nanoTime() - start) / 1e9;
            assertThat(written).as("after %f s", seconds).isLessThanOrEqualTo((int) (20 + 2 * seconds));
            refused = phone.put(device(flooder, "phone") + "/presence", write);
        }
        assertThat(written).isGreaterThanOrEqualTo(20);
        refused.isRefused(429, "M_LIMIT_EXCEEDED");
        assertThat(refused.json().path("retry_after_ms").asLong()).isBetween(1L, 501L);
        assertThat(refused.response().headers().firstValue("Retry-After")).hasValue("1");
        // All devices of a user share a limit; another user has another.
        int shared = 0;
        for (; tablet.put(device(flooder, "tablet") + "/presence", write).status() == 200; shared++) {
            double seconds = 1 + (System.nanoTime() - start) / 1e9;
            assertThat(written + shared).as("after %f s", seconds).isLessThanOrEqualTo((int) (30 + 3 * seconds));
        }
        HttpContext.ofDevice(EDGE.url(), "@calm:example.org", "phone")
                .put(device("@calm:example.org", "phone") + "/presence", write)
                .isOk();
    }

    @Test
    void shouldRefuseAFloodOfIds() {
        HttpContext asker = HttpContext.ofDevice(EDGE.url(), "@asker:example.org", "phone");
        String query = HttpContext.MAPPER
                .createObjectNode()
                .set("user_ids", HttpContext.MAPPER.valueToTree(RealContext.users("asked", 1_000)))
                .toString();
        asker.post("/v2/presence/query", query).isOk();
        asker.post("/v2/presence/query", query).isRefused(429, "M_LIMIT_EXCEEDED");
        asker.get(device("@asker:example.org", "phone") + "/events", "Accept", "application/json")
                .isRefused(429, "M_LIMIT_EXCEEDED");
        HttpContext.ofService(EDGE.url())
                .get(user("@asker:example.org") + "/presence")
                .isOk();
    }

    @Test
    void shouldRefuseAServicesFloodOfHeartbeats() {
        String token = HttpContext.serviceToken();
        HttpContext service = HttpContext.withToken(EDGE.url(), token);
        String heartbeats = "{\"heartbeats\":[" + "{},".repeat(999) + "{}]}";
        service.post("/v2/heartbeats", heartbeats).isOk();
        service.post("/v2/heartbeats", heartbeats).isRefused(429, "M_LIMIT_EXCEEDED");
        // The same token, its signature written in another way.
        HttpContext.withToken(EDGE.url(), token + "==")
                .post("/v2/heartbeats", heartbeats)
                .isRefused(429, "M_LIMIT_EXCEEDED");
    }

    @Test
    void shouldAnswer408WhenABodyDoesNotCome() throws Exception {
        String request =
                "POST /v2/presence/query HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\nContent-Length: 20\r\n\r\n{"
                        .formatted(HttpContext.serviceToken());
        Socket socket = open("127.0.0.1");
        socket.setSoTimeout(20_000);
        assertThat(exchange(socket, request)).startsWith("HTTP/1.1 408").contains("\"errcode\":\"M_UNKNOWN\"");
    }

    /** Sends a byte of a header every 200 ms, and returns how long the server lets it. */
    private static Duration trickle(Socket socket, Duration atMost) throws Exception {
        long start = System.nanoTime();
        socket.setSoTimeout(200);
        Duration lasted = Duration.ZERO;
        try {
            socket.getOutputStream().write("GET / HTTP/1.1\r\nHost: ".getBytes(ISO_8859_1));
            while (lasted.compareTo(atMost) < 0) {
                socket.getOutputStream().write('x');
                try {
                    if (socket.getInputStream().read() < 0) {
                        return lasted;
                    }
                } catch (java.net.SocketTimeoutException e) {
                    // it is still open
                }
                lasted = Duration.ofNanos(System.nanoTime() - start);
            }
        } catch (IOException e) {
            return lasted;
        }
        throw new AssertionError("the connection was open for " + atMost);
    }

    private static URI address() {
        return URI.create(EDGE.url());
    }

    /** A connection from one of this machine's addresses. */
    private Socket open(String from) throws IOException {
        Socket socket = new Socket();
        socket.bind(new InetSocketAddress(InetAddress.getByName(from), 0));
        sockets.add(socket);
        socket.connect(new InetSocketAddress(address().getHost(), address().getPort()));
        return socket;
    }

    private long stillOpen(String from) throws IOException {
        long open = 0;
        for (Socket socket : sockets) {
            if (!socket.isClosed() && socket.getLocalAddress().getHostAddress().equals(from)) {
                socket.setSoTimeout(1);
                try {
                    if (socket.getInputStream().read() < 0) {
                        socket.close();
                    }
                } catch (java.net.SocketTimeoutException e) {
                    open++;
                } catch (IOException e) {
                    socket.close();
                }
            }
        }
        return open;
    }

    private String exchange(String request) throws IOException {
        Socket socket = open("127.0.0.1");
        socket.setSoTimeout(5_000);
        return exchange(socket, request);
    }

    private static String exchange(Socket socket, String request) {
        StringBuilder answer = new StringBuilder();
        try {
            socket.getOutputStream().write(request.getBytes(ISO_8859_1));
            byte[] buffer = new byte[8_192];
            for (int read = socket.getInputStream().read(buffer);
                    read >= 0;
                    read = socket.getInputStream().read(buffer)) {
                answer.append(new String(buffer, 0, read, ISO_8859_1));
            }
        } catch (IOException e) {
            // closed by the other side, or nothing more comes
        }
        return answer.toString();
    }
}
