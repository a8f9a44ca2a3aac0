package dev.rollcall.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.UserId;
import dev.rollcall.http.tokens.TokenSigner;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What hostile clients can do to an edge with its default limits, at the size at which each of it once worked; meanwhile
 * somebody else asks whether the edge is well, and writes. {@code HostileClientsIT} has the same in small.
 */
final class Attacks {
    private static final long LASTS_MS = 15_000;
    private static final int WRITERS = 16;
    private static final int ASKERS = 80;
    private static final int IDS = 1_000;
    private static final int UNFINISHED = 11_010;
    private static final String LOG = "attacks-log";
    private static final String ID = "attacks";

    /** How many answers the attack had, by status, and how many ms others waited for theirs. */
    record Figures(
            Map<String, Long> answers, long records, double health_p99_ms, double write_p99_ms, double worst_ms) {}

    /** An attack that is under way. */
    private interface Attack {
        /** Ends it; returns its answers by status. */
        Map<String, Long> end() throws Exception;
    }

    private final BrokerFixture broker;
    private final URI edge;
    private final TokenSigner signer;
    private final HttpClient client = HttpClient.newHttpClient();

    private Attacks(BrokerFixture broker, URI edge, TokenSigner signer) {
        this.broker = broker;
        this.edge = edge;
        this.signer = signer;
    }

    static void scenario(Options options) throws Exception {
        try (BrokerFixture broker = new BrokerFixture(options.workDirectory());
                WorkerProcess server = new WorkerProcess(options)) {
            broker.createTopic(LOG, BrokerFixture.STAMPED_BY_BROKER);
            broker.createOutputs(ID);
            Map<String, String> settings = new HashMap<>(broker.settings(options, ID, LOG));
            settings.put("data.dir", broker.stateDirectory(ID).toString());
            settings.put("http.port", "0");
            settings.put("http.jwt.key", "the key of a benchmark, and of nothing else");
            settings.putAll(options.settings);
            TokenSigner signer =
                    new TokenSigner(RollcallConfig.of(settings).http().tokens());
            new Attacks(broker, server.run(new StreamJobs.Serve(settings)), signer).measure(options);
        }
    }

    private void measure(Options options) throws Exception {
        String device = token("@flood:example.org", "phone");
        String service = signer.forService(Instant.now().plusSeconds(3_600));
        String ids = IntStream.range(0, IDS)
                .mapToObj(i -> "\"@asked" + i + ":example.org\"")
                .collect(Collectors.joining(",", "{\"user_ids\":[", "]}"));
        Map<String, Object> figures = new LinkedHashMap<>();
        List<Target> targets = new ArrayList<>();
        run("nothing", () -> Map::of, figures);
        run(
                "one device writes, on " + WRITERS + " connections",
                () -> flood(WRITERS, "PUT", device("@flood:example.org", "phone"), device, "{\"state\":\"online\"}"),
                figures);
        run(
                "one device asks for " + IDS + " ids, on " + ASKERS + " connections",
                () -> flood(ASKERS, "POST", "/v2/presence/query", device, ids),
                figures);
        run(
                "a service asks for " + IDS + " ids, on " + ASKERS + " connections",
                () -> flood(ASKERS, "POST", "/v2/presence/query", service, ids),
                figures);
        run(UNFINISHED + " connections that do not end their headers", this::unfinished, figures);
        figures.forEach((attack, one) ->
                targets.add(Target.atMost(200, attack + ": health, p99, ms", ((Figures) one).health_p99_ms)
                        .rounded(0)));
        Report.figures(options, Scenario.ATTACKS.id(), figures, targets);
    }

    private interface Beginning {
        Attack begin() throws Exception;
    }

    private void run(String name, Beginning beginning, Map<String, Object> figures) throws Exception {
        long before = broker.count(LOG);
        List<Long> health = new ArrayList<>();
        List<Long> writes = new ArrayList<>();
        String calm = token("@calm:example.org", "phone");
        long begin = System.nanoTime();
        Attack attack = beginning.begin();
        while (System.nanoTime() - begin < LASTS_MS * 1_000_000) {
            health.add(ask("GET", "/health/live", null, null));
            writes.add(ask("PUT", device("@calm:example.org", "phone"), calm, "{\"state\":\"online\"}"));
            Thread.sleep(50);
        }
        Map<String, Long> answers = attack.end();
        Figures one = new Figures(
                answers,
                broker.count(LOG) - before - writes.size(),
                p99(health),
                p99(writes),
                Math.max(max(health), max(writes)));
        figures.put(name, one);
        Progress.print("%-60s %s", name, Json.LINE.writeValueAsString(one));
        Thread.sleep(3_000); // what is left of it ends
    }

    private Attack flood(int connections, String method, String path, String token, String json) {
        return new Flood(edge, connections, method, path, token, json)::end;
    }

    private Attack unfinished() throws IOException {
        List<Socket> sockets = new ArrayList<>();
        byte[] beginning = "GET /health/live HTTP/1.1\r\nHost: a\r\nX".getBytes(UTF_8);
        long refused = 0;
        for (int i = 0; i < UNFINISHED; i++) {
            Socket socket = new Socket(edge.getHost(), edge.getPort());
            sockets.add(socket);
            try {
                socket.getOutputStream().write(beginning);
            } catch (IOException e) {
                refused++;
            }
        }
        long cutOff = refused;
        return () -> {
            for (Socket socket : sockets) {
                socket.close();
            }
            return Map.of("opened", (long) sockets.size(), "refused", cutOff);
        };
    }

    /** Returns how many ns the answer took; anything but success is an error. */
    private long ask(String method, String path, @Nullable String token, @Nullable String json) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(edge.resolve(path))
                .method(
                        method,
                        json == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(json));
        if (token != null) {
            request.header("Authorization", "Bearer " + token).header("Content-Type", "application/json");
        }
        long begin = System.nanoTime();
        int status = client.send(request.build(), HttpResponse.BodyHandlers.discarding())
                .statusCode();
        if (status != 200) {
            throw new BenchmarkException(method + " " + path + " was answered with " + status);
        }
        return System.nanoTime() - begin;
    }

    private String token(String user, String device) {
        return signer.forDevice(UserId.of(user), device, Instant.now().plusSeconds(3_600));
    }

    private static String device(String user, String device) {
        return "/v2/users/%s/devices/%s/presence".formatted(user, device);
    }

    private static double p99(List<Long> nanos) {
        return Spread.percentile(nanos.stream().mapToLong(Long::longValue).toArray(), 0.99) / 1e6;
    }

    private static double max(List<Long> nanos) {
        return nanos.stream().mapToLong(Long::longValue).max().orElse(0) / 1e6;
    }
}
