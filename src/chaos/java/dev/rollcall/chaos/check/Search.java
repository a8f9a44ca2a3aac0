package dev.rollcall.chaos.check;

import dev.rollcall.chaos.check.Hypothesis.Trace;
import dev.rollcall.chaos.check.PartitionLog.Silence;
import dev.rollcall.chaos.check.UserLog.Beat;
import dev.rollcall.chaos.check.UserLog.Flag;
import dev.rollcall.chaos.check.UserLog.Text;
import dev.rollcall.chaos.check.Violation.Kind;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Searches for a way to read one user's logs by which the rules emit, record for record, what was emitted.
 *
 * <p>As in a linearizability checker (Wing and Gong, "Testing and Verifying Concurrent Objects", 1993) there is a {@link
 * History}, a sequential {@link UserModel}, and this search for an order that explains the output. It walks through the
 * heartbeat partition in its order. Not known are where the texts and flags were read in between, where a task was taken
 * over, and so when exactly a device ended; so there is a set of {@link Hypothesis hypotheses}, each with bounds for what
 * is unknown. A hypothesis is dropped when the next record by its rules is not the next one on the output. The log is
 * rejected when none is left. Those that differ in bounds only are joined, as Lowe does with equal states ("Testing for
 * linearizability", 2017), for else their number grows exponentially.
 *
 * <p>Durations are measured by the partition's own time; the output is compared with the stamps, which are the same where
 * none of them steps back ({@link PartitionClock}). All in ms.
 */
final class Search {
    private static final int MOST_HYPOTHESES = 20_000;

    /** With more than these, hypotheses that differ in bounds only are joined. */
    private static final int KEPT_APART = 24;

    /** @param undecided whether there were too many hypotheses to try them all */
    record Result(String user, List<Violation> violations, boolean undecided, List<Expiry> expiries) {}

    /** There are too many hypotheses. */
    @SuppressWarnings("serial")
    static final class TooManyException extends RuntimeException {}

    private final History history;
    private final UserLog log;
    private final PartitionLog partition;
    private final Settings settings;
    private final Position position = new Position();
    private final Diagnosis diagnosis;
    private final DeadlineBounds bounds;
    private final OutputMatcher output;
    private final Expiries expiries;
    private final UserModel model;
    private final LateExpiries lateExpiries;

    /** From when on each text and each flag may be read. */
    private final List<Long> textsFrom = new ArrayList<>();

    private final List<Long> flagsFrom = new ArrayList<>();

    private Collection<Hypothesis> hypotheses = List.of(new Hypothesis());
    private int ticksRead;
    private int beatsRead;
    private int silencesRead;

    Search(History history) {
        this.history = history;
        this.log = history.log();
        this.partition = history.partition();
        this.settings = history.settings();
        this.diagnosis = new Diagnosis(history, position);
        this.bounds = new DeadlineBounds(history, position);
        this.output = new OutputMatcher(history, position, diagnosis);
        this.expiries = new Expiries(history, position, bounds, output, diagnosis);
        this.model = new UserModel(history, position, bounds, output, diagnosis);
        this.lateExpiries = new LateExpiries(history, position, bounds);
        log.texts.forEach(text -> textsFrom.add(readableFrom(text.readable())));
        log.flags.forEach(flag -> flagsFrom.add(readableFrom(flag.readable())));
    }

    Result run() {
        try {
            while (next()) {
                if (hypotheses.isEmpty() && output.unfinished.isEmpty()) {
                    return rejected();
                }
            }
            advance(Long.MAX_VALUE, history.until());
            return finish();
        } catch (TooManyException e) {
            return new Result(log.user, List.of(), true, List.of());
        }
    }

    /**
     * Goes on to the next heartbeat of the user, or the next clock tick by which something may end, or by which it
     * matters whether a text or a flag has been read.
     *
     * @return whether there was one
     */
    private boolean next() {
        int tick = nextTick();
        long tickOffset = tick < partition.tickOffsets.size() ? partition.tickOffsets.get(tick) : Long.MAX_VALUE;
        if (beatsRead < log.beats.size() && log.beats.get(beatsRead).offset() < tickOffset) {
            Beat beat = log.beats.get(beatsRead++);
            long now = partition.nowBefore(beat.offset());
            ticksRead = partition.tickOffsets.firstFrom(beat.offset());
            advance(beat.offset(), beat.logTime());
            step((hypothesis, to) ->
                    expiries.expire(hypothesis, now, true, expired -> model.readHeartbeat(expired, beat, now, to)));
            return true;
        }
        if (tickOffset == Long.MAX_VALUE) {
            return false;
        }
        ticksRead = tick + 1;
        long now = partition.tickTimes.get(tick);
        advance(tickOffset, now);
        step((hypothesis, to) -> expiries.expire(hypothesis, now, false, to));
        return true;
    }

    private int nextTick() {
        long due = Long.MAX_VALUE;
        for (Hypothesis hypothesis : hypotheses) {
            due = Math.min(due, hypothesis.textEnd);
            for (Device device : hypothesis.devices) {
                due = Math.min(due, bounds.due(device));
            }
            if (!hypothesis.forgettableSince.equals(Span.NEVER) && hypothesis.devices.isEmpty()) {
                due = Math.min(due, hypothesis.forgettableSince.lo() + settings.retentionMs());
            }
            if (hypothesis.textsRead < log.texts.size()) {
                due = Math.min(due, textsFrom.get(hypothesis.textsRead));
            }
            if (hypothesis.flagsRead < log.flags.size()) {
                due = Math.min(due, flagsFrom.get(hypothesis.flagsRead));
            }
        }
        return Math.max(ticksRead, partition.tickTimes.firstFrom(due));
    }

    /** All that may happen between the last record and this one. */
    private void advance(long toOffset, long toTime) {
        long from = position.time;
        long now = partition.nowBefore(toOffset);
        boolean wasDisturbed = position.disturbed;
        position.disturbed = history.disturbances().all().lastWithin(from, Math.max(from, toTime)) != Windows.NONE;
        if (position.disturbed && !wasDisturbed) {
            hypotheses.forEach(DeadlineBounds::beginDisturbance);
        }
        takeOver(from, Math.max(from, toTime)); // before the texts and flags, or after them
        readTextsAndFlags(from, Math.max(from, toTime), now);
        long stepsBack = history.clock().stepsBack(position.offset, toOffset);
        if (stepsBack > 0) {
            // Which records count is open, those of hidden users do not, and so is how far the time went back.
            hypotheses.forEach(hypothesis -> DeadlineBounds.widen(hypothesis, stepsBack));
        }
        position.offset = toOffset;
        position.time = Math.max(position.time, toTime);
        while (silencesRead < partition.silences.size()
                && partition.silences.get(silencesRead).offset() <= toOffset) {
            Silence silence = partition.silences.get(silencesRead++);
            hypotheses.forEach(hypothesis -> bounds.extendForSilence(hypothesis, silence));
        }
        takeOver(from, position.time);
    }

    private void takeOver(long from, long to) {
        long last = history.disturbances().all().lastWithin(from, to);
        if (last != Windows.NONE) {
            hypotheses.forEach(hypothesis -> bounds.extendForTakeOver(hypothesis, last));
        }
    }

    /** Passes on every state that may follow one. */
    private interface Step {
        void from(Hypothesis hypothesis, Consumer<Hypothesis> to);
    }

    private void step(Step step) {
        Set<Hypothesis> after = new LinkedHashSet<>();
        for (Hypothesis hypothesis : hypotheses) {
            step.from(hypothesis, after::add);
            if (after.size() > MOST_HYPOTHESES) {
                throw new TooManyException();
            }
        }
        hypotheses = joinedIfMany(after);
    }

    private static Collection<Hypothesis> joinedIfMany(Collection<Hypothesis> many) {
        if (many.size() <= KEPT_APART) {
            return many;
        }
        Map<Object, Hypothesis> joined = new LinkedHashMap<>();
        many.forEach(hypothesis -> joined.merge(hypothesis.outline(), hypothesis, (one, other) -> {
            one.join(other);
            return one;
        }));
        return joined.values();
    }

    private void readTextsAndFlags(long from, long to, long now) {
        if (log.texts.isEmpty() && log.flags.isEmpty()) {
            return;
        }
        List<Hypothesis> all = new ArrayList<>();
        Collection<Hypothesis> level = hypotheses;
        while (!level.isEmpty()) {
            all.addAll(level);
            Set<Hypothesis> oneMoreRead = new LinkedHashSet<>();
            level.forEach(hypothesis -> readOneMore(hypothesis, from, to, now, oneMoreRead::add));
            if (oneMoreRead.size() > MOST_HYPOTHESES) {
                throw new TooManyException();
            }
            level = joinedIfMany(oneMoreRead);
        }
        all.removeIf(hypothesis -> {
            boolean textMissing = hypothesis.textsRead < log.texts.size()
                    && isOverdue(log.texts.get(hypothesis.textsRead).readable(), to);
            boolean flagMissing = hypothesis.flagsRead < log.flags.size()
                    && isOverdue(log.flags.get(hypothesis.flagsRead).readable(), to);
            if (textMissing && diagnosis.isFurthest(hypothesis)) {
                diagnosis.expect(hypothesis, Kind.UNEXPLAINED, log.texts.get(hypothesis.textsRead) + " has been read");
            }
            if (flagMissing && diagnosis.isFurthest(hypothesis)) {
                diagnosis.expect(hypothesis, Kind.UNEXPLAINED, log.flags.get(hypothesis.flagsRead) + " has been read");
            }
            return textMissing || flagMissing;
        });
        hypotheses = joinedIfMany(all.stream().map(Hypothesis::copy).toList());
    }

    private void readOneMore(Hypothesis hypothesis, long from, long to, long now, Consumer<Hypothesis> reached) {
        Text text = hypothesis.textsRead < log.texts.size() ? log.texts.get(hypothesis.textsRead) : null;
        Flag flag = hypothesis.flagsRead < log.flags.size() ? log.flags.get(hypothesis.flagsRead) : null;
        boolean readsText = text != null && mayBeReadBetween(text.readable(), from, to);
        boolean readsFlag = flag != null && mayBeReadBetween(flag.readable(), from, to);
        if (readsText || readsFlag) {
            expiries.expire(hypothesis, now, true, expired -> {
                if (text != null && readsText) {
                    model.readText(expired, text, now, reached);
                }
                if (flag != null && readsFlag) {
                    model.readFlag(expired, flag, reached);
                }
            });
        }
    }

    private long readableFrom(long written) {
        return history.disturbances().ofBrokers().undisturbedBefore(written, settings.slackMs());
    }

    private boolean mayBeReadBetween(long written, long from, long to) {
        long nearest = Math.max(from, Math.min(to, written));
        return history.disturbances().ofBrokers().undisturbedMs(Math.min(nearest, written), Math.max(nearest, written))
                <= settings.slackMs();
    }

    private boolean isOverdue(long written, long at) {
        return history.disturbances().ofBrokers().undisturbedMs(written, at) > settings.slackMs();
    }

    private Result finish() {
        List<Hypothesis> accepted = new ArrayList<>(output.unfinished);
        hypotheses.stream()
                .filter(hypothesis -> hypothesis.emittedSoFar == log.emitted.size())
                .forEach(accepted::add);
        if (accepted.isEmpty()) {
            hypotheses.forEach(hypothesis -> diagnosis.explained(hypothesis.emittedSoFar));
            return rejected();
        }
        List<Violation> fewest = null;
        Hypothesis best = accepted.get(0);
        for (Hypothesis hypothesis : accepted) {
            List<Violation> late = lateExpiries.of(hypothesis);
            if (fewest == null || late.size() < fewest.size()) {
                fewest = late;
                best = hypothesis;
            }
        }
        List<Expiry> found = new ArrayList<>();
        for (Trace trace = best.trace; trace != null; trace = trace.before()) {
            found.add(0, trace.expiry());
        }
        return new Result(log.user, fewest == null ? List.of() : fewest, false, found);
    }

    private Result rejected() {
        return new Result(log.user, List.of(diagnosis.violation()), false, List.of());
    }
}
