package dev.rollcall.real;

import static dev.rollcall.domain.PresenceState.IDLE;
import static dev.rollcall.domain.PresenceState.OFFLINE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static dev.rollcall.real.RealContext.await;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.app.Rollcall;
import dev.rollcall.app.matrix.MatrixBridge;
import dev.rollcall.config.RollcallConfig;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The receiver beside a homeserver, with what nginx sends: who polls is here, and who closes the last poll goes. */
@Timeout(180)
class MatrixIT {
    private static final String WAITS = "timeout=30000";

    /** Of an address, at the rate of these tests: what may come at once, and a second. */
    private static final int LOOKUPS_PER_S = 5;

    @TempDir
    static Path dataDir;

    private static Rollcall rollcall;
    private static RealContext kafka;

    private MatrixContext matrix;
    private MatrixBridge bridge;

    @BeforeAll
    static void startRollcall() throws Exception {
        rollcall = Rollcall.start(RollcallConfig.of(RealContext.settings(
                dataDir,
                "pulse.interval.ms",
                "250",
                "disconnect.grace.ms",
                "1000",
                "device.lease.ms",
                "1000"))); // a state without a lease must not end a poll's device
        rollcall.awaitReady();
        kafka = new RealContext(rollcall.bootstrapServers());
    }

    @AfterAll
    static void stopRollcall() {
        kafka.close();
        rollcall.close();
    }

    @BeforeEach
    void startReceiver() throws Exception {
        matrix = new MatrixContext();
        bridge = startBridge();
    }

    @AfterEach
    void stopReceiver() {
        bridge.close();
        matrix.close();
    }

    private Map<String, String> settings() {
        return RealContext.settings(
                dataDir,
                "bootstrap.servers",
                rollcall.bootstrapServers(),
                "matrix.port",
                "0",
                "matrix.syslog.port",
                "0",
                "matrix.lookups.per.s",
                String.valueOf(LOOKUPS_PER_S),
                "matrix.homeserver",
                matrix.homeserverUrl(),
                "http.device.writes.per.s",
                "2");
    }

    private MatrixBridge startBridge() {
        Map<String, Object> client = Map.of("bootstrap.servers", rollcall.bootstrapServers());
        MatrixBridge started = MatrixBridge.start(RollcallConfig.of(settings()), client, client, "test");
        matrix.connect(started.url(), started.logPort());
        matrix.awaitReady();
        return started;
    }

    @Test
    void shouldBeOnlineWhileAnyDevicePollsAndOfflineWhenTheLastPollIsClosed() throws Exception {
        String user = "@alice:example.org";
        String phone = matrix.login(user, "PHONE");
        String tablet = matrix.login(user, "TABLET");

        String ofPhone = matrix.poll(phone, WAITS);
        kafka.awaitState(List.of(user), ONLINE);
        String ofTablet = matrix.slidingPoll(tablet, WAITS);
        String second = matrix.poll(phone, WAITS);
        await().until(() -> matrix.asked() == 2);
        matrix.log(ofPhone, 499); // the client has given up one of two polls
        RealContext.sleep(Duration.ofSeconds(2));
        matrix.log(second, 499);
        RealContext.sleep(Duration.ofSeconds(2));
        assertThat(kafka.emitted(user)).hasSize(1);

        matrix.log(ofTablet, 499);
        kafka.awaitEmitted(user, 2);
        assertThat(kafka.emitted(user).get(1).state()).isEqualTo(OFFLINE);

        matrix.poll(phone, WAITS);
        kafka.awaitEmitted(user, 3);
    }

    @Test
    void shouldStayWhenItPollsAgainWithinTheGrace() throws Exception {
        String user = "@reload:example.org";
        String token = matrix.login(user, "WEB");
        matrix.log(matrix.poll(token, WAITS), 499);
        matrix.poll(token, WAITS);
        kafka.awaitState(List.of(user), ONLINE);
        RealContext.sleep(Duration.ofSeconds(2));

        assertThat(kafka.emitted(user)).hasSize(1);
    }

    @Test
    void shouldKeepAStateThatIsSetWhenLaterPollsNameNone() throws Exception {
        String user = "@idle:example.org";
        String token = matrix.login(user, "WEB");
        matrix.log(matrix.poll(token, WAITS + "&set_presence=unavailable"), 200);
        kafka.awaitState(List.of(user), IDLE);
        matrix.log(matrix.poll(token, WAITS), 200);
        matrix.poll(token, WAITS);
        RealContext.sleep(Duration.ofSeconds(2));
        assertThat(kafka.emitted(user)).hasSize(1);

        matrix.poll(token, WAITS + "&set_presence=online");
        kafka.awaitEmitted(user, 2);
        assertThat(kafka.emitted(user).get(1).state()).isEqualTo(ONLINE);
    }

    @Test
    void shouldNotEndThePollsDeviceWhenAStateAndATextAreSet() throws Exception {
        String user = "@tea:example.org";
        String token = matrix.login(user, "WEB");
        matrix.poll(token, WAITS);
        kafka.awaitState(List.of(user), ONLINE);

        HttpResponse<String> set =
                matrix.put(token, user, "{\"presence\":\"unavailable\",\"status_msg\":\"making tea\"}");
        assertThat(set.statusCode()).isEqualTo(200);
        assertThat(set.headers().firstValue("Access-Control-Allow-Origin")).hasValue("https://app.element.io");
        kafka.awaitEmitted(user, 2);
        matrix.poll(token, WAITS);
        RealContext.sleep(Duration.ofSeconds(3)); // three leases of a heartbeat that names none

        assertThat(kafka.emitted(user)).hasSize(2);
        assertThat(kafka.emitted(user).get(1).presence().status()).isEqualTo("making tea");
        assertThat(kafka.emitted(user).get(1).state()).isEqualTo(IDLE);

        assertThat(matrix.put(token, user, "{\"presence\":\"org.matrix.msc3026.busy\"}")
                        .statusCode())
                .isEqualTo(200);
        kafka.awaitEmitted(user, 3);
        assertThat(kafka.emitted(user).get(2).presence().status())
                .as("a text is kept over states")
                .isEqualTo("making tea");
        assertThat(kafka.emitted(user).get(2).state()).isEqualTo(ONLINE);
    }

    @Test
    void shouldRefuseWithMatrixsErrorsWhenAStateMayNotBeSet() {
        String user = "@own:example.org";
        String token = matrix.login(user, "WEB");
        String online = "{\"presence\":\"online\"}";

        refused(matrix.put(null, user, online), 401, "M_MISSING_TOKEN");
        refused(matrix.put("nonsense", user, online), 401, "M_UNKNOWN_TOKEN");
        refused(matrix.put(token, "@other:example.org", online), 403, "M_FORBIDDEN");
        refused(matrix.put(token, "@other:example.org", "nonsense"), 403, "M_FORBIDDEN");
        refused(matrix.put(token, user, "nonsense"), 400, "M_NOT_JSON");
        refused(matrix.put(token, user, "{}"), 400, "M_BAD_JSON");
        refused(matrix.put(token, user, "{\"presence\":1}"), 400, "M_BAD_JSON");
        refused(matrix.put(token, user, "{\"presence\":\"away\"}"), 400, "M_INVALID_PARAM");
        refused(
                matrix.put(token, user, "{\"presence\":\"online\",\"status_msg\":\"%s\"}".formatted("x".repeat(1_025))),
                400,
                "M_INVALID_PARAM");
        matrix.stopHomeserver();
        refused(matrix.put("another", user, online), 503, "M_UNAVAILABLE");
        HttpResponse<String> last = matrix.put(token, user, online);
        for (int i = 0; i < 50 && last.statusCode() == 200; i++) {
            last = matrix.put(token, user, online);
        }
        refused(last, 429, "M_LIMIT_EXCEEDED");
    }

    private static void refused(HttpResponse<String> answer, int status, String errcode) {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        assertThat(answer.body()).contains("\"errcode\":\"" + errcode + "\"");
    }

    @Test
    void shouldStopCountingWhenItsTokenIsLoggedOut() throws Exception {
        String user = "@out:example.org";
        String token = matrix.login(user, "WEB");
        matrix.log(matrix.poll(token, WAITS), 200);
        kafka.awaitState(List.of(user), ONLINE);

        matrix.logout(token);
        matrix.log(matrix.poll(token, WAITS), 401);
        kafka.awaitState(List.of(user), OFFLINE);
        int asked = matrix.asked();
        matrix.log(matrix.poll(token, WAITS), 401);
        await().until(() -> matrix.asked() == asked + 1);
        matrix.poll(token, WAITS);
        RealContext.sleep(Duration.ofSeconds(2));

        assertThat(matrix.asked()).isEqualTo(asked + 1);
        assertThat(kafka.emitted(user)).hasSize(2);
    }

    @Test
    void shouldAskTheHomeserverNoMoreThanTheRateWhenTokensAreRandom() {
        long start = System.nanoTime();
        for (int i = 0; i < 500; i++) {
            matrix.poll("random" + i, WAITS, "192.0.2.66");
        }
        await().pollDelay(Duration.ofSeconds(1)).until(() -> matrix.asked() >= 10 * LOOKUPS_PER_S);
        double seconds = (System.nanoTime() - start) / 1e9;
        int asked = matrix.asked();
        System.out.printf("500 random tokens in %.1f s: the homeserver was asked %d times%n", seconds, asked);
        assertThat(asked).isLessThanOrEqualTo((int) ((10 + seconds) * LOOKUPS_PER_S) + 1);

        String user = "@neighbour:example.org";
        matrix.poll(matrix.login(user, "PHONE"), WAITS, "192.0.2.67");
        kafka.awaitState(List.of(user), ONLINE);
    }

    @Test
    void shouldHoldWhoIsKnownAndRefuseNobodyWhenTheHomeserverIsAway() throws Exception {
        String known = "@known:example.org";
        String unknown = "@unknown:example.org";
        String token = matrix.login(known, "PHONE");
        String poll = matrix.poll(token, WAITS);
        kafka.awaitState(List.of(known), ONLINE);

        matrix.stopHomeserver();
        matrix.log(poll, 502);
        matrix.log(matrix.poll(token, "timeout=0"), 502);
        String other = matrix.login(unknown, "PHONE");
        matrix.log(matrix.poll(other, WAITS), 502);
        RealContext.sleep(Duration.ofSeconds(2));
        assertThat(kafka.emitted(known)).hasSize(1);
        assertThat(kafka.emitted(unknown)).isEmpty();

        matrix.startHomeserver();
        matrix.poll(other, WAITS);
        kafka.awaitState(List.of(unknown), ONLINE);
        assertThat(kafka.emitted(known)).hasSize(1);
    }

    @Test
    void shouldAnswerAtOnceWhenTheHomeserverIsSlow() {
        matrix.slow(Duration.ofSeconds(3));
        String user = "@slow:example.org";
        String token = matrix.login(user, "PHONE");
        long start = System.nanoTime();
        for (int i = 0; i < 20; i++) {
            matrix.poll(token, WAITS);
        }
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(2));

        kafka.awaitState(List.of(user), ONLINE);
        assertThat(matrix.asked()).as("once for all of them").isEqualTo(1);
    }

    @Test
    void shouldPublishNothingWhenTheReceiverIsKilledAndStartedAgain(@TempDir Path dir) throws Exception {
        bridge.close();
        Map<String, String> settings = settings();
        int port = RealContext.freePort();
        settings.put("matrix.port", String.valueOf(port));
        settings.put("matrix.syslog.port", String.valueOf(port));
        matrix.connect("http://127.0.0.1:" + port, port);
        String user = "@kept:example.org";
        String token = matrix.login(user, "PHONE");
        for (String output : List.of("first", "second")) {
            try (RollcallProcess killed = RollcallProcess.matrix(settings, dir.resolve(output))) {
                matrix.awaitReady();
                assertThat(killed.emitted()).contains("Rollcall receives polls on http://127.0.0.1:" + port);
                matrix.poll(token, WAITS);
                kafka.awaitState(List.of(user), ONLINE);
            }
        }
        RealContext.sleep(Duration.ofSeconds(2));

        assertThat(kafka.emitted(user)).hasSize(1);
    }

    @Test
    void shouldNotBeMisledWhenWhatComesIsForgedOrEnormous() throws Exception {
        String user = "@calm:example.org";
        String token = matrix.login(user, "PHONE");
        String poll = matrix.poll(token, WAITS);
        kafka.awaitState(List.of(user), ONLINE);

        for (int i = 0; i < 20_000; i++) {
            matrix.datagram("<190>Nov 30 08:00:00 host nginx: %032x 499".formatted(1_000_000 + i));
        }
        matrix.datagram("");
        matrix.datagram("x".repeat(60_000));
        matrix.datagram(poll + " 499");
        matrix.datagram("<190>Nov 30 08:00:00 host nginx: GET /" + poll + " 499");
        matrix.poll(token, "timeout=" + "9".repeat(20_000) + "&filter=" + "x".repeat(20_000));
        matrix.poll(token, "timeout=1&timeout=2&set_presence=away&access_token=%ff");
        matrix.poll("x".repeat(10_000), WAITS);
        assertThat(matrix.get("/_matrix/client/v3/sync?filter=" + "x".repeat(100_000))
                        .statusCode())
                .isEqualTo(414);
        matrix.mirror(HttpRequest.newBuilder(URI.create(
                bridge.url() + "/_matrix/client/r0/sync?access_token=" + token + "&set_presence=unavailable")));

        kafka.awaitEmitted(user, 2);
        assertThat(kafka.emitted(user)).extracting(RealContext.Emitted::state).containsExactly(ONLINE, IDLE);
    }

    @Test
    void shouldNotGrowWithoutABoundWhenTokensAreMany() {
        matrix.slow(Duration.ofSeconds(30));
        for (int i = 0; i < 1_000; i++) {
            matrix.poll("many" + i, WAITS, "10.%d.%d.1".formatted(i / 256, i % 256));
        }
        System.out.printf(
                "1 000 tokens, and a homeserver that does not answer: it was asked %d times%n", matrix.asked());
        assertThat(matrix.asked()).isLessThan(200);
        matrix.slow(Duration.ZERO);
        String user = "@after:example.org";
        String token = matrix.login(user, "PHONE");
        await().atMost(Duration.ofSeconds(60))
                .pollInterval(Duration.ofSeconds(1))
                .untilAsserted(() -> {
                    matrix.poll(token, WAITS, "192.0.2.2");
                    assertThat(kafka.emitted(user)).isNotEmpty();
                });
        HttpResponse<String> metrics = matrix.get("/metrics");
        assertThat(metrics.body())
                .contains("rollcall_matrix_polls_total")
                .contains("rollcall_matrix_open ")
                .contains("rollcall_matrix_heartbeats_total");
    }
}
