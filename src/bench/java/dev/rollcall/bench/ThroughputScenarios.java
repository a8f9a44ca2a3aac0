package dev.rollcall.bench;

import dev.rollcall.bench.LogPlan.Kind;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The scenarios in which a preloaded log is read as fast as can be. */
final class ThroughputScenarios {
    private static final int USERS = 200_000;

    /** Five minutes of all users: so long that every user has been stored again once. */
    private static final long RECORDS = 30L * USERS;

    private static final int FEW = 10_000;
    private static final int MANY = 1_000_000;
    private static final long SCALE_RECORDS = 30L * MANY;

    private ThroughputScenarios() {}

    /** Every user sends heartbeats, and no state changes. */
    static void steady(Options options) throws IOException {
        List<Contestant> contestants = options.contestants(
                Contestant.NOOP,
                Contestant.CONSUMER,
                Contestant.TEXTBOOK,
                Contestant.INDEXED,
                Contestant.FLINK_HEAP,
                Contestant.FLINK_ROCKSDB,
                Contestant.FLINK_HEAP_DISCARD,
                Contestant.REDIS,
                Contestant.ROLLCALL);
        Map<String, Throughput.Figures> figures = run(options, Kind.STEADY, contestants);
        Ratios ratios = Ratios.ofRollcall(figures);
        List<Target> targets = targets(ratios, Map.of("noop", 0.8, "consumer", 0.6, "textbook", 6.0, "indexed", 4.0));
        Throughput.Figures rollcall = figures.get(Contestant.ROLLCALL.id());
        if (rollcall != null) {
            targets.add(
                    Target.atMost(0.05, "changelog records per heartbeat", rollcall.changelog_records_per_heartbeat())
                            .rounded(4));
        }
        Report.throughput(options, Scenario.STEADY, conditions(options, "no state changes"), figures, ratios, targets);
    }

    /** Half of all records are transitions. */
    static void churn(Options options) throws IOException {
        List<Contestant> contestants = options.contestants(
                Contestant.NOOP,
                Contestant.EVERY_SECOND,
                Contestant.EVERY_SECOND_TUNED,
                Contestant.FLINK_HEAP,
                Contestant.FLINK_ROCKSDB,
                Contestant.FLINK_HEAP_DISCARD,
                Contestant.REDIS,
                Contestant.ROLLCALL);
        Map<String, Throughput.Figures> figures = run(options, Kind.CHURN, contestants);
        Ratios ratios = Ratios.ofRollcall(figures);
        List<Target> targets =
                targets(ratios, Map.of("every-second-tuned", 0.5, "flink-heap", 1.5, "flink-rocksdb", 3.0));
        Report.throughput(
                options, Scenario.CHURN, conditions(options, "half are transitions"), figures, ratios, targets);
    }

    /** As {@link #steady}, with few users and with many, in turn, the same number of records. */
    static void scale(Options options) throws IOException {
        int many = options.users(MANY);
        int few = Math.max(1, many / (MANY / FEW));
        long records = options.records(SCALE_RECORDS);
        List<Contestant> contestants = List.of(Contestant.ROLLCALL);
        try (BrokerFixture broker = new BrokerFixture(options.workDirectory());
                Throughput withFew = new Throughput(options, broker, Kind.STEADY, few, records);
                Throughput withMany = new Throughput(options, broker, Kind.STEADY, many, records)) {
            withFew.warmUp(contestants);
            withMany.warmUp(contestants);
            for (int round = 0; round < options.rounds; round++) {
                withFew.round();
                withMany.round();
            }
            Map<String, Throughput.Figures> figures = new LinkedHashMap<>();
            withFew.figures().forEach((contestant, one) -> figures.put(contestant + "-" + few, one));
            withMany.figures().forEach((contestant, one) -> figures.put(contestant + "-" + many, one));
            String one = "rollcall-" + many;
            String other = "rollcall-" + few;
            Ratios ratios = new Ratios();
            ratios.add(figures, one, other);
            String name = one + "/" + other;
            List<Target> targets =
                    List.of(Target.atLeast(0.75, name, ratios.ofRates().getOrDefault(name, Double.NaN)));
            Report.throughput(
                    options,
                    Scenario.SCALE,
                    String.format(Locale.ROOT, "%,d heartbeats, %d rounds", records, options.rounds),
                    figures,
                    ratios,
                    targets);
        }
    }

    private static String conditions(Options options, String what) {
        return String.format(
                Locale.ROOT,
                "%s · %,d users, %,d heartbeats, %d rounds",
                what,
                options.users(USERS),
                options.records(RECORDS),
                options.rounds);
    }

    /** What Rollcall's rate has to be at least, in rates of others, of those that ran. */
    private static List<Target> targets(Ratios ratios, Map<String, Double> bounds) {
        List<Target> targets = new ArrayList<>();
        bounds.forEach((other, bound) -> {
            Double ratio = ratios.ofRates().get("rollcall/" + other);
            if (ratio != null) {
                targets.add(Target.atLeast(bound, "rollcall/" + other, ratio));
            }
        });
        return targets;
    }

    private static Map<String, Throughput.Figures> run(Options options, Kind kind, List<Contestant> contestants)
            throws IOException {
        try (BrokerFixture broker = new BrokerFixture(options.workDirectory());
                Throughput throughput =
                        new Throughput(options, broker, kind, options.users(USERS), options.records(RECORDS))) {
            throughput.warmUp(contestants);
            for (int round = 0; round < options.rounds; round++) {
                throughput.round();
            }
            return throughput.figures();
        }
    }
}
