package dev.rollcall.real;

import static dev.rollcall.real.HttpContext.device;
import static dev.rollcall.real.HttpContext.user;
import static dev.rollcall.real.RealContext.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rollcall.app.Rollcall;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.embedded.EmbeddedBroker;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.awaitility.core.ConditionTimeoutException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Two edges behind a real proxy, set up as in {@code config/proxy}, of which one is restarted under load: no client is refused,
 * and none misses a state.
 */
@Tag("other-language")
@Timeout(300)
class ProxyIT {
    /** Short, so that streams without a change last longer. More than the 15 s between two signs of life. */
    private static final String IDLE = "20s";

    private static final List<String> USERS = RealContext.users("proxied", 24);
    private static final int WRITERS = 4;

    @TempDir
    private static Path dir;

    private static EmbeddedBroker broker;
    private static Rollcall processor;

    private final Queue<String> bad = new ConcurrentLinkedQueue<>();
    private final AtomicLong answered = new AtomicLong();
    private final Map<String, String> lastText = new ConcurrentHashMap<>();
    private volatile boolean goesOn = true;
    private volatile boolean allIsRead;

    @BeforeAll
    static void start() throws Exception {
        broker = EmbeddedBroker.start(dir.resolve("broker"), 0);
        processor = Rollcall.start(RollcallConfig.of(
                RealContext.settings(dir.resolve("processor"), "bootstrap.servers", broker.bootstrapServers())));
        processor.awaitReady();
    }

    @AfterAll
    static void stop() {
        processor.close();
        broker.close();
    }

    @Test
    void shouldRefuseNobodyAndLoseNothingBehindHaproxyWhileAnEdgeIsRestarted() throws Exception {
        Path directory = Files.createDirectory(dir.resolve("haproxy"));
        restartAnEdgeBehind(directory, (port, edges) -> {
            Path file = directory.resolve("haproxy.cfg");
            Files.writeString(
                    file,
                    documented(
                            "haproxy.cfg",
                            Map.of(
                                    "bind :80", "bind 127.0.0.1:" + port,
                                    "edge1 edge1:8080", "edge1 127.0.0.1:" + edges.get(0),
                                    "edge2 edge2:8080", "edge2 127.0.0.1:" + edges.get(1),
                                    "timeout client 130s", "timeout client " + IDLE,
                                    "timeout server 130s", "timeout server " + IDLE)));
            return List.of(program("haproxy"), "-db", "-f", file.toString());
        });
    }

    @Test
    void shouldRefuseNobodyAndLoseNothingBehindNginxWhileAnEdgeIsRestarted() throws Exception {
        Path directory = Files.createDirectory(dir.resolve("nginx"));
        restartAnEdgeBehind(directory, (port, edges) -> {
            Files.writeString(
                    directory.resolve("rollcall.conf"),
                    documented(
                            "nginx.conf",
                            Map.of(
                                    "listen 80;", "listen 127.0.0.1:" + port + ";",
                                    "edge1:8080", "127.0.0.1:" + edges.get(0),
                                    "edge2:8080", "127.0.0.1:" + edges.get(1),
                                    "proxy_read_timeout 130s", "proxy_read_timeout " + IDLE)));
            String own = IntStream.range(0, 5)
                    .mapToObj(i -> List.of("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
                                    .get(i) + "_temp_path temp" + i + ";\n")
                    .reduce("", String::concat);
            Path file = directory.resolve("main.conf");
            Files.writeString(
                    file,
                    "daemon off;\npid pid;\nworker_processes 2;\nevents { }\nhttp {\naccess_log off;\n" + own
                            + "include rollcall.conf;\n}\n");
            return List.of(program("nginx"), "-e", "stderr", "-p", directory.toString(), "-c", file.toString());
        });
    }

    /** Debian has it where only root looks for it. */
    private static String program(String name) {
        Path debian = Path.of("/usr/sbin", name);
        return Files.isExecutable(debian) ? debian.toString() : name;
    }

    private interface Proxy {
        List<String> command(int port, List<Integer> edges) throws IOException;
    }

    /** What an operator copies, with addresses of this machine. */
    private static String documented(String file, Map<String, String> changes) throws IOException {
        String text = Files.readString(Path.of("config", "proxy", file));
        for (Map.Entry<String, String> change : changes.entrySet()) {
            assertThat(text).contains(change.getKey());
            text = text.replace(change.getKey(), change.getValue());
        }
        return text;
    }

    private void restartAnEdgeBehind(Path directory, Proxy proxy) throws Exception {
        List<Integer> ports = List.of(RealContext.freePort(), RealContext.freePort());
        int port = RealContext.freePort();
        RollcallProcess restarted = null;
        Process front = null;
        try (RollcallProcess staying = edge(ports.get(0), directory.resolve("staying.log"));
                RollcallProcess leaving = edge(ports.get(1), directory.resolve("leaving.log"))) {
            for (int edge : ports) {
                awaitReady("http://127.0.0.1:" + edge);
            }
            Path log = directory.resolve("proxy.log");
            front = new ProcessBuilder(proxy.command(port, ports))
                    .redirectErrorStream(true)
                    .redirectOutput(log.toFile())
                    .start();
            String url = "http://127.0.0.1:" + port;
            awaitReady(url);

            List<Reader> readers = new ArrayList<>();
            List<Thread> writers = IntStream.range(0, WRITERS)
                    .mapToObj(i -> thread(() -> load(url, i)))
                    .toList();
            for (String name : USERS) {
                readers.add(new Reader(url, name, String.join(",", USERS)));
                readers.add(new Reader(url, name.replace("proxied", "quiet"), "@nobody:example.org"));
            }
            readers.forEach(reader -> reader.thread.start());
            writers.forEach(Thread::start);
            RealContext.sleep(Duration.ofSeconds(8));

            leaving.terminate();
            assertThat(leaving.awaitEnd()).isEqualTo(143);
            RealContext.sleep(Duration.ofSeconds(2));
            restarted = edge(ports.get(1), directory.resolve("restarted.log"));
            try {
                awaitReady("http://127.0.0.1:" + ports.get(1));
            } catch (ConditionTimeoutException e) {
                throw new AssertionError(e.getMessage() + "; the edge emitted:\n" + restarted.emittedWithThreads(), e);
            }
            RealContext.sleep(Duration.ofSeconds(8));

            goesOn = false;
            for (Thread writer : writers) {
                writer.join();
            }
            long moved =
                    readers.stream().filter(reader -> reader.opened.get() > 1).count();
            System.out.printf(
                    "%s: %,d requests answered, %d of %d streams moved%n",
                    directory.getFileName(), answered.get(), moved, readers.size());
            assertThat(bad).as(Files.readString(log)).isEmpty();
            assertThat(moved).as("streams of the edge that was restarted").isBetween(1L, readers.size() - 1L);
            await().untilAsserted(() -> assertThat(readers)
                    .filteredOn(reader -> !reader.isQuiet())
                    .allSatisfy(reader -> assertThat(reader.texts).isEqualTo(lastText)));
            assertThat(bad).as(Files.readString(log)).isEmpty();
            allIsRead = true;
            assertBothAreUsed(url);
            assertThat(staying.emitted()).doesNotContain("ERROR");
        } finally {
            goesOn = false;
            allIsRead = true;
            if (front != null) {
                front.destroy();
                front.waitFor();
            }
            if (restarted != null) {
                restarted.close();
            }
        }
    }

    /** It may not listen yet. */
    private static void awaitReady(String url) {
        await().ignoreExceptions()
                .untilAsserted(
                        () -> HttpContext.ofService(url).get("/health/ready").isOk());
    }

    /** The edge that was restarted gets clients again. */
    private static void assertBothAreUsed(String url) {
        Set<String> instances = new HashSet<>();
        for (String name : USERS) {
            try (HttpContext.Stream stream =
                    HttpContext.ofDevice(url, name, "other").open(device(name, "other") + "/events?users=")) {
                instances.add(stream.id().replaceFirst("-.*", ""));
            }
        }
        assertThat(instances).hasSize(2);
    }

    private static RollcallProcess edge(int port, Path log) throws IOException {
        return RollcallProcess.edge(
                Map.of(
                        "bootstrap.servers",
                        broker.bootstrapServers(),
                        "http.port",
                        String.valueOf(port),
                        "http.jwt.key",
                        HttpContext.KEY),
                log);
    }

    /** Writes states and texts of every fourth user, and reads, one request after the other. */
    private void load(String url, int number) {
        HttpContext http = HttpContext.ofService(url);
        for (int i = 0; goesOn; i++) {
            String name = USERS.get((number + i * WRITERS) % USERS.size());
            String text = "text " + i;
            send(http, "PUT", device(name, "phone") + "/presence", i % 3 == 0 ? "{\"state\":\"idle\"}" : "{}");
            if (send(http, "PUT", user(name) + "/status", "{\"text\":\"" + text + "\"}")) {
                lastText.put(name, text);
            }
            send(http, "GET", user(name) + "/presence", null);
            send(http, "POST", "/v2/presence/query", "{\"user_ids\":[\"" + String.join("\",\"", USERS) + "\"]}");
            send(
                    http,
                    "POST",
                    "/v2/heartbeats",
                    "{\"heartbeats\":[{\"user_id\":\"%s\",\"device_id\":\"desk\"}]}".formatted(name));
        }
    }

    private boolean send(HttpContext http, String method, String path, @Nullable String body) {
        try {
            HttpContext.Answer answer = http.send(method, path, body);
            answered.incrementAndGet();
            if (answer.status() == 200) {
                return true;
            }
            bad.add(method + " " + path + ": " + answer.status() + " " + answer.body());
        } catch (RuntimeException e) {
            bad.add(method + " " + path + ": " + e + " " + e.getCause());
        }
        return false;
    }

    private static Thread thread(Runnable task) {
        Thread thread = new Thread(task, "client");
        thread.setDaemon(true);
        return thread;
    }

    /** A device that keeps an event stream open, and comes again with its token when it is told to. */
    private final class Reader {
        private final Map<String, String> texts = new ConcurrentHashMap<>();
        private final String name;
        private final HttpContext http;
        private final String path;
        private final Thread thread = thread(this::run);
        private final AtomicInteger opened = new AtomicInteger();

        Reader(String url, String name, String users) {
            this.name = name;
            this.http = HttpContext.ofDevice(url, name, "tab");
            this.path = device(name, "tab") + "/events?users="
                    + HttpContext.encode(users).replace("%2C", ",");
        }

        boolean isQuiet() {
            return name.contains("quiet");
        }

        private void run() {
            String token = "";
            try {
                while (!allIsRead) {
                    HttpContext.Stream stream =
                            token.isEmpty() ? http.open(path) : http.open(path, "Last-Event-ID", token);
                    opened.incrementAndGet();
                    int seen = 0;
                    boolean last = false;
                    while (!last && !allIsRead) {
                        last = stream.hasEnded(); // before the events, of which none follows then
                        List<JsonNode> events = stream.events();
                        events.subList(seen, events.size()).forEach(this::read);
                        seen = events.size();
                        TimeUnit.MILLISECONDS.sleep(20);
                    }
                    if (!last) {
                        stream.close();
                        return;
                    } else if (!stream.names().contains("reconnect")) {
                        bad.add("a stream of " + name + " was cut after " + stream.names());
                    }
                    token = stream.lastId();
                }
            } catch (RuntimeException | AssertionError e) {
                bad.add("a stream of " + name + ": " + e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        private void read(JsonNode event) {
            if (event.path("snapshot").asBoolean() && opened.get() > 1) {
                bad.add("the token of " + name + " was not good at the other edge");
            }
            for (JsonNode presence : event.path("presences")) {
                if (presence.has("status")) {
                    texts.put(
                            presence.path("user_id").asText(),
                            presence.path("status").asText());
                }
            }
        }
    }
}
