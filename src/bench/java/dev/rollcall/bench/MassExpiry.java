package dev.rollcall.bench;

import static java.util.Objects.requireNonNull;

import dev.rollcall.config.RollcallConfig;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A million devices fall silent at once, while others live on.
 *
 * <p>The log: within one second all users send a heartbeat; for 25 s only the living ones do. That is preloaded. From then on the writer
 * goes on in real time, with a heartbeat of a living device each millisecond and a clock tick each second, until after all leases
 * of the silent have ended, which is within the same second.
 */
final class MassExpiry {
    private static final int LIVING = 10_000;

    /** Where in the log's time real time begins. */
    private static final long LIVE_FROM_MS = 25_000;

    private static final long NANOS_PER_MS = TimeUnit.MILLISECONDS.toNanos(1);

    private MassExpiry() {}

    record Round(double expiries_per_second, double longest_pause_ms, double longest_pause_before_ms) {}

    /** Rollcall, or an earlier version of it, in a JVM of its own, and its measured rounds. */
    private record Entrant(Contestant contestant, WorkerProcess worker, List<Round> rounds) {
        static Entrant start(Contestant contestant, Options options) throws IOException {
            return new Entrant(contestant, WorkerProcess.of(contestant, options), new ArrayList<>());
        }

        Map<String, Spread> figures() {
            Map<String, Spread> figures = new LinkedHashMap<>();
            figures.put("expiries_per_second", Spread.of(rounds, Round::expiries_per_second));
            figures.put("longest_pause_ms", Spread.of(rounds, Round::longest_pause_ms));
            figures.put("longest_pause_before_ms", Spread.of(rounds, Round::longest_pause_before_ms));
            return figures;
        }
    }

    static void scenario(Options options) throws IOException {
        int silent = options.users(1_000_000);
        List<Entrant> entrants = new ArrayList<>();
        try (BrokerFixture broker = new BrokerFixture(options.workDirectory())) {
            for (Contestant contestant : options.contestants(Contestant.ROLLCALL)) {
                entrants.add(Entrant.start(contestant, options));
            }
            for (int number = 0; number <= options.rounds; number++) {
                for (int turn = 0; turn < entrants.size(); turn++) {
                    play(options, broker, entrants.get((number + turn) % entrants.size()), number, silent);
                }
            }
        } finally {
            entrants.forEach(entrant -> entrant.worker.close());
        }
        report(options, entrants, silent);
    }

    /** Plays a round; the first one warms up. */
    private static void play(Options options, BrokerFixture broker, Entrant entrant, int number, int silent)
            throws IOException {
        String id = "mass-expiry-%s-%d".formatted(entrant.contestant.id(), number);
        Round round = round(options, broker, entrant.worker, id, silent);
        Progress.print(
                "%-12s %-12s %,12.0f expiries/s, longest pause of the living %.0f ms (before it: %.0f ms)",
                number == 0 ? "warm-up" : "round %d/%d".formatted(number, options.rounds),
                entrant.contestant.id(),
                round.expiries_per_second,
                round.longest_pause_ms,
                round.longest_pause_before_ms);
        if (number > 0) {
            entrant.rounds.add(round);
        }
    }

    private static void report(Options options, List<Entrant> entrants, int silent) throws IOException {
        Map<String, Object> figures = new LinkedHashMap<>();
        figures.put("silent_devices", silent);
        Map<String, Spread> ours = entrants.get(0).figures();
        figures.putAll(ours);
        entrants.stream().skip(1).forEach(other -> figures.put(other.contestant.id(), other.figures()));
        Progress.print("");
        Report.figures(
                options,
                Scenario.MASS_EXPIRY.id(),
                figures,
                List.of(
                        Target.atLeast(
                                        300_000,
                                        "expiries per second",
                                        requireNonNull(ours.get("expiries_per_second"))
                                                .median())
                                .rounded(0),
                        Target.atMost(
                                        150,
                                        "longest pause of the living, ms",
                                        requireNonNull(ours.get("longest_pause_ms"))
                                                .median())
                                .rounded(0)));
    }

    private static Round round(Options options, BrokerFixture broker, WorkerProcess worker, String id, int silent)
            throws IOException {
        long start = LogPlan.startOfLog();
        String log = id + "-log";
        broker.createLog(log);
        broker.createOutputs(id);
        try (HeartbeatWriter writer = new HeartbeatWriter(broker.bootstrapServers(), log, 0)) {
            long preloaded = preload(writer, start, silent);
            Watch watch = new Watch(
                    broker.settingsOfPlannedLog(options, id, log),
                    preloaded,
                    silent,
                    LIVING,
                    // The clock stands behind all that is written live.
                    start + Duration.ofHours(1).toMillis());
            CompletableFuture<Round> watching = CompletableFuture.supplyAsync(() -> run(worker, watch));
            broker.awaitRecords(
                    BrokerFixture.presence(id), silent + LIVING, Duration.ofMinutes(5), () -> !watching.isDone());
            live(writer, start, watching);
            Round round = watching.join();
            broker.awaitRecords(BrokerFixture.presence(id), 2L * silent + LIVING, Duration.ofMinutes(1), () -> true);
            check(broker.digest(BrokerFixture.presence(id)).figures(), silent);
            return round;
        } catch (CompletionException e) {
            throw new BenchmarkException(String.valueOf(e.getCause()));
        } finally {
            broker.deleteTopics(id);
        }
    }

    private static Round run(WorkerProcess worker, Watch watch) {
        try {
            return worker.run(watch);
        } catch (IOException e) {
            throw new CompletionException(e);
        }
    }

    private static void check(OutputDigest.Figures emitted, int silent) {
        if (emitted.transitions() != 2L * silent + LIVING || emitted.live() != LIVING) {
            throw new BenchmarkException("not what follows from the log: " + emitted);
        }
    }

    /** The living are the first users, the silent those after them. Returns how many records were written. */
    private static long preload(HeartbeatWriter writer, long start, int silent) {
        long records = 0;
        for (int user = 0; user < LIVING + silent; user++, records++) {
            writer.heartbeat(user, null, start + user * 1_000L / (LIVING + silent));
        }
        for (long time = LogPlan.TICK_MS; time <= LIVE_FROM_MS; time++) {
            writer.heartbeat(living(time), null, start + time);
            records++;
            if (time % LogPlan.TICK_MS == 0) {
                writer.tick(start + time);
                records += BrokerFixture.PARTITIONS;
            }
        }
        writer.flush();
        return records;
    }

    /** A heartbeat each ms, a clock tick each second, until the watcher has seen enough. */
    private static void live(HeartbeatWriter writer, long start, CompletableFuture<Round> watching) {
        writer.inRealTime(NANOS_PER_MS, () -> !watching.isDone(), number -> {
            long time = LIVE_FROM_MS + 1 + number;
            writer.heartbeat(living(time), null, start + time);
            if (time % LogPlan.TICK_MS == 0) {
                writer.tick(start + time);
            }
        });
    }

    /** Each of the living has a turn every ten seconds. */
    private static int living(long time) {
        return (int) (time % LIVING);
    }

    /**
     * Runs Rollcall, and looks every half a millisecond at what it has done.
     *
     * @param preloaded how many records there are before real time begins
     */
    record Watch(Map<String, String> settings, long preloaded, int silent, int living, long clock)
            implements Job<Round> {
        private static final long LOOK_EVERY_NANOS = TimeUnit.MICROSECONDS.toNanos(500);
        private static final long TIMEOUT_NANOS = TimeUnit.MINUTES.toNanos(10);

        @Override
        public Class<Round> resultType() {
            return Round.class;
        }

        @Override
        public Round run() {
            RollcallConfig config = RollcallConfig.of(settings);
            try (StreamsRun run = new StreamsRun(Contestant.ROLLCALL, config, clock)) {
                return watch(run);
            } finally {
                BrokerFixture.deleteTree(config.dataDir());
            }
        }

        private Round watch(StreamsRun run) {
            long giveUpAt = System.nanoTime() + TIMEOUT_NANOS;
            long online = (long) silent + living;
            // Real time begins when the first records beyond the preloaded ones come in, less the program's own pulses.
            Pauses before = new Pauses();
            Pauses during = new Pauses();
            long begin = 0;
            while (true) {
                long now = System.nanoTime();
                long processed = run.processed();
                long emitted = run.emitted();
                if (processed > preloaded + living / 10 && emitted == online) {
                    before.look(now, processed);
                } else if (emitted > online && emitted < online + silent) {
                    begin = begin == 0 ? now : begin;
                    during.look(now, processed);
                } else if (emitted >= online + silent) {
                    return new Round(silent * 1e9 / (now - begin), during.longestMs(), before.longestMs());
                }
                run.check();
                if (now > giveUpAt) {
                    throw new BenchmarkException("only %d of %d were emitted".formatted(emitted, online + silent));
                }
                LockSupport.parkNanos(LOOK_EVERY_NANOS);
            }
        }
    }

    /** The longest time in which no record was processed, while there always was one. */
    private static final class Pauses {
        private long lastProcessed;
        private long since;
        private long longest;

        private void look(long now, long processed) {
            if (processed != lastProcessed) {
                lastProcessed = processed;
                since = now;
            }
            longest = Math.max(longest, now - since);
        }

        private double longestMs() {
            return longest / 1e6;
        }
    }
}
