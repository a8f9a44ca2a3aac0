package dev.rollcall.simulation;

import dev.rollcall.simulation.plan.Plan;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What came of a run.
 *
 * @param simulatedMs up to the end or to the first thing that was wrong
 */
record Outcome(
        Plan plan,
        long digest,
        Witness.Counts counts,
        long events,
        long simulatedMs,
        long realNanos,
        List<Judged.Finding> findings) {

    boolean isRight() {
        return findings.isEmpty();
    }

    /** The kind of the first thing that was wrong. */
    @Nullable
    String kind() {
        return findings.isEmpty() ? null : findings.get(0).kind();
    }

    @Override
    public String toString() {
        double days = simulatedMs / 86_400_000.0;
        double seconds = realNanos / 1e9;
        return "%.2f days in %.1f s (%.2f years per minute), digest %016x, %d handled, %d published, %d refused, %d sent on, %d commits, %d aborts, %d take-overs"
                .formatted(
                        days,
                        seconds,
                        days / 365 / (seconds / 60),
                        digest,
                        counts.handled(),
                        counts.published(),
                        counts.refused(),
                        counts.rerouted(),
                        counts.commits(),
                        counts.aborts(),
                        counts.takeOvers());
    }
}
