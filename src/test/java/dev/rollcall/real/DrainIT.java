package dev.rollcall.real;

import static dev.rollcall.real.HttpContext.device;
import static dev.rollcall.real.HttpContext.user;
import static dev.rollcall.real.RealContext.await;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.app.Rollcall;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.embedded.EmbeddedBroker;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** An instance that is stopped while clients are there: each is answered, or told to go elsewhere, and nobody goes offline. */
@Timeout(120)
class DrainIT {
    @TempDir
    private Path dataDir;

    private EmbeddedBroker broker;

    @BeforeEach
    void startBroker() {
        broker = EmbeddedBroker.start(dataDir.resolve("broker"), 0);
    }

    @AfterEach
    void stopBroker() {
        broker.close();
    }

    @Test
    void shouldSendItsClientsElsewhereBeforeItStopsServing() throws Exception {
        try (Rollcall stopping = start("stopping", "http.drain.ms", "4000", "disconnect.grace.ms", "0");
                RealContext context = new RealContext(broker.bootstrapServers())) {
            HttpContext http = HttpContext.withoutToken(stopping.httpUrl().orElseThrow());
            http.awaitReady();
            List<HttpContext.Stream> streams = new ArrayList<>();
            List<String> users = RealContext.users("drained", 20);
            users.forEach(user -> streams.add(http.open(device(user, "tab") + "/events?users=")));
            users.forEach(user -> http.awaitState(user, "online"));
            CompletableFuture<HttpContext.Answer> poll = CompletableFuture.supplyAsync(
                    () -> http.get(device("@poll:a", "tab") + "/events?users=", "Accept", "application/json"));

            long start = System.nanoTime();
            CompletableFuture<Void> stopped = CompletableFuture.runAsync(stopping::close);
            await().atMost(Duration.ofSeconds(1)).untilAsserted(() -> {
                HttpContext.Answer ready = http.get("/health/ready").isRefused(503, "M_UNAVAILABLE");
                assertThat(ready.response().headers().firstValue("Retry-After")).hasValue("1");
                assertThat(ready.json().path("waits_for").toString()).contains("stopping");
            });
            // The first half: all is served, new streams too, and the listener is there.
            http.get("/health/live").isOk();
            http.setState("@late:example.org", "phone", "online");
            http.open(device("@late:example.org", "tab") + "/events?users=").close();
            RealContext.sleep(Duration.ofSeconds(1));
            assertThat(streams).noneMatch(HttpContext.Stream::hasEnded);
            // The second half: streams end one after the other, and the rest is still served.
            RealContext.sleep(Duration.ofMillis(1_300));
            long ended = streams.stream().filter(HttpContext.Stream::hasEnded).count();
            http.get(user(users.get(0)) + "/presence").isOk();
            HttpContext.Answer refused = http.get(device("@late:example.org", "tab") + "/events?users=")
                    .isRefused(503, "M_UNAVAILABLE");
            assertThat(refused.response().headers().firstValue("Retry-After")).hasValue("1");
            assertThat(refused.response().headers().firstValue("Connection")).hasValue("close");
            System.out.printf("%d of %d streams had ended%n", ended, users.size());
            stopped.join();
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThan(Duration.ofSeconds(4));
            assertThat(streams).allMatch(HttpContext.Stream::hasEnded);
            assertThat(streams).allMatch(stream -> stream.names().contains("reconnect"));
            assertThat(poll.join().isOk().json().path("presences")).isEmpty();
            RealContext.sleep(Duration.ofSeconds(1));
            assertThat(context.everOffline(users)).isEmpty();
        }
    }

    @Test
    void shouldAnswerEveryoneWhenItStopsAtOnce() throws Exception {
        PrintStream before = System.err;
        ByteArrayOutputStream log = new ByteArrayOutputStream();
        Queue<String> bad = new ConcurrentLinkedQueue<>();
        List<Thread> clients = new ArrayList<>();
        try {
            Rollcall stopping = start("stopping", "http.drain.ms", "0");
            String url = stopping.httpUrl().orElseThrow();
            HttpContext.withoutToken(url).awaitReady();
            System.setErr(new PrintStream(log, true, StandardCharsets.UTF_8));
            for (int i = 0; i < 16; i++) {
                String path = device("@busy" + i + ":example.org", "tab") + "/events?users=&timeout=" + i % 4 * 20;
                clients.add(new Thread(() -> pollUntilGone(HttpContext.withoutToken(url), path, bad)));
            }
            clients.forEach(Thread::start);
            for (int i = 0; i < 50; i++) {
                HttpContext.withoutToken(url).open(device("@open" + i + ":example.org", "tab") + "/events?users=");
            }
            RealContext.sleep(Duration.ofSeconds(2));
            stopping.close();
            for (Thread client : clients) {
                client.join();
            }
        } finally {
            System.setErr(before);
        }
        assertThat(bad).isEmpty();
        assertThat(log.toString(StandardCharsets.UTF_8))
                .doesNotContain("close cleanly")
                .doesNotContain("did not stop cleanly")
                .doesNotContain("RejectedExecution");
    }

    private static void pollUntilGone(HttpContext http, String path, Queue<String> bad) {
        while (true) {
            HttpContext.Answer answer;
            try {
                answer = http.get(path, "Accept", "application/json");
            } catch (UncheckedIOException e) {
                if (!(e.getCause() instanceof java.net.ConnectException)) {
                    bad.add("not answered: " + e.getCause());
                }
                return;
            }
            boolean comeAgain = answer.status() == 503
                    && answer.response().headers().firstValue("Retry-After").isPresent();
            if (answer.status() != 200 && !comeAgain) {
                bad.add(answer.status() + " " + answer.body());
            }
        }
    }

    private Rollcall start(String name, String... more) {
        var settings = RealContext.settings(
                dataDir.resolve(name), "http.port", "0", "bootstrap.servers", broker.bootstrapServers());
        for (int i = 0; i < more.length; i += 2) {
            settings.put(more[i], more[i + 1]);
        }
        return Rollcall.start(RollcallConfig.of(settings));
    }
}
