package dev.rollcall.bench;

import dev.rollcall.domain.PresenceState;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.LongStream;

/**
 * How long it takes from a heartbeat's append to the presence that a reader of committed data has, at ten thousand
 * heartbeats a second of which one in a hundred changes something; beside a topology that sends every hundredth on.
 *
 * <p>Both run at the same time and read the same log, so that what else this machine does befalls both.
 */
final class Latency {
    private static final int USERS = 100_000;
    private static final int BEATS_PER_MS = 10;
    private static final int TRANSITION_EVERY = 100;

    /** Everybody's arrival, and some time to warm up. */
    private static final long UNMEASURED_MS = 30_000;

    private static final long ROUND_MS = 20_000;
    private static final long NANOS_PER_MS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final String LOG = "latency-log";

    private Latency() {}

    /** In ms. */
    record Figures(int transitions, double p50_ms, double p99_ms, double p999_ms, double max_ms) {
        private static Figures of(long[] latencies) {
            if (latencies.length == 0) {
                throw new BenchmarkException(
                        "nothing of the measured time had arrived by its end: more rounds are needed");
            }
            return new Figures(
                    latencies.length,
                    Spread.percentile(latencies, 0.5),
                    Spread.percentile(latencies, 0.99),
                    Spread.percentile(latencies, 0.999),
                    Spread.percentile(latencies, 1));
        }
    }

    static void scenario(Options options) throws IOException {
        long ms = UNMEASURED_MS + options.rounds * ROUND_MS;
        try (BrokerFixture broker = new BrokerFixture(options.workDirectory());
                WorkerProcess one = new WorkerProcess(options);
                WorkerProcess other = new WorkerProcess(options);
                HeartbeatWriter writer = new HeartbeatWriter(broker.bootstrapServers(), LOG, 1)) {
            broker.createTopic(LOG, BrokerFixture.STAMPED_BY_BROKER);
            Progress.print("%,d heartbeats/s for %d s", BEATS_PER_MS * 1_000, ms / 1_000);
            long begin = System.currentTimeMillis();
            CompletableFuture<?> rollcall = start(options, broker, one, Contestant.ROLLCALL, ms);
            CompletableFuture<?> passThrough = start(options, broker, other, Contestant.EVERY_HUNDREDTH, ms);
            BooleanSupplier goesOn = () -> !rollcall.isDone() && !passThrough.isDone();
            CompletableFuture<long[]> ofRollcall = read(broker, Contestant.ROLLCALL, begin + UNMEASURED_MS, goesOn);
            CompletableFuture<long[]> ofPassThrough =
                    read(broker, Contestant.EVERY_HUNDREDTH, begin + UNMEASURED_MS, goesOn);
            write(writer, goesOn);
            rollcall.join();
            passThrough.join();
            report(options, Figures.of(ofRollcall.join()), Figures.of(ofPassThrough.join()));
        } catch (CompletionException e) {
            throw new BenchmarkException(String.valueOf(e.getCause()));
        }
    }

    private static void report(Options options, Figures rollcall, Figures passThrough) throws IOException {
        long expected = options.rounds * ROUND_MS * BEATS_PER_MS / TRANSITION_EVERY;
        if (rollcall.transitions < expected * 9 / 10) { // the ends of the measured time are not sharp
            throw new BenchmarkException(
                    "only %d of about %d transitions were emitted".formatted(rollcall.transitions, expected));
        }
        Map<String, Object> figures = new LinkedHashMap<>();
        figures.put(Contestant.ROLLCALL.id(), rollcall);
        figures.put("pass-through", passThrough);
        double ratio = rollcall.p99_ms / passThrough.p99_ms;
        figures.put("ratios", Map.of("p99", ratio));
        Progress.print("\n" + Json.PRETTY.writeValueAsString(figures));
        Report.figures(
                options,
                Scenario.LATENCY.id(),
                figures,
                List.of(Target.atMost(1.5, "p99 / p99 of pass-through", ratio)));
    }

    private static CompletableFuture<Live.Result> start(
            Options options, BrokerFixture broker, WorkerProcess worker, Contestant contestant, long ms) {
        String id = id(contestant);
        broker.createOutputs(id);
        Live live = new Live(contestant.id(), broker.settings(options, id, LOG), System.currentTimeMillis(), ms, null);
        return CompletableFuture.supplyAsync(() -> {
            try {
                return worker.run(live);
            } catch (IOException e) {
                throw new CompletionException(e);
            }
        });
    }

    /** From append to arrival here, in ms, of what was appended from that instant on. */
    private static CompletableFuture<long[]> read(
            BrokerFixture broker, Contestant contestant, long from, BooleanSupplier goesOn) {
        return CompletableFuture.supplyAsync(() -> {
            LongStream.Builder latencies = LongStream.builder();
            broker.follow(BrokerFixture.presence(id(contestant)), goesOn, record -> {
                if (record.timestamp() >= from) {
                    latencies.add(System.currentTimeMillis() - record.timestamp());
                }
            });
            return latencies.build().toArray();
        });
    }

    /** The users in turn; in each turn, another hundredth of them becomes idle. */
    private static void write(HeartbeatWriter writer, BooleanSupplier goesOn) {
        writer.inRealTime(NANOS_PER_MS, goesOn, ms -> {
            for (long beat = ms * BEATS_PER_MS; beat < (ms + 1) * BEATS_PER_MS; beat++) {
                int user = (int) (beat % USERS);
                long turn = beat / USERS;
                boolean changes = turn > 0 && user % TRANSITION_EVERY == turn % TRANSITION_EVERY;
                writer.heartbeat(user, changes ? PresenceState.IDLE : null, null);
            }
        });
    }

    private static String id(Contestant contestant) {
        return "latency-" + contestant.id();
    }
}
