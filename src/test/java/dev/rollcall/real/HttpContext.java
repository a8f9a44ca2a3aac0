package dev.rollcall.real;

import static dev.rollcall.real.RealContext.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.UserId;
import dev.rollcall.http.tokens.TokenSigner;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/** A client of the HTTP edge. Each answer and event that it gets must be one that openapi.json describes. */
final class HttpContext {
    static final String KEY = "a key that is for tests and for nothing else";
    static final ObjectMapper MAPPER = new ObjectMapper();

    static final TokenSigner TOKENS = tokensOf(KEY);

    private final String url;
    private final @Nullable String token;
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(10))
            .build();

    /** Signs with another key than the server's may be. */
    static TokenSigner tokensOf(String key) {
        return new TokenSigner(
                RollcallConfig.of(Map.of("http.jwt.key", key)).http().tokens());
    }

    private HttpContext(String url, @Nullable String token) {
        this.url = url;
        this.token = token;
    }

    static HttpContext withoutToken(String url) {
        return new HttpContext(url, null);
    }

    static HttpContext withToken(String url, String token) {
        return new HttpContext(url, token);
    }

    static HttpContext ofDevice(String url, String user, String device) {
        return new HttpContext(url, TOKENS.forDevice(UserId.of(user), device, inAnHour()));
    }

    static HttpContext ofService(String url) {
        return new HttpContext(url, TOKENS.forService(inAnHour()));
    }

    static String serviceToken() {
        return TOKENS.forService(inAnHour());
    }

    private static Instant inAnHour() {
        return Instant.now().plus(Duration.ofHours(1));
    }

    /** A response. */
    record Answer(int status, String body, HttpResponse<String> response) {
        JsonNode json() {
            try {
                return MAPPER.readTree(body);
            } catch (IOException e) {
                throw new UncheckedIOException(body, e);
            }
        }

        Answer isOk() {
            assertThat(status).as(body).isEqualTo(200);
            return this;
        }

        /** Also checks the shape that all refusals have. */
        Answer isRefused(int expected, String code) {
            assertThat(status).as(body).isEqualTo(expected);
            assertThat(json().path("errcode").asText()).as(body).isEqualTo(code);
            assertThat(json().path("error").asText()).isNotEmpty();
            assertThat(response.headers().firstValue("Content-Type")).hasValue("application/json");
            return this;
        }
    }

    Answer get(String path, String... headers) {
        return send("GET", path, null, headers);
    }

    Answer put(String path, String body) {
        return send("PUT", path, body);
    }

    Answer post(String path, String body, String... headers) {
        return send("POST", path, body, headers);
    }

    Answer delete(String path) {
        return send("DELETE", path, null);
    }

    Answer send(String method, String path, @Nullable String body, String... headers) {
        try {
            HttpResponse<String> response = http.send(
                    request(path, headers)
                            .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body))
                            .timeout(Duration.ofSeconds(40))
                            .build(),
                    BodyHandlers.ofString());
            OpenApi.check(new OpenApi.Answer(
                    method,
                    path,
                    response.statusCode(),
                    name -> response.headers().firstValue(name).orElse(null),
                    response.body()));
            return new Answer(response.statusCode(), response.body(), response);
        } catch (IOException e) {
            throw new UncheckedIOException(method + " " + path, e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    HttpRequest.Builder request(String path, String... headers) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url + path));
        if (token != null) {
            request.header("Authorization", "Bearer " + token);
        }
        if (headers.length > 0) {
            request.headers(headers);
        }
        return request;
    }

    static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    static String device(String user, String device) {
        return "/v2/users/" + encode(user) + "/devices/" + encode(device);
    }

    static String user(String user) {
        return "/v2/users/" + encode(user);
    }

    /** Sets a device's state. */
    void setState(String user, String device, String state) {
        put(
                        device(user, device) + "/presence",
                        MAPPER.createObjectNode().put("state", state).toString())
                .isOk();
    }

    /** Sets a user's status text. */
    void setText(String user, String text) {
        put(user(user) + "/status", MAPPER.createObjectNode().put("text", text).toString())
                .isOk();
    }

    /** Sets whether a user appears offline. */
    void setAppearOffline(String user, boolean appearOffline) {
        put(user(user) + "/appear-offline", "{\"appear_offline\":" + appearOffline + "}")
                .isOk();
    }

    /** Makes one long poll. */
    JsonNode poll(String path) {
        return get(path, "Accept", "application/json").isOk().json();
    }

    JsonNode presence(String user) {
        return get(user(user) + "/presence").isOk().json();
    }

    void awaitState(String user, String state) {
        await().alias(user + " is " + state)
                .atMost(RealContext.TIMEOUT)
                .pollInterval(Duration.ofMillis(50))
                .untilAsserted(
                        () -> assertThat(presence(user).path("state").asText()).isEqualTo(state));
    }

    /** Waits for a status text; an empty one stands for none. */
    void awaitText(String user, String text) {
        await().alias(user + " has the text " + text)
                .atMost(RealContext.TIMEOUT)
                .untilAsserted(() ->
                        assertThat(presence(user).path("status").asText("")).isEqualTo(text));
    }

    void awaitReady() {
        await().alias("the edge is ready")
                .atMost(RealContext.TIMEOUT)
                .pollInterval(Duration.ofMillis(50))
                .untilAsserted(() -> get("/health/ready").isOk());
    }

    /** Opens an event stream, and reads it on a thread of its own. */
    Stream open(String path, String... headers) {
        try {
            HttpResponse<java.io.InputStream> response =
                    http.send(request(path, headers).build(), BodyHandlers.ofInputStream());
            if (response.statusCode() != 200) {
                throw new AssertionError(response.statusCode() + " "
                        + new String(response.body().readAllBytes(), StandardCharsets.UTF_8));
            }
            assertThat(response.headers().firstValue("Content-Type")).hasValue("text/event-stream");
            OpenApi.check(new OpenApi.Answer(
                    "GET",
                    path,
                    200,
                    name -> response.headers().firstValue(name).orElse(null),
                    ""));
            return new Stream(
                    path,
                    response.body(),
                    response.headers().firstValue("Stream-Id").orElseThrow());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** An open event stream. */
    static final class Stream implements AutoCloseable {
        private final String path;
        private final java.io.InputStream body;
        private final List<JsonNode> events = new CopyOnWriteArrayList<>();
        private final List<String> names = new CopyOnWriteArrayList<>();
        private volatile String lastId = "";
        private final String id;
        private volatile boolean ended;
        private volatile OpenApi.@Nullable MismatchException undescribed;

        private Stream(String path, java.io.InputStream body, String id) {
            this.path = path;
            this.body = body;
            this.id = id;
            Thread reader = new Thread(this::read, "event-stream-reader");
            reader.setDaemon(true);
            reader.start();
        }

        private void read() {
            try (BufferedReader lines = new BufferedReader(new InputStreamReader(body, StandardCharsets.UTF_8))) {
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    if (line.startsWith("event: ")) {
                        names.add(line.substring(7));
                    } else if (line.startsWith("data: ")) {
                        JsonNode data = MAPPER.readTree(line.substring(6));
                        OpenApi.checkEvent(path, lastEvent(), data);
                        events.add(data);
                    } else if (line.startsWith("id: ")) {
                        lastId = line.substring(4);
                    }
                }
            } catch (IOException e) {
                // it was closed
            } catch (OpenApi.MismatchException e) {
                undescribed = e;
            }
            ended = true;
        }

        String id() {
            return id;
        }

        List<JsonNode> events() {
            requireDescribed();
            return List.copyOf(events);
        }

        /** The names of the events. */
        List<String> names() {
            requireDescribed();
            return List.copyOf(names);
        }

        String lastId() {
            return lastId;
        }

        String lastEvent() {
            return names.get(names.size() - 1);
        }

        boolean hasEnded() {
            return ended;
        }

        /** The states of a user in all events so far, in order. */
        List<String> states(String user) {
            return events().stream()
                    .flatMap(event -> event.path("presences").valueStream())
                    .filter(presence -> presence.path("user_id").asText().equals(user))
                    .map(presence -> presence.path("state").asText())
                    .toList();
        }

        void awaitStates(String user, String... states) {
            await().alias("the events of " + user)
                    .atMost(RealContext.TIMEOUT)
                    .pollInterval(Duration.ofMillis(20))
                    .untilAsserted(() -> assertThat(states(user)).containsExactly(states));
        }

        private void requireDescribed() {
            OpenApi.MismatchException found = undescribed;
            if (found != null) {
                throw found;
            }
        }

        @Override
        public void close() {
            requireDescribed();
            try {
                body.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
