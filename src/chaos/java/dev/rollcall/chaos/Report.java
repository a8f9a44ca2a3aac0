package dev.rollcall.chaos;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.rollcall.chaos.check.Expiry;
import dev.rollcall.chaos.check.Verdict;
import dev.rollcall.chaos.check.Violation;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * What a campaign has shown.
 *
 * @param problems why it could not be carried out or checked to its end
 */
record Report(
        long seed,
        int users,
        String variant,
        List<String> leftOut,
        List<Outcome> outcomes,
        List<String> unexpectedExits,
        List<String> problems,
        @Nullable Verdict verdict) {

    private static final int SHOWN = Integer.getInteger("checker.shown", 5);

    boolean isClean() {
        return problems.isEmpty() && unexpectedExits.isEmpty() && verdict != null && verdict.isClean();
    }

    /** Where a promise was broken: what the checker found, and which processes ended by themselves. */
    List<String> findings() {
        List<String> findings = new ArrayList<>();
        if (verdict != null) {
            verdict.violations().forEach(violation -> findings.add(violation.toString()));
        }
        unexpectedExits.forEach(unexpected -> findings.add("ended by itself: " + unexpected));
        return findings;
    }

    void print(PrintWriter out) {
        out.printf("%n%-42s %5s %15s %15s %15s%n", "", "", "longest wait", "after its end", "latest expiry");
        out.printf(
                "%-42s %5s %15s %15s %15s%n",
                "fault (times in s)", "count", "median    max", "median    max", "own    bound");
        byKind().forEach((kind, ofKind) -> out.printf(
                "%-42s %5d %15s %15s %15s%n",
                kind,
                ofKind.size(),
                medianAndMax(ofKind, Outcome::longestWaitMs),
                medianAndMax(ofKind, Outcome::flowsAfterMs),
                latest(ofKind)));
        out.println("""

                longest wait: from a transition's way into the log until a reader of presence has it, faults that
                    last on purpose included
                after its end: from when the fault's cause was gone until all partitions let a new transition out
                latest expiry: after the device's own deadline (own), and after the last moment by the rules (bound):
                    that is when the next clock tick came, and while nothing can be written none does""");
        leftOut.forEach(what -> out.println("NOT RUN: " + what));
        unexpectedExits.forEach(what -> out.println("ended by itself: " + what));
        problems.forEach(what -> out.println("PROBLEM: " + what));
        if (verdict != null) {
            print(out, verdict);
        }
        out.printf(
                "seed %d, %d users, %d faults: %s%n", seed, users, outcomes.size(), isClean() ? "clean" : "NOT CLEAN");
        out.flush();
    }

    private static void print(PrintWriter out, Verdict verdict) {
        out.printf(
                "checked: %d users, %d heartbeats, %d of shards, %d clock ticks, %d texts, %d flags, %d unusable records; %d records emitted, %d expiries%n",
                verdict.users(),
                verdict.heartbeats(),
                verdict.shardHeartbeats(),
                verdict.ticks(),
                verdict.texts(),
                verdict.flags(),
                verdict.unusable(),
                verdict.emitted(),
                verdict.expiries().size());
        out.printf(
                "violations: %d, undecided users: %d%n",
                verdict.violations().size(), verdict.undecided().size());
        Map<Violation.Kind, List<Violation>> byKind = new TreeMap<>();
        verdict.violations()
                .forEach(violation -> byKind.computeIfAbsent(violation.kind(), any -> new ArrayList<>())
                        .add(violation));
        byKind.forEach((kind, ofKind) -> {
            out.printf("%s: %d%n", kind, ofKind.size());
            ofKind.stream().limit(SHOWN).forEach(violation -> out.println("  " + violation));
        });
        verdict.undecided().stream().limit(SHOWN).forEach(user -> out.println("  undecided: " + user));
    }

    void write(Path file) throws IOException {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("seed", seed);
        json.put("users", users);
        json.put("variant", variant);
        json.put("clean", isClean());
        json.put("faults", outcomes);
        json.put("not_run", leftOut);
        json.put("ended_by_itself", unexpectedExits);
        json.put("problems", problems);
        List<Object> table = new ArrayList<>();
        byKind().forEach((kind, ofKind) -> {
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("kind", kind);
            row.put("count", ofKind.size());
            row.put("longest_wait_ms", figures(ofKind, Outcome::longestWaitMs));
            row.put("flows_after_ms", figures(ofKind, Outcome::flowsAfterMs));
            row.put("latest_expiry_ms", latestMs(ofKind, Expiry::lateMs));
            row.put("latest_expiry_beyond_bound_ms", latestMs(ofKind, Report::beyondBound));
            table.add(row);
        });
        json.put("recovery", table);
        if (verdict != null) {
            Map<String, Object> checked = new LinkedHashMap<>();
            checked.put("users", verdict.users());
            checked.put("heartbeats", verdict.heartbeats());
            checked.put("heartbeats of shards", verdict.shardHeartbeats());
            checked.put("clock ticks", verdict.ticks());
            checked.put("texts", verdict.texts());
            checked.put("flags", verdict.flags());
            checked.put("unusable", verdict.unusable());
            checked.put("emitted", verdict.emitted());
            checked.put("expiries", verdict.expiries().size());
            checked.put("undecided", verdict.undecided());
            checked.put(
                    "violations",
                    verdict.violations().stream().map(Object::toString).toList());
            json.put("checked", checked);
        }
        Files.createDirectories(file.getParent());
        new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).writeValue(file.toFile(), json);
    }

    private SortedMap<String, List<Outcome>> byKind() {
        SortedMap<String, List<Outcome>> kinds = new TreeMap<>();
        outcomes.forEach(outcome ->
                kinds.computeIfAbsent(outcome.kind(), any -> new ArrayList<>()).add(outcome));
        return kinds;
    }

    private String latest(List<Outcome> ofKind) {
        Long own = latestMs(ofKind, Expiry::lateMs);
        Long bound = latestMs(ofKind, Report::beyondBound);
        return own == null || bound == null ? "-" : "%.1f  %7.1f".formatted(own / 1e3, bound / 1e3);
    }

    private static long beyondBound(Expiry expiry) {
        return expiry.noticedAt() - expiry.latest();
    }

    /** The most among the expiries that were noticed from the fault on and until all was as before; null: there are none. */
    private @Nullable Long latestMs(List<Outcome> ofKind, ToLongFunction<Expiry> figure) {
        if (verdict == null) {
            return null;
        }
        long[] all = verdict.expiries().stream()
                .filter(expiry -> ofKind.stream()
                        .anyMatch(fault ->
                                expiry.noticedAt() >= fault.injectedAt() && expiry.noticedAt() <= fault.recoveredAt()))
                .mapToLong(figure)
                .toArray();
        return all.length == 0 ? null : (Long) Arrays.stream(all).max().orElseThrow();
    }

    private static String medianAndMax(List<Outcome> outcomes, ToLongFunction<Outcome> figure) {
        Figures figures = figures(outcomes, figure);
        return "%.1f  %5.1f".formatted(figures.median() / 1e3, figures.max() / 1e3);
    }

    private static Figures figures(List<Outcome> outcomes, ToLongFunction<Outcome> figure) {
        long[] sorted = outcomes.stream().mapToLong(figure).sorted().toArray();
        return new Figures(sorted[sorted.length / 2], sorted[sorted.length - 1]);
    }

    /** In ms; of an even number of values, the median is the upper one in the middle. */
    record Figures(long median, long max) {}
}
