package dev.rollcall.simulation;

import dev.rollcall.simulation.judge.History;
import dev.rollcall.simulation.kafka.Transactions;
import dev.rollcall.simulation.plan.Fault;
import dev.rollcall.simulation.plan.Plan;
import dev.rollcall.simulation.time.Chance;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Function;

/** Plays a plan up to its end, or to the first thing that is wrong. */
final class Run {
    /**
     * How the world differs from the usual one.
     *
     * @param mostRecords after so many were handled the plan counts as over
     */
    record Options(Transactions.Promises promises, long limitNanos, long mostRecords) {}

    /** Who hears of progress. */
    interface Progress {
        void at(long elapsedMs, Witness.Counts counts);
    }

    private final Function<Plan, Judged> judges;
    private final Options options;

    Run(Function<Plan, Judged> judges, Options options) {
        this.judges = judges;
        this.options = options;
    }

    Outcome play(Plan plan, Progress progress) {
        return play(plan, progress, history -> history, (at, fault) -> {});
    }

    /** @param listener puts somebody who listens in front of the judge */
    Outcome play(Plan plan, Progress progress, Function<History, History> listener, BiConsumer<Long, Fault> faults) {
        Judged judge = judges.apply(plan);
        Witness witness = new Witness(listener.apply(judge));
        Readers readers = new Readers(Chance.of(plan.seed(), "readers", 0), plan.partitions());
        World world = new World(plan, witness, readers, options.promises, faults);
        long began = System.nanoTime();
        long[] elapsed = {0};
        boolean[] isCut = {false};
        world.run(
                elapsedMs -> {
                    elapsed[0] = elapsedMs;
                    progress.at(elapsedMs, witness.counts());
                    isCut[0] = System.nanoTime() - began > options.limitNanos;
                    return !isCut[0] && isRightSoFar(judge, world);
                },
                () -> !isCut[0]
                        && isRightSoFar(judge, world)
                        && witness.counts().handled() >= options.mostRecords,
                readers::shows);
        List<Judged.Finding> findings = new ArrayList<>();
        world.deployment().failures().forEach(what -> findings.add(new Judged.Finding("PROCESSOR", -1, null, what)));
        findings.addAll(judge.findings());
        world.misshown().forEach(one -> findings.add(new Judged.Finding("CLIENT", -1, one.user(), one.what())));
        if (findings.isEmpty() && !isCut[0]) {
            readers.differences(witness.committed())
                    .forEach(what -> findings.add(new Judged.Finding("READER", -1, null, what)));
        }
        return new Outcome(
                plan,
                witness.digest(),
                witness.counts(),
                world.time().count(),
                elapsed[0],
                System.nanoTime() - began,
                List.copyOf(findings));
    }

    private static boolean isRightSoFar(Judged judge, World world) {
        return judge.findings().isEmpty() && world.deployment().failures().isEmpty();
    }
}
