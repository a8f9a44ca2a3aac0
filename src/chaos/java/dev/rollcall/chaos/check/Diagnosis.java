package dev.rollcall.chaos.check;

import dev.rollcall.chaos.check.UserLog.Beat;
import dev.rollcall.chaos.check.UserLog.Emitted;
import dev.rollcall.chaos.check.Violation.Kind;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Why a log is rejected: what the rules emit instead of the first record that none of the hypotheses explains. */
final class Diagnosis {
    private static final int EXPECTATIONS_SHOWN = 4;
    private static final int MOST_EXPECTATIONS = 200;

    /** What should have been emitted instead of the next record, or of the end of the output. */
    private record Expectation(Kind kind, String text) {}

    private final UserLog log;
    private final Settings settings;
    private final Position position;
    private final Set<Expectation> expectations = new LinkedHashSet<>();

    /** How many records of the output have been explained at most. */
    private int furthest;

    Diagnosis(History history, Position position) {
        this.log = history.log();
        this.settings = history.settings();
        this.position = position;
    }

    void explained(int records) {
        furthest = Math.max(furthest, records);
    }

    boolean isFurthest(Hypothesis hypothesis) {
        return hypothesis.emittedSoFar > furthest
                || (hypothesis.emittedSoFar == furthest && expectations.size() < MOST_EXPECTATIONS);
    }

    void expect(Hypothesis hypothesis, Kind kind, String text) {
        if (hypothesis.emittedSoFar > furthest) {
            furthest = hypothesis.emittedSoFar;
            expectations.clear();
        }
        if (isFurthest(hypothesis)) {
            expectations.add(new Expectation(kind, text));
        }
    }

    Violation violation() {
        Emitted actual = furthest < log.emitted.size() ? log.emitted.get(furthest) : null;
        Kind kind = actual == null ? Kind.LOST : Kind.UNEXPLAINED;
        for (Kind nearer : List.of(Kind.WRONG_TIME, Kind.LAST_ACTIVE)) {
            if (expectations.stream().anyMatch(expectation -> expectation.kind() == nearer)) {
                kind = nearer;
            }
        }
        Kind shown = kind;
        List<String> expected = expectations.stream()
                .sorted((one, other) -> Boolean.compare(other.kind() == shown, one.kind() == shown))
                .limit(EXPECTATIONS_SHOWN)
                .map(Expectation::text)
                .toList();
        String message = "%s; expected %s; by %d in the log. %s"
                .formatted(
                        actual == null ? "nothing more was emitted" : "emitted: " + actual,
                        expected.isEmpty() ? "nothing" : String.join(", or ", expected),
                        position.time,
                        around(actual == null ? position.time : actual.at()));
        return new Violation(kind, log.user, log.partition, actual == null ? -1 : actual.offset(), message);
    }

    /** The user's records around a time, for the reader of the report. */
    private String around(long at) {
        long reach = 2 * settings.leaseMs() + settings.shardHoldMs();
        List<Beat> beats = log.beats.stream()
                .filter(beat -> Math.abs(beat.at() - at) <= reach || Math.abs(beat.logTime() - at) <= reach)
                .toList();
        return "Heartbeats around: %s. Texts: %s. Flags: %s. Emitted before: %s"
                .formatted(
                        beats,
                        log.texts.stream()
                                .filter(text -> Math.abs(text.stamp() - at) <= reach)
                                .toList(),
                        log.flags.stream()
                                .filter(flag -> Math.abs(flag.stamp() - at) <= reach)
                                .toList(),
                        log.emitted.subList(Math.max(0, Math.min(furthest, log.emitted.size()) - 3), furthest));
    }
}
