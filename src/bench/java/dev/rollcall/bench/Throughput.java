package dev.rollcall.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * Contestants on the same preloaded log, round by round: a warm-up round of each, then rounds in which each has its turn,
 * beginning with another one each time.
 */
final class Throughput implements AutoCloseable {
    /** A round is not shortened below this many heartbeats. */
    private static final long SHORT = 1_000_000;

    /** After so many records, the compiler has compiled what it is going to compile. */
    private static final long WARM = 3_000_000;

    private final Options options;
    private final BrokerFixture broker;
    private final LogPlan plan;
    private final String log;
    private final Map<Integer, Long> arrived;
    private final Map<Integer, Long> ends;
    private final OutputDigest.Figures expected;
    private final List<Entrant> entrants = new ArrayList<>();
    private int rounds;
    private int plays;

    /** The figures of one contestant: the names are those of the results' JSON. */
    record Figures(
            double records_per_second,
            double records_per_second_min,
            double records_per_second_max,
            double thread_cpu_ns_per_record,
            double process_cpu_ns_per_record,
            double changelog_records_per_heartbeat,
            double changelog_bytes_per_heartbeat) {}

    /** Preloads the log, as many users and measured heartbeats as are given. */
    Throughput(Options options, BrokerFixture broker, LogPlan.Kind kind, int users, long measured) {
        this.options = options;
        this.broker = broker;
        plan = new LogPlan(kind, users, measured, LogPlan.startOfLog());
        log = "heartbeats-%s-%d".formatted(kind.name().toLowerCase(Locale.ROOT), users);
        Progress.print(
                "preloading %,d heartbeats of %,d users, %,d s of log time", users + measured, users, plan.seconds());
        arrived = broker.preload(plan, log);
        ends = broker.ends(log);
        expected = plan.expectedOutput().figures();
    }

    /** Starts a JVM for each contestant, and has each read a part of what is measured, unmeasured. */
    void warmUp(List<Contestant> contestants) throws IOException {
        for (Contestant contestant : contestants) {
            entrants.add(new Entrant(contestant, WorkerProcess.of(contestant, options)));
        }
        for (Entrant entrant : entrants) {
            report("warm-up", entrant, play(entrant, Math.min(Math.max(measured(entrant) / 2, 1), WARM), false, null));
        }
    }

    /** The next measured round: each contestant has its turn. */
    void round() throws IOException {
        rounds++;
        for (int turn = 0; turn < entrants.size(); turn++) {
            Entrant entrant = entrants.get((rounds + turn) % entrants.size());
            boolean last = rounds == options.rounds;
            ThroughputRound.Result result =
                    play(entrant, measured(entrant), last, recording(entrant.contestant, rounds));
            entrant.results.add(result);
            report("round %d/%d".formatted(rounds, options.rounds), entrant, result);
        }
    }

    /** In how many heartbeats a round of it is measured. */
    private long measured(Entrant entrant) {
        return plan.measured() < SHORT ? plan.measured() : plan.measured() / entrant.contestant.shorterBy();
    }

    private static void report(String when, Entrant entrant, ThroughputRound.Result result) {
        Progress.print(
                "%-12s %-12s %,12.0f records/s, its work checked",
                when, entrant.contestant.id(), result.recordsPerSecond());
    }

    Map<String, Figures> figures() {
        Map<String, Figures> figures = new LinkedHashMap<>();
        for (Entrant entrant : entrants) {
            Spread rates = entrant.spread(ThroughputRound.Result::recordsPerSecond);
            figures.put(
                    entrant.contestant.id(),
                    new Figures(
                            rates.median(),
                            rates.min(),
                            rates.max(),
                            entrant.spread(ThroughputRound.Result::threadCpuPerRecord)
                                    .median(),
                            entrant.spread(ThroughputRound.Result::processCpuPerRecord)
                                    .median(),
                            entrant.changelog.records() / (double) entrant.heartbeats,
                            entrant.changelog.bytes() / (double) entrant.heartbeats));
        }
        return figures;
    }

    @Override
    public void close() {
        entrants.forEach(entrant -> entrant.worker.close());
        broker.deleteTopics(log);
    }

    private ThroughputRound.Result play(
            Entrant entrant, long measured, boolean measureChangelog, @Nullable String recording) throws IOException {
        Contestant contestant = entrant.contestant;
        String id = "%s-%d-%s".formatted(log, plays++, contestant.id());
        broker.createOutputs(id);
        boolean whole = measured == plan.measured();
        long ticks = plan.seconds() * BrokerFixture.PARTITIONS;
        long ticksAtArrival = LogPlan.PERIOD_MS / LogPlan.TICK_MS * BrokerFixture.PARTITIONS;
        long from = plan.users() + ticksAtArrival;
        long to = whole
                ? plan.users() + plan.measured() + ticks
                : from + measured + (ticks - ticksAtArrival) * measured / plan.measured();
        Contestant played = contestant == Contestant.BEFORE ? Contestant.ROLLCALL : contestant;
        ThroughputRound.Result result = entrant.worker.run(new ThroughputRound(
                played.id(),
                broker.settingsOfPlannedLog(options, id, log),
                from,
                to,
                whole ? ends : arrived,
                plan.end(),
                recording));
        check(contestant, whole, id, result);
        if (measureChangelog) {
            entrant.changelog = broker.changelogs(id, plan.arrivedAt());
            entrant.heartbeats = whole
                    ? plan.measured()
                    : (result.processed() - from) * plan.measured() / (plan.measured() + ticks - ticksAtArrival);
        }
        broker.deleteTopics(id);
        return result;
    }

    /** Who has not done the work has no figures. */
    private void check(Contestant contestant, boolean whole, String id, ThroughputRound.Result result) {
        String presence = BrokerFixture.presence(id);
        require(broker.count(BrokerFixture.deadLetters(id)) == 0, contestant + " wrote dead letters");
        if (contestant == Contestant.NOOP) {
            require(broker.count(presence) == 0, contestant + " emitted something");
        } else if (Contestant.FORWARDERS.contains(contestant)) {
            long emitted = broker.count(presence);
            require(!whole || emitted >= plan.measured() / 2, contestant + " emitted only " + emitted + " things");
        } else {
            OutputDigest.Figures emitted =
                    result.digest() == null ? broker.digest(presence).figures() : result.digest();
            boolean comparable = whole || plan.isSteadyAfterArrival();
            require(
                    !comparable || emitted.equals(expected),
                    "%s did not emit what follows from the log: %s instead of %s"
                            .formatted(contestant, emitted, expected));
        }
    }

    private static void require(boolean condition, String otherwise) {
        if (!condition) {
            throw new BenchmarkException(otherwise);
        }
    }

    private @Nullable String recording(Contestant contestant, int round) {
        boolean isRollcall = contestant == Contestant.ROLLCALL || contestant == Contestant.BEFORE;
        if (options.recording == null || !isRollcall) {
            return null;
        }
        Path file = options.recording.toAbsolutePath();
        String name = file.getFileName().toString();
        int dot = name.lastIndexOf('.') < 0 ? name.length() : name.lastIndexOf('.');
        return file.resolveSibling(name.substring(0, dot) + "-" + contestant.id() + "-" + round + name.substring(dot))
                .toString();
    }

    /** A contestant, its JVM, and what came of its measured rounds. */
    private static final class Entrant {
        private final Contestant contestant;
        private final WorkerProcess worker;
        private final List<ThroughputRound.Result> results = new ArrayList<>();
        private BrokerFixture.Changelog changelog = new BrokerFixture.Changelog(0, 0);

        /** How many heartbeats, after the arrivals, that is the changelog of. */
        private long heartbeats = 1;

        private Entrant(Contestant contestant, WorkerProcess worker) {
            this.contestant = contestant;
            this.worker = worker;
        }

        private Spread spread(ToDoubleFunction<ThroughputRound.Result> figure) {
            return Spread.of(results, figure);
        }
    }
}
