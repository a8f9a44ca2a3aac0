package dev.rollcall.real;

import static dev.rollcall.real.RealContext.await;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** What is around a receiver, in small: a homeserver that only knows whose a token is, and what nginx sends. */
final class MatrixContext implements AutoCloseable {
    private final Map<String, String> whoami = new ConcurrentHashMap<>();
    private final AtomicInteger asked = new AtomicInteger();
    private final AtomicInteger nextRequest = new AtomicInteger();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final int port;
    private final DatagramSocket udp;
    private @Nullable HttpServer homeserver;
    private volatile Duration delay = Duration.ZERO;
    private String url = "";
    private int logPort;

    MatrixContext() throws IOException {
        port = RealContext.freePort();
        udp = new DatagramSocket(0, InetAddress.getLoopbackAddress());
        startHomeserver();
    }

    // ---- the homeserver ----

    String homeserverUrl() {
        return "http://127.0.0.1:" + port;
    }

    void startHomeserver() throws IOException {
        HttpServer started = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1_000);
        started.createContext("/_matrix/client/v3/account/whoami", this::answer);
        started.setExecutor(threads);
        started.start();
        homeserver = started;
    }

    void stopHomeserver() {
        if (homeserver != null) {
            homeserver.stop(0);
            homeserver = null;
        }
    }

    /** Answers so much later. */
    void slow(Duration newDelay) {
        delay = newDelay;
    }

    /** How often it was asked. */
    int asked() {
        return asked.get();
    }

    /** Logs a device in, and returns its token. */
    String login(String user, String device) {
        String token = "token_of_" + device + "_of_" + user;
        whoami.put(token, "{\"user_id\":\"%s\",\"device_id\":\"%s\",\"is_guest\":false}".formatted(user, device));
        return token;
    }

    void logout(String token) {
        whoami.remove(token);
    }

    private void answer(HttpExchange exchange) throws IOException {
        asked.incrementAndGet();
        try (exchange) {
            RealContext.sleep(delay);
            String token =
                    exchange.getRequestHeaders().getFirst("Authorization").replaceFirst("^Bearer ", "");
            String known = whoami.get(token);
            byte[] body =
                    (known == null ? "{\"errcode\":\"M_UNKNOWN_TOKEN\",\"error\":\"no\"}" : known).getBytes(UTF_8);
            exchange.sendResponseHeaders(known == null ? 401 : 200, body.length);
            exchange.getResponseBody().write(body);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    // ---- nginx ----

    /** Of the receiver. */
    void connect(String newUrl, int newLogPort) {
        url = newUrl;
        logPort = newLogPort;
    }

    void awaitReady() {
        await().ignoreExceptions().until(() -> get("/health/ready").statusCode() == 200);
    }

    HttpResponse<String> get(String path, String... headers) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url + path));
        return send(headers.length == 0 ? request : request.headers(headers));
    }

    /** A poll begins, with what follows the question mark. Returns its request id. */
    String poll(String token, String query) {
        return poll(token, query, "192.0.2.1");
    }

    String poll(String token, String query, String address) {
        return mirror(HttpRequest.newBuilder(URI.create(url + "/_matrix/client/v3/sync?" + query))
                .header("Authorization", "Bearer " + token)
                .header("X-Forwarded-For", "203.0.113.9, " + address));
    }

    /** The same, as Element X does it. */
    String slidingPoll(String token, String query) {
        return mirror(HttpRequest.newBuilder(
                        URI.create(url + "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync?" + query))
                .POST(BodyPublishers.noBody())
                .header("Authorization", "Bearer " + token)
                .header("X-Forwarded-For", "192.0.2.1"));
    }

    String mirror(HttpRequest.Builder request) {
        String id = "%032x".formatted(nextRequest.incrementAndGet());
        assertThat(send(request.header("X-Request-Id", id)).statusCode()).isEqualTo(204);
        return id;
    }

    /** A poll has ended. */
    void log(String requestId, int status) {
        datagram("<190>Nov 30 08:00:00 host nginx: %s %d".formatted(requestId, status));
    }

    void datagram(String text) {
        byte[] bytes = text.getBytes(UTF_8);
        try {
            udp.send(new DatagramPacket(bytes, bytes.length, InetAddress.getLoopbackAddress(), logPort));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    HttpResponse<String> put(@Nullable String token, String user, String body) {
        HttpRequest.Builder request = HttpRequest.newBuilder(
                        URI.create(url + "/_matrix/client/v3/presence/" + user + "/status"))
                .PUT(BodyPublishers.ofString(body))
                .header("X-Forwarded-For", "192.0.2.1")
                .header("Origin", "https://app.element.io");
        return send(token == null ? request : request.header("Authorization", "Bearer " + token));
    }

    private HttpResponse<String> send(HttpRequest.Builder request) {
        try {
            return http.send(request.timeout(Duration.ofSeconds(60)).build(), BodyHandlers.ofString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }

    @Override
    public void close() {
        stopHomeserver();
        udp.close();
        threads.shutdownNow();
    }
}
