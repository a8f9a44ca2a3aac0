package dev.rollcall.simulation;

import dev.rollcall.simulation.judge.History;
import dev.rollcall.simulation.kafka.Transactions;
import dev.rollcall.simulation.plan.Plan;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;

/** Plays seeds, one after the other, until there are enough or one is wrong; called from outside of a {@link Build}. */
final class Player {
    private static final long PROGRESS_NANOS = 5_000_000_000L;
    private static final double SHRINK_SECONDS = 60;
    private static final int STORY_LINES = 60;

    private final Map<String, String> options;
    private final PrintStream out;
    private final Run run;
    private final List<Outcome> outcomes = new ArrayList<>();

    private Player(Map<String, String> options, PrintStream out) {
        this.options = options;
        this.out = out;
        String variant = options.getOrDefault("variant", "");
        Transactions.Promises promises =
                new Transactions.Promises(!variant.equals("at-least-once"), !variant.equals("old-transactions"));
        List<String> ignored =
                options.containsKey("ignore") ? List.of(options.get("ignore").split(";", -1)) : List.of();
        run = new Run(plan -> Judges.judge(plan, ignored), new Run.Options(promises, Long.MAX_VALUE, (long)
                number("records", Long.MAX_VALUE)));
    }

    /**
     * Plays.
     *
     * @return whether something was wrong, how many seeds were played, ms simulated, ns taken, the report as text, as JSON
     */
    static Object[] play(Map<String, String> options, PrintStream out) {
        return new Player(options, out).playAll();
    }

    private double number(String option, double otherwise) {
        String value = options.get(option);
        return value == null ? otherwise : Double.parseDouble(value);
    }

    private Object[] playAll() {
        long first = Long.parseLong(options.getOrDefault("seed", "1"));
        Plan.Wishes wishes = new Plan.Wishes(number("years", 0), (int) number("users", 0), (int) number("faults", -1));
        boolean isOpenEnded = options.containsKey("minutes") || options.containsKey("total-years");
        long seeds = (long) number("seeds", isOpenEnded ? (double) Long.MAX_VALUE : 1);
        long deadline = (long) (number("minutes", 1e9) * 60e9);
        double mostYears = number("total-years", Double.MAX_VALUE);
        boolean goesOn = options.containsKey("keep-going");
        long simulatedMs = 0;
        long began = System.nanoTime();
        int wrong = 0;
        int played = 0;
        while (played < seeds
                && System.nanoTime() - began < deadline
                && simulatedMs < mostYears * 365 * 86_400_000.0
                && (wrong == 0 || goesOn)) {
            Plan plan = Plan.draw(first + played, wishes);
            Outcome outcome = playOne(plan);
            played++;
            simulatedMs += outcome.simulatedMs();
            outcomes.add(outcome);
            if (!outcome.isRight()) {
                wrong++;
                if (!options.containsKey("no-story")) {
                    tell(outcome);
                }
            }
        }
        long nanos = System.nanoTime() - began;
        String text = "%d seeds from %d, %.3f years in %.1f s (%.2f years per minute), %d wrong%n"
                .formatted(
                        played,
                        first,
                        simulatedMs / 365.0 / 86_400_000,
                        nanos / 1e9,
                        simulatedMs / 365.0 / 86_400_000 / (nanos / 60e9),
                        wrong);
        out.print(text);
        return new Object[] {wrong > 0, played, simulatedMs, nanos, text, Report.json(outcomes)};
    }

    private Outcome playOne(Plan plan) {
        out.printf("seed %d: %s%n", plan.seed(), plan);
        long[] next = {System.nanoTime() + PROGRESS_NANOS};
        long began = System.nanoTime();
        Outcome outcome = run.play(plan, (elapsedMs, counts) -> {
            if (System.nanoTime() > next[0]) {
                next[0] += PROGRESS_NANOS;
                out.printf(
                        "  %.2f of %.2f days after %d s, %d records handled%n",
                        elapsedMs / 86_400_000.0,
                        plan.durationMs() / 86_400_000.0,
                        (System.nanoTime() - began) / 1_000_000_000L,
                        counts.handled());
                out.flush();
            }
        });
        out.printf(
                "  %s%s%n",
                outcome,
                outcome.isRight() ? "" : "; WRONG: " + outcome.findings().get(0));
        out.flush();
        return outcome;
    }

    /** Shrinks what is wrong, and tells it as a story. */
    private void tell(Outcome outcome) {
        Judged.Finding first = outcome.findings().get(0);
        Outcome shrunk =
                Shrinker.shrink(run, outcome, first.kind(), (long) (number("shrink-seconds", SHRINK_SECONDS) * 1e9));
        Story[] story = new Story[1];
        Function<History, History> listener = judge -> {
            story[0] = new Story(judge, World.START_MS);
            return story[0];
        };
        Outcome again =
                run.play(shrunk.plan(), (elapsedMs, counts) -> {}, listener, (at, fault) -> story[0].fault(at, fault));
        out.printf(
                Locale.ROOT,
                "  The shortest that was found: %s%n  faults: %s%n",
                shrunk.plan(),
                shrunk.plan().faults());
        Judged.Finding finding =
                again.findings().isEmpty() ? first : again.findings().get(0);
        boolean isOfAll = options.containsKey("everybody");
        story[0].about(finding.partition(), isOfAll ? null : finding.user(), isOfAll ? Integer.MAX_VALUE : STORY_LINES)
                .forEach(line -> out.println("    " + line));
        again.findings().stream().limit(5).forEach(one -> out.println("  !! " + one));
        out.printf("  Play it again: --seed %d%n", outcome.plan().seed());
    }
}
