package dev.rollcall.real;

import static dev.rollcall.real.RealContext.await;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rollcall.app.Rollcall;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.embedded.EmbeddedBroker;
import dev.rollcall.session.ShardHeartbeat;
import dev.rollcall.wire.Inbound;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * config/alerts.yml and config/grafana-dashboard.json with a real Prometheus: the alerts fire on real faults. Their times and
 * bounds are made small, for a test cannot wait for ten minutes; promtool tests them as they are.
 */
@Tag("other-language")
@Timeout(600)
class AlertsIT {
    /**
     * Shown by promtool. The first three take more than a test has: records to restore for minutes, a feed that is far behind, a
     * sweep of millions. Which of the others an outage brings about depends on what the thread was doing when it began: one
     * that waits for a commit writes no tick, and sends nothing that could fail.
     */
    private static final Set<String> BY_VALUE_ONLY = Set.of(
            "RollcallRestoring",
            "RollcallFeedBehind",
            "RollcallExpiryBehind",
            "RollcallClockStalled",
            "RollcallThreadFailures",
            "RollcallProducerErrors");

    @TempDir
    private Path dir;

    private final HttpClient http = HttpClient.newHttpClient();
    private int port;

    @BeforeEach
    void choosePort() throws Exception {
        port = RealContext.freePort();
    }

    @Test
    void shouldBeRightWhenPromtoolReadsThem() throws Exception {
        assertThat(promtool("check", "rules", "config/alerts.yml")).contains("SUCCESS");
        assertThat(promtool("test", "rules", "src/test/resources/alerts-test.yml"))
                .contains("SUCCESS");
        String tests = Files.readString(Path.of("src/test/resources/alerts-test.yml"));
        assertThat(alerts()).isNotEmpty().allSatisfy(alert -> assertThat(tests).contains("\"" + alert + "\""));
        String book = Files.readString(Path.of("docs/operations.md"));
        assertThat(alerts()).allSatisfy(alert -> assertThat(book).contains("`" + alert + "`"));
    }

    @Test
    void shouldFireOnRealFaults() throws Exception {
        EmbeddedBroker broker = EmbeddedBroker.start(dir.resolve("broker"), RealContext.freePort());
        Rollcall first = Rollcall.start(config(broker, "first"));
        Rollcall second = Rollcall.start(config(
                broker,
                "second",
                "kafka.task.timeout.ms",
                "1000",
                "kafka.producer.max.block.ms",
                "2000",
                "kafka.producer.request.timeout.ms",
                "1000",
                "kafka.producer.delivery.timeout.ms",
                "2000"));
        Process prometheus = prometheus(first, second);
        try {
            first.awaitReady();
            second.awaitReady();
            HttpContext edge = HttpContext.withoutToken(first.httpUrl().orElseThrow());
            await().until(() -> edge.get("/health/ready").status() == 200);
            await().until(() -> query("up == 1").size() == 2);
            edge.put("/v2/users/@a:example.org/devices/phone/presence", "{\"lease_ms\": 1000}")
                    .isOk();
            await().until(() ->
                    !query("rollcall_expiry_lateness_seconds_count > 0").isEmpty());
            RealContext.sleep(Duration.ofSeconds(5)); // so that rates have something to begin with
            promtoolChecks(first);

            writeNonsense(broker);
            awaitFired(Set.of(
                    "RollcallRecordsRefused",
                    "RollcallRecordsRerouted",
                    "RollcallEarlierSessions",
                    "RollcallClocksApart",
                    "RollcallContractFinding"));
            dashboardHasData();

            edge.put("/v2/users/@b:example.org/devices/phone/presence", "{\"lease_ms\": 600000}")
                    .isOk();
            HttpContext.withoutToken(second.httpUrl().orElseThrow())
                    .put("/v2/users/@b:example.org/devices/phone/presence", "{\"lease_ms\": 600000}")
                    .isOk();
            broker.close();
            refusesWrites(edge, 1);
            RealContext.sleep(Duration.ofSeconds(3)); // a rate has to begin with something
            refusesWrites(edge, 30);
            awaitFired(
                    Set.of("RollcallNotReady", "RollcallCommitsStalled", "RollcallFeedStalled", "RollcallHttpErrors"));

            second.close();
            awaitFired(Set.of("RollcallDown"));

            Set<String> expected = new TreeSet<>(alerts());
            expected.removeAll(BY_VALUE_ONLY);
            assertThat(fired()).containsAll(expected);
        } finally {
            prometheus.destroyForcibly().waitFor();
            second.close();
            first.close();
            broker.close();
        }
    }

    /** So many at the same time, for each takes seconds. */
    private static void refusesWrites(HttpContext edge, int count) throws Exception {
        ExecutorService clients = Executors.newFixedThreadPool(count);
        try {
            List<Future<Integer>> answers = clients.invokeAll(Collections.nCopies(
                    count,
                    () -> edge.put("/v2/users/@c:example.org/status", "{\"text\": \"x\"}")
                            .status()));
            for (Future<Integer> answer : answers) {
                assertThat(answer.get()).isEqualTo(503);
            }
        } finally {
            clients.shutdown();
        }
    }

    /** One fault of each kind that a producer or the brokers' clocks can make. */
    private void writeNonsense(EmbeddedBroker broker) throws Exception {
        ConfigResource status = new ConfigResource(ConfigResource.Type.TOPIC, "first-status");
        try (KafkaProducer<byte[], byte[]> producer = RealContext.producer(broker.bootstrapServers(), Map.of());
                Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrapServers()))) {
            byte[] user = "@nonsense:example.org".getBytes(UTF_8);
            producer.send(new ProducerRecord<>("first-status", user, new byte[] {1, 2, 3}))
                    .get();
            for (int partition = 0; partition < RealContext.PARTITIONS; partition++) {
                producer.send(new ProducerRecord<>("first-appear-offline", partition, user, null))
                        .get();
            }
            for (long startedAt : List.of(2_000L, 1_000L)) {
                byte[] beat = RealContext.TOPICS
                        .heartbeats()
                        .values()
                        .serializer()
                        .serialize(
                                "first-device-heartbeat",
                                Inbound.of(new Inbound.ShardBeat(new ShardHeartbeat(
                                        "twice", "session" + startedAt, startedAt, OptionalLong.empty(), false))));
                producer.send(new ProducerRecord<>("first-device-heartbeat", 0, null, beat))
                        .get();
            }
            // As if a new leader had another clock: for a moment, stamps are what the producer says.
            alter(admin, status, "CreateTime");
            long now = System.currentTimeMillis();
            producer.send(new ProducerRecord<byte[], byte[]>("first-status", 0, now, user, null))
                    .get();
            producer.send(new ProducerRecord<byte[], byte[]>("first-status", 0, now - 60_000, user, null))
                    .get();
            alter(admin, status, "LogAppendTime");
        }
    }

    private static void alter(Admin admin, ConfigResource topic, String stamps) throws Exception {
        admin.incrementalAlterConfigs(Map.of(
                        topic,
                        List.of(new AlterConfigOp(
                                new ConfigEntry("message.timestamp.type", stamps), AlterConfigOp.OpType.SET))))
                .all()
                .get();
        await().until(() -> admin.describeConfigs(List.of(topic))
                .all()
                .get()
                .get(topic)
                .get("message.timestamp.type")
                .value()
                .equals(stamps));
    }

    private void dashboardHasData() throws Exception {
        JsonNode dashboard = HttpContext.MAPPER.readTree(
                Path.of("config/grafana-dashboard.json").toFile());
        List<String> queries = new ArrayList<>();
        dashboard
                .get("panels")
                .forEach(panel -> panel.get("targets")
                        .forEach(target -> queries.add(target.get("expr")
                                .asText()
                                .replace("$__rate_interval", "1m")
                                .replace("$instance", ".*"))));
        assertThat(queries).hasSizeGreaterThan(20);
        for (String query : queries) {
            assertThat(query(query)).as(query).isNotEmpty();
        }
    }

    private void promtoolChecks(Rollcall rollcall) throws Exception {
        String text = HttpContext.withoutToken(rollcall.httpUrl().orElseThrow())
                .get("/metrics")
                .isOk()
                .body();
        Process promtool = new ProcessBuilder("promtool", "check", "metrics")
                .redirectErrorStream(true)
                .start();
        promtool.getOutputStream().write(text.getBytes(UTF_8));
        promtool.getOutputStream().close();
        String complaints = new String(promtool.getInputStream().readAllBytes(), UTF_8)
                .lines()
                .filter(line -> line.contains("rollcall_"))
                .collect(Collectors.joining("\n"));
        assertThat(complaints).isEmpty();
        promtool.waitFor();
    }

    private void awaitFired(Set<String> expected) {
        await().untilAsserted(() -> assertThat(fired()).containsAll(expected));
    }

    /** All that have fired until now. */
    private Set<String> fired() throws Exception {
        Set<String> names = new TreeSet<>();
        for (JsonNode result : query("count_over_time(ALERTS{alertstate=\"firing\"}[10m])")) {
            names.add(result.at("/metric/alertname").asText());
        }
        return names;
    }

    private List<JsonNode> query(String expression) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:%d/api/v1/query?query=%s"
                        .formatted(port, URLEncoder.encode(expression, UTF_8))))
                .build();
        List<JsonNode> results = new ArrayList<>();
        try {
            JsonNode answer = HttpContext.MAPPER.readTree(
                    http.send(request, HttpResponse.BodyHandlers.ofString()).body());
            assertThat(answer.get("status").asText()).as("%s", answer).isEqualTo("success");
            answer.at("/data/result").forEach(results::add);
        } catch (java.net.ConnectException e) {
            return List.of(); // it is still starting
        }
        return results;
    }

    private Process prometheus(Rollcall first, Rollcall second) throws Exception {
        Files.writeString(dir.resolve("alerts.yml"), hurried(Files.readString(Path.of("config/alerts.yml"))));
        Path config =
                Files.writeString(dir.resolve("prometheus.yml"), """
                global: {scrape_interval: 1s, evaluation_interval: 1s}
                rule_files: [alerts.yml]
                scrape_configs:
                  - job_name: rollcall
                    static_configs:
                      - targets: ['%s', '%s']
                """.formatted(authority(first), authority(second)));
        return new ProcessBuilder(
                        "prometheus",
                        "--config.file=" + config,
                        "--storage.tsdb.path=" + dir.resolve("prometheus"),
                        "--web.listen-address=127.0.0.1:" + port)
                .redirectErrorStream(true)
                .redirectOutput(dir.resolve("prometheus.log").toFile())
                .start();
    }

    private static String hurried(String rules) {
        return rules.replaceAll("for: \\d+m", "for: 1s")
                .replaceAll("\\[\\d+m]", "[1m]")
                .replace("> 30\n", "> 3\n");
    }

    private static String authority(Rollcall rollcall) {
        return URI.create(rollcall.httpUrl().orElseThrow()).getAuthority();
    }

    private static Set<String> alerts() throws Exception {
        return Pattern.compile("alert: (\\w+)")
                .matcher(Files.readString(Path.of("config/alerts.yml")))
                .results()
                .map(found -> found.group(1))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static String promtool(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of("promtool"));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        return new String(process.getInputStream().readAllBytes(), UTF_8);
    }

    private RollcallConfig config(EmbeddedBroker broker, String application, String... more) {
        List<String> all = new ArrayList<>(List.of(
                "bootstrap.servers",
                broker.bootstrapServers(),
                "application.id",
                application,
                "http.port",
                "0",
                "http.health.stall.ms",
                "3000"));
        for (String topic :
                List.of("device-heartbeat", "status", "appear-offline", "presence", "presence-dead-letters")) {
            all.addAll(List.of("topic." + topic, application + "-" + topic));
        }
        all.addAll(List.of(more));
        return RollcallConfig.of(RealContext.settings(dir.resolve(application), all.toArray(String[]::new)));
    }
}
