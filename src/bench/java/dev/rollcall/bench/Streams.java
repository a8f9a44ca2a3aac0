package dev.rollcall.bench;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.wire.Topics;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;

/**
 * Twenty thousand event streams at the HTTP edge, each watching a hundred users of whom a thousand change each second: what is
 * delivered, how late, and what a stream costs. Two instances and two programs with clients, since a process may often have
 * no more than twenty thousand files open; the broker is on the same machine.
 */
final class Streams {
    private static final int STREAMS = 20_000;
    private static final int WATCHED = 100;
    private static final int PROCESSES = 2;
    private static final int CHANGES_PER_SECOND = 1_000;
    private static final long MEASURED_MS = 30_000;
    private static final long OPEN_WITHIN_MS = 120_000;
    private static final int ALL = Integer.MAX_VALUE;
    private static final String LOG = "streams-log";
    private static final String ID = "streams";

    private final Options options;
    private final int users;
    private final BrokerFixture broker;
    private final List<URI> edges = new ArrayList<>();
    private final Map<String, Object> figures = new LinkedHashMap<>();
    private final List<Target> targets = new ArrayList<>();

    /** How many ms all streams and the answers took, and of how many changes each second somebody was told. */
    record Figures(
            long opened_ms,
            long cut_off_and_back_ms,
            double deliveries_per_second,
            long p50_ms,
            long p99_ms,
            double get_p99_ms,
            int ended,
            int without_last_state) {}

    private Streams(Options options, BrokerFixture broker) {
        this.options = options;
        this.broker = broker;
        users = options.users(STREAMS);
    }

    static void scenario(Options options) throws Exception {
        try (BrokerFixture broker = new BrokerFixture(options.workDirectory());
                WorkerProcess one = new WorkerProcess(options);
                WorkerProcess other = new WorkerProcess(options)) {
            new Streams(options, broker).measure(List.of(one, other));
        }
    }

    private void measure(List<WorkerProcess> servers) throws Exception {
        broker.createTopic(LOG, BrokerFixture.STAMPED_BY_BROKER);
        broker.createOutputs(ID);
        for (WorkerProcess server : servers) {
            edges.add(server.run(new StreamJobs.Serve(settings(edges.size()))));
        }
        add("streams", users);
        add("changes_per_second", CHANGES_PER_SECOND);
        long heapBefore = heap(servers);
        Figures plain = pass("", ALL, () -> {
            try {
                add("heap_bytes_per_stream", (heap(servers) - heapBefore) / users);
            } catch (IOException e) {
                throw new CompletionException(e);
            }
        });
        add("plain", plain);
        add("window_of_a_second", pass("&window=1000", ALL, () -> {}));
        Figures slow = pass("", 10, () -> {});
        add("a_tenth_does_not_read", slow);
        targets.add(Target.atMost(10_000, "all cut off and back, ms", (double) plain.cut_off_and_back_ms)
                .rounded(0));
        targets.add(Target.atMost(50, "GET, p99, ms", plain.get_p99_ms).rounded(0));
        targets.add(Target.atMost(0, "streams without a last state", plain.without_last_state + slow.without_last_state)
                .rounded(0));
        Progress.print("");
        Report.figures(options, Scenario.STREAMS.id(), figures, targets);
        if (plain.without_last_state + slow.without_last_state > 0) {
            throw new BenchmarkException("streams have not been told the last state");
        }
    }

    private Map<String, String> settings(int instance) {
        Map<String, String> settings = new HashMap<>(broker.settings(options, ID, LOG));
        settings.put("data.dir", broker.stateDirectory(ID + instance).toString());
        settings.put("http.port", "0");
        settings.put("http.max.streams", Integer.toString(users));
        settings.putAll(options.settings);
        return settings;
    }

    private static long heap(List<WorkerProcess> servers) throws IOException {
        long sum = 0;
        for (WorkerProcess server : servers) {
            sum += server.run(new StreamJobs.Heap());
        }
        return sum;
    }

    private void add(String name, Object figure) throws IOException {
        figures.put(name, figure);
        Progress.print("%-24s %s", name, Json.LINE.writeValueAsString(figure));
    }

    /** Clients come, look, are all thrown out and come again, and then changes flow. */
    private Figures pass(String query, int readOf, Runnable whenOpen) throws Exception {
        List<WorkerProcess> clients = new ArrayList<>();
        try {
            for (int i = 0; i < PROCESSES; i++) {
                WorkerProcess process = new WorkerProcess(options);
                clients.add(process);
                int each = users / PROCESSES;
                process.run(new StreamJobs.Connect(edges, users, i * each, each, WATCHED, readOf, query));
            }
            Progress.print("opening %,d streams%s", users, query);
            long opened = Collections.max(atOnce(clients, new StreamJobs.Open(OPEN_WITHIN_MS)));
            Thread.sleep(5_000); // the tail of what they told each other
            whenOpen.run();
            long back = Collections.max(atOnce(clients, new StreamJobs.Open(OPEN_WITHIN_MS)));
            Thread.sleep(5_000);
            boolean[] goesOn = {true};
            CompletableFuture<Void> changes = CompletableFuture.runAsync(() -> change(() -> goesOn[0]));
            CompletableFuture<long[]> gets = CompletableFuture.supplyAsync(() -> get(() -> goesOn[0]));
            Thread.sleep(5_000); // to warm up
            int[] byMs = sum(atOnce(clients, new StreamJobs.Measure(MEASURED_MS)));
            goesOn[0] = false;
            changes.join();
            double getP99 = Spread.percentile(gets.join(), 0.99) / 1e6;
            Thread.sleep(5_000);
            int[] lost = sum(atOnce(clients, new StreamJobs.Lost(sequences())));
            long count = IntStream.of(byMs).asLongStream().sum();
            return new Figures(
                    opened,
                    back,
                    count * 1_000.0 / MEASURED_MS,
                    percentile(byMs, count, 0.5),
                    percentile(byMs, count, 0.99),
                    getP99,
                    lost[0],
                    lost[1]);
        } finally {
            clients.forEach(WorkerProcess::close);
        }
    }

    private static <R> List<R> atOnce(List<WorkerProcess> processes, Job<R> job) {
        List<CompletableFuture<R>> all = processes.stream()
                .map(process -> CompletableFuture.supplyAsync(() -> {
                    try {
                        return process.run(job);
                    } catch (IOException e) {
                        throw new CompletionException(e);
                    }
                }))
                .toList();
        return all.stream().map(CompletableFuture::join).toList();
    }

    private static int[] sum(List<int[]> all) {
        int[] sum = new int[all.get(0).length];
        all.forEach(one -> IntStream.range(0, sum.length).forEach(i -> sum[i] += one[i]));
        return sum;
    }

    private static long percentile(int[] byMs, long count, double share) {
        long rank = (long) Math.ceil(share * count);
        long seen = 0;
        for (int ms = 0; ms < byMs.length; ms++) {
            seen += byMs[ms];
            if (seen >= rank) {
                return ms;
            }
        }
        return byMs.length;
    }

    /** The users in turn, who go idle and come back. */
    private void change(BooleanSupplier goesOn) {
        try (HeartbeatWriter writer = new HeartbeatWriter(broker.bootstrapServers(), LOG, 1)) {
            writer.inRealTime(TimeUnit.SECONDS.toNanos(1) / CHANGES_PER_SECOND, goesOn, i -> {
                PresenceState state = i / users % 2 == 0 ? PresenceState.IDLE : PresenceState.ONLINE;
                writer.deviceHeartbeat(
                        (int) (i % users), new Heartbeat("tab", state, false, OptionalLong.empty(), null), null);
            });
        }
    }

    /** Asks for somebody's presence, one after the other; returns how many ns each took. */
    private long[] get(BooleanSupplier goesOn) {
        List<Long> took = new ArrayList<>();
        HttpClient client = HttpClient.newHttpClient();
        for (int i = 0; goesOn.getAsBoolean(); i++) {
            URI url = edges.get(i % edges.size())
                    .resolve("/v2/users/@user%06d:example.org/presence".formatted(i % users));
            long begin = System.nanoTime();
            try {
                int status = client.send(HttpRequest.newBuilder(url).build(), HttpResponse.BodyHandlers.ofString())
                        .statusCode();
                if (status != 200) {
                    throw new BenchmarkException("GET " + url + " was answered with " + status);
                }
                took.add(System.nanoTime() - begin);
                Thread.sleep(20);
            } catch (IOException e) {
                throw new BenchmarkException("GET " + url + ": " + e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new BenchmarkException("interrupted");
            }
        }
        return took.stream().mapToLong(Long::longValue).toArray();
    }

    /** By user, the sequence of the last state that was emitted. */
    private List<Integer> sequences() {
        int[] sequences = new int[users];
        Topics contract = Topics.ofContract();
        String topic = BrokerFixture.presence(ID);
        broker.read(topic, record -> {
            String user = contract.presence()
                    .keys()
                    .deserializer()
                    .deserialize(topic, record.key())
                    .toString();
            sequences[LogPlan.user(user)] = (int) contract.presence()
                    .values()
                    .deserializer()
                    .deserialize(topic, record.value())
                    .sequence();
        });
        return IntStream.of(sequences).boxed().toList();
    }
}
