package dev.rollcall.simulation;

import dev.rollcall.simulation.plan.Plan;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;

/** Makes a plan that fails shorter as long as it fails in the same way: delta debugging (Zeller and Hildebrandt 2002). */
final class Shrinker {
    private static final int MAX_RUNS = 150;

    private final Run run;
    private final String kind;
    private final long deadline;
    private int runs;
    private Outcome best;

    private Shrinker(Run run, Outcome failed, String kind, long deadline) {
        this.run = run;
        this.best = failed;
        this.kind = kind;
        this.deadline = deadline;
    }

    /** The shortest that was found within this time. */
    static Outcome shrink(Run run, Outcome failed, String kind, long nanos) {
        Shrinker shrinker = new Shrinker(run, failed, kind, System.nanoTime() + nanos);
        shrinker.shrink();
        return shrinker.best;
    }

    private void shrink() {
        cut();
        for (int round = 0; round < 3; round++) {
            int before = size();
            reduce(best.plan().faults(), Plan::withFaults);
            reduce(best.plan().users(), Plan::withUsers);
            cut();
            if (size() == before) {
                return;
            }
        }
    }

    private int size() {
        return best.plan().users().size() + best.plan().faults().size();
    }

    private void cut() {
        long shorter = best.simulatedMs() * 101 / 100 + 1_000;
        if (shorter < best.plan().durationMs()) {
            tryThis(best.plan().withDuration(shorter));
        }
    }

    private boolean tryThis(Plan plan) {
        if (runs++ >= MAX_RUNS || System.nanoTime() > deadline) {
            return false;
        }
        Outcome outcome = run.play(plan, (elapsedMs, counts) -> {});
        boolean failsAlike = kind.equals(outcome.kind());
        if (failsAlike) {
            best = outcome;
        }
        return failsAlike;
    }

    /** Leaves out parts, at first half, then ever smaller ones. */
    private <T> void reduce(List<T> all, BiFunction<Plan, List<T>, Plan> with) {
        List<T> kept = all;
        for (int part = Math.max(1, kept.size() / 2); part > 0 && !kept.isEmpty(); part /= 2) {
            for (int from = 0; from < kept.size(); ) {
                List<T> fewer = new ArrayList<>(kept.subList(0, from));
                fewer.addAll(kept.subList(Math.min(kept.size(), from + part), kept.size()));
                if (runs >= MAX_RUNS || System.nanoTime() > deadline) {
                    return;
                }
                if (tryThis(with.apply(best.plan(), List.copyOf(fewer)))) {
                    kept = fewer;
                } else {
                    from += part;
                }
            }
        }
    }
}
