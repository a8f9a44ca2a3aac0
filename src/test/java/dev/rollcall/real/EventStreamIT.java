package dev.rollcall.real;

import static dev.rollcall.real.HttpContext.device;
import static dev.rollcall.real.HttpContext.encode;
import static dev.rollcall.real.HttpContext.user;
import static dev.rollcall.real.RealContext.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rollcall.domain.PresenceState;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The event stream: it keeps its device online, and delivers presence. */
@Timeout(120)
class EventStreamIT {
    private static final int GRACE_MS = 1_500;

    @RegisterExtension
    static final HttpExtension EDGE = HttpExtension.with(
            "device.lease.ms", "3000", "disconnect.grace.ms", String.valueOf(GRACE_MS), "http.stream.max.ms", "60000");

    private final HttpContext http = EDGE.http();
    private final RealContext context = EDGE.kafka();

    @Test
    void shouldBeOnlineWhileItIsOpenAndOfflineAfterTheGraceWhenItEnds() throws InterruptedException {
        String user = "@open:example.org";
        try (var stream = http.open(device(user, "tab") + "/events?users=" + encode(user))) {
            context.awaitState(List.of(user), PresenceState.ONLINE);
            stream.awaitStates(user, "unknown", "online");
            RealContext.sleep(Duration.ofMillis(4_500)); // more than a lease
            assertThat(context.emitted(user)).hasSize(1);
        }
        long closed = System.currentTimeMillis();
        context.awaitState(List.of(user), PresenceState.OFFLINE);
        assertThat(context.awaitEmitted(user, 2).presence().since() - closed)
                .isBetween(GRACE_MS - 500L, GRACE_MS + 1_000L);
    }

    @Test
    void shouldNeverBeSeenOnlineWhenItOpensAsIdleOrOffline() throws InterruptedException {
        try (var idle = http.open(device("@idle:example.org", "tab") + "/events?presence=idle&users=");
                var offline = http.open(device("@off:example.org", "tab") + "/events?presence=offline&users=")) {
            context.awaitState(List.of("@idle:example.org"), PresenceState.IDLE);
            RealContext.sleep(Duration.ofSeconds(4));
            assertThat(context.emitted("@idle:example.org")).hasSize(1);
            assertThat(context.emitted("@off:example.org")).isEmpty();
            assertThat(idle.hasEnded() || offline.hasEnded()).isFalse();
        }
    }

    @Test
    void shouldKeepTheStateThatWasEmittedWhileItIsOpen() throws InterruptedException {
        String user = "@emitted:example.org";
        try (var stream = http.open(device(user, "tab") + "/events?users=" + encode(user))) {
            stream.awaitStates(user, "unknown", "online");
            http.setState(user, "tab", "idle");
            stream.awaitStates(user, "unknown", "online", "idle");
            RealContext.sleep(Duration.ofSeconds(4));
            stream.awaitStates(user, "unknown", "online", "idle");
        }
    }

    @Test
    void shouldNotFlickerWhenItIsOpenedAgainWithinTheGrace() {
        String user = "@again:example.org";
        String path = device(user, "tab") + "/events?users=";
        for (int i = 0; i < 3; i++) {
            try (var stream = http.open(path)) {
                context.awaitState(List.of(user), PresenceState.ONLINE);
                assertThat(stream.hasEnded()).isFalse();
            }
        }
        context.awaitState(List.of(user), PresenceState.OFFLINE);
        assertThat(context.emitted(user)).hasSize(2);
    }

    @Test
    void shouldTellTheSnapshotAndThenTheChangesOfThoseWhoWereAskedFor() {
        http.setText("@old:example.org", "was here");
        http.awaitState("@old:example.org", "offline");
        String users = encode("@old:example.org") + "," + encode("@new:example.org");
        try (var stream = http.open(device("@watcher:example.org", "tab") + "/events?users=" + users)) {
            stream.awaitStates("@old:example.org", "offline");
            stream.awaitStates("@new:example.org", "unknown");
            JsonNode first = stream.events().get(0);
            assertThat(first.path("snapshot").asBoolean()).isTrue();
            assertThat(first.path("next_batch").asText()).isNotEmpty();
            http.setState("@new:example.org", "phone", "idle");
            http.setState("@other:example.org", "phone", "idle");
            stream.awaitStates("@new:example.org", "unknown", "idle");
            assertThat(stream.events().get(1).path("snapshot").asBoolean()).isFalse();
            assertThat(stream.states("@other:example.org")).isEmpty();
            assertThat(stream.states("@watcher:example.org")).isEmpty();
        }
    }

    @Test
    void shouldTellWhatChangesWithinAWindowTogether() throws InterruptedException {
        String user = "@busy:example.org";
        String path = device("@calm:example.org", "tab") + "/events?window=3000&users=" + encode(user);
        try (var stream = http.open(path)) {
            stream.awaitStates(user, "unknown");
            for (int i = 1; i <= 4; i++) {
                http.setText(user, "text " + i);
                RealContext.sleep(Duration.ofMillis(300));
            }
            stream.awaitStates(user, "unknown", "offline");
            JsonNode second = stream.events().get(1);
            assertThat(second.path("presences").get(0).path("status").asText()).isEqualTo("text 4");
        }
    }

    @Test
    void shouldTellOfEverybodyWhenNobodyIsNamed() {
        http.setText("@anybody:example.org", "1");
        http.awaitState("@anybody:example.org", "offline");
        try (var stream = http.open(device("@all:example.org", "tab") + "/events")) {
            stream.awaitStates("@anybody:example.org", "offline");
            http.setState("@anybody:example.org", "tab", "idle");
            stream.awaitStates("@anybody:example.org", "offline", "idle");
        }
    }

    @Test
    void shouldTellOnlyWhatWasMissedWhenItComesBackWithWhereItWas() {
        http.setText("@still:example.org", "1");
        http.setText("@moved:example.org", "1");
        http.awaitState("@still:example.org", "offline");
        http.awaitState("@moved:example.org", "offline");
        for (String users :
                List.of("", "?users=" + encode("@still:example.org") + "," + encode("@moved:example.org"))) {
            String path = device("@back:example.org", "tab") + "/events" + users;
            String last;
            try (var stream = http.open(path)) {
                stream.awaitStates("@still:example.org", "offline");
                stream.awaitStates("@moved:example.org", "offline");
                last = stream.lastId();
            }
            http.put(user("@moved:example.org") + "/status", "{\"text\":\"2" + users.length() + "\"}")
                    .isOk();
            try (var stream = http.open(path, "Last-Event-ID", last)) {
                stream.awaitStates("@moved:example.org", "offline");
                assertThat(stream.states("@still:example.org")).isEmpty();
                assertThat(stream.events())
                        .noneMatch(event -> event.path("snapshot").asBoolean());
            }
        }
    }

    @Test
    void shouldEndByItselfWhenItsTimeIsOver() {
        try (var stream = http.open(device("@short:example.org", "tab") + "/events?users=&timeout=1000")) {
            await().atMost(Duration.ofSeconds(5)).until(stream::hasEnded);
        }
        context.awaitState(List.of("@short:example.org"), PresenceState.OFFLINE);
    }

    @Test
    void shouldEndWhenTheDeviceIsDeleted() {
        String user = "@gone:example.org";
        try (var stream = http.open(device(user, "tab") + "/events?users=")) {
            context.awaitState(List.of(user), PresenceState.ONLINE);
            http.delete(device(user, "tab") + "/presence").isOk();
            await().atMost(Duration.ofSeconds(5)).until(stream::hasEnded);
        }
        context.awaitState(List.of(user), PresenceState.OFFLINE);
    }

    @Test
    void shouldAnswerAtOnceOrWaitWhenItIsALongPoll() {
        String path = device("@poll:example.org", "app") + "/events?users=" + encode("@polled:example.org");
        JsonNode first = http.poll(path);
        assertThat(first.path("snapshot").asBoolean()).isTrue();
        assertThat(first.path("presences").get(0).path("state").asText()).isEqualTo("unknown");
        String token = first.path("next_batch").asText();

        long begin = System.nanoTime();
        JsonNode nothing = http.poll(path + "&timeout=700&next_batch=" + encode(token));
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isGreaterThan(Duration.ofMillis(600));
        assertThat(nothing.path("presences")).isEmpty();

        String next = nothing.path("next_batch").asText();
        CompletableFuture<JsonNode> waiting =
                CompletableFuture.supplyAsync(() -> http.poll(path + "&timeout=9000&since=" + encode(next)));
        http.setState("@polled:example.org", "phone", "online");
        JsonNode change = waiting.join();
        assertThat(change.path("snapshot").asBoolean()).isFalse();
        assertThat(change.path("presences").get(0).path("state").asText()).isEqualTo("online");

        context.awaitState(List.of("@poll:example.org"), PresenceState.OFFLINE);
        assertThat(context.emitted("@poll:example.org"))
                .as("no flicker between polls")
                .hasSize(2);
    }

    @Test
    void shouldRefuseWhenAParameterIsWrong() {
        String path = device("@wrong:example.org", "tab") + "/events";
        http.get(path + "?presence=away").isRefused(400, "M_INVALID_PARAM");
        http.get(path + "?timeout=-1").isRefused(400, "M_INVALID_PARAM");
        http.get(path + "?timeout=x").isRefused(400, "M_INVALID_PARAM");
        http.get(path + "?timeout=1&timeout=2").isRefused(400, "M_INVALID_PARAM");
        http.get(path + "?next_batch=nonsense").isRefused(400, "M_INVALID_PARAM");
        http.get(path + "?since=nonsense").isRefused(400, "M_INVALID_PARAM");
        http.get(path, "Last-Event-ID", "s1.2_").isRefused(400, "M_INVALID_PARAM");
        http.get(path + "?users=%ff").isRefused(400, "M_INVALID_PARAM");
        http.get(path + "?users=" + "a,".repeat(1_001)).isRefused(400, "M_INVALID_PARAM");
        assertThat(context.emitted("@wrong:example.org")).isEmpty();
    }

    @Test
    void shouldEndAfterTheGraceWhenTheClientIsGoneWithoutGoodbye() throws Exception {
        String user = "@killed:example.org";
        long closed;
        try (Socket socket = connect(device(user, "tab") + "/events?users=")) {
            context.awaitState(List.of(user), PresenceState.ONLINE);
            socket.setOption(StandardSocketOptions.SO_LINGER, 0); // what the kernel does for the dead: a reset
            closed = System.currentTimeMillis();
        }
        context.awaitState(List.of(user), PresenceState.OFFLINE);
        assertThat(context.awaitEmitted(user, 2).presence().since() - closed)
                .isBetween(GRACE_MS - 500L, GRACE_MS + 1_000L);
    }

    @Test
    void shouldGetTheLatestOfEachWhenAReaderIsSlow() throws Exception {
        List<String> users = RealContext.users("busy", 300);
        try (Socket socket = connect(device("@slow:example.org", "tab") + "/events?timeout=60000")) {
            BufferedReader lines =
                    new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
            for (int round = 1; round < 60; round++) {
                context.heartbeats(users, round % 2 == 0 ? PresenceState.ONLINE : PresenceState.IDLE);
            }
            // The last state must not end with its lease: a cold processor may be seconds behind.
            context.heartbeats(users, PresenceState.OFFLINE);
            context.awaitState(users, PresenceState.OFFLINE);
            Map<String, String> states = new HashMap<>();
            while (!users.stream().allMatch(user -> "offline".equals(states.get(user)))) {
                String line = lines.readLine();
                assertThat(line).as("the stream goes on").isNotNull();
                if (line.startsWith("data: ")) {
                    for (JsonNode presence :
                            HttpContext.MAPPER.readTree(line.substring(6)).path("presences")) {
                        states.put(
                                presence.path("user_id").asText(),
                                presence.path("state").asText());
                    }
                }
            }
        }
    }

    /** A client that reads nothing until it is told to. */
    private static Socket connect(String path) throws Exception {
        URI uri = URI.create(EDGE.url());
        Socket socket = new Socket();
        socket.setReceiveBufferSize(4_096);
        socket.connect(new InetSocketAddress(uri.getHost(), uri.getPort()));
        String request =
                "GET %s HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\n\r\n".formatted(path, uri.getAuthority());
        socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
        return socket;
    }
}
