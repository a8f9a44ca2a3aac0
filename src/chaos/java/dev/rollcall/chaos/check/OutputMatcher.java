package dev.rollcall.chaos.check;

import dev.rollcall.chaos.check.Decoder.Presence;
import dev.rollcall.chaos.check.Hypothesis.Trace;
import dev.rollcall.chaos.check.Violation.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Compares what the rules emit with the next record on the output. */
final class OutputMatcher {
    private final History history;
    private final UserLog log;
    private final PartitionClock clock;
    private final Position position;
    private final Diagnosis diagnosis;

    /** Those by which there is more to emit, but the log ends too soon for it. */
    final List<Hypothesis> unfinished = new ArrayList<>();

    OutputMatcher(History history, Position position, Diagnosis diagnosis) {
        this.history = history;
        this.log = history.log();
        this.clock = history.clock();
        this.position = position;
        this.diagnosis = diagnosis;
    }

    /**
     * An expiry, in ms by the partition's time.
     *
     * @param deadline the last one of those that ended, by their records alone
     * @param latest the same with all extensions
     * @param noticedAt the clock tick that ended them
     */
    record ExpiryBounds(long deadline, long latest, long noticedAt) {}

    /**
     * Compares the visible state and text with the next record, if they differ from what was emitted last.
     *
     * @param stateAt when the state changed, if it did; {@link Span#NEVER}: it did not
     * @param textAt when the text changed, if it did
     * @return whether that is how it was
     */
    boolean emit(Hypothesis hypothesis, Span stateAt, Span textAt, @Nullable ExpiryBounds expiry) {
        State state = hypothesis.hidden ? State.OFFLINE : hypothesis.union();
        Presence before = hypothesis.emitted;
        boolean newState = before == null || before.state() != state;
        boolean newText = !Objects.equals(before == null ? null : before.status(), hypothesis.text);
        boolean nothingToEmit = before == null && state == State.OFFLINE && hypothesis.text == null;
        if (!nothingToEmit && (newState || newText)) {
            Span changed = stateAt.equals(Span.NEVER) ? textAt : stateAt;
            Span since = before != null && !newState ? Span.at(before.since()) : begin(hypothesis, state, changed);
            if (expiry != null && !clock.hasSteps()) {
                since = new Span(since.lo(), Math.min(since.hi(), Math.max(since.lo(), expiry.noticedAt())));
            }
            if (!isNext(hypothesis, state, since, newState, newText, textAt)) {
                return false;
            }
            Presence emitted = Objects.requireNonNull(
                    log.emitted.get(hypothesis.emittedSoFar).value());
            hypothesis.emittedSoFar++;
            hypothesis.emitted = emitted;
            hypothesis.lastActive = Hypothesis.orNever(emitted.lastActive());
            hypothesis.storedLastActive = hypothesis.lastActive;
            if (expiry != null) {
                hypothesis.trace = new Trace(
                        new Expiry(
                                log.user,
                                log.partition,
                                expiry.deadline(),
                                newState ? emitted.since() : expiry.deadline(),
                                expiry.latest(),
                                expiry.noticedAt()),
                        hypothesis.trace);
            }
        }
        if (hypothesis.emitted == null || hypothesis.text != null || hypothesis.hidden || state != State.OFFLINE) {
            hypothesis.forgettableSince = Span.NEVER;
        } else if (hypothesis.forgettableSince.equals(Span.NEVER)) {
            hypothesis.forgettableSince = stateAt.or(textAt).or(Span.at(hypothesis.emitted.since()));
        }
        hypothesis.dropWhatNoLongerMatters();
        return true;
    }

    private boolean isNext(
            Hypothesis hypothesis, State state, Span since, boolean newState, boolean newText, Span textAt) {
        Presence before = hypothesis.emitted;
        long sequence = before == null ? 1 : before.sequence() + 1;
        State previous = before == null ? null : before.state();
        boolean isThere = hypothesis.emittedSoFar < log.emitted.size();
        Presence actual = isThere ? log.emitted.get(hypothesis.emittedSoFar).value() : null;
        Kind wrong;
        if (!isThere) {
            wrong = Kind.LOST;
        } else if (actual == null
                || actual.state() != state
                || actual.previous() != previous
                || actual.sequence() != sequence
                || !Objects.equals(actual.status(), hypothesis.text)) {
            wrong = Kind.UNEXPLAINED;
        } else if (!since.contains(actual.since())
                || !isTime(
                        hypothesis,
                        log.emitted.get(hypothesis.emittedSoFar).at(),
                        actual.since(),
                        newState,
                        newText,
                        textAt)) {
            wrong = Kind.WRONG_TIME;
        } else if (Hypothesis.orNever(actual.lastActive()) < hypothesis.storedLastActive
                || Hypothesis.orNever(actual.lastActive()) > hypothesis.lastActive) {
            wrong = Kind.LAST_ACTIVE;
        } else {
            return true;
        }
        if (diagnosis.isFurthest(hypothesis)) {
            diagnosis.expect(
                    hypothesis,
                    wrong,
                    "%s (after %s) since %s, text %s, last active %s, sequence %d, the text changed at %s"
                            .formatted(
                                    state,
                                    previous,
                                    since,
                                    hypothesis.text,
                                    hypothesis.lastActive == Hypothesis.NEVER
                                            ? "never"
                                            : new Span(hypothesis.storedLastActive, hypothesis.lastActive),
                                    sequence,
                                    newText ? textAt : "-"));
        }
        if (!isThere && isTail()) {
            unfinished.add(hypothesis);
        }
        return false;
    }

    /** The instant of the change, which is the record's timestamp; but never before that of what was last emitted. */
    private boolean isTime(Hypothesis hypothesis, long at, long since, boolean newState, boolean newText, Span textAt) {
        Span instant = newText ? (newState ? textAt.or(Span.at(since)) : textAt) : Span.at(since);
        Span floor = hypothesis.emitted == null
                ? Span.NEVER
                : Span.at(log.emitted.get(hypothesis.emittedSoFar - 1).at());
        return instant.contains(at) || instant.or(floor).contains(at);
    }

    private Span begin(Hypothesis hypothesis, State state, Span changed) {
        Span begin = hypothesis.emitted == null ? changed : changed.or(Span.at(hypothesis.emitted.since()));
        if (hypothesis.hidden) {
            return begin; // which no device has a part in
        }
        Span latest = begin;
        if (state != State.ONLINE) {
            latest = latest.or(hypothesis.leftOnline);
        }
        if (state == State.OFFLINE) {
            latest = latest.or(hypothesis.leftIdle);
        } else {
            latest = latest.or(Span.at(hypothesis.devices.stream()
                    .filter(device -> device.state() == state)
                    .mapToLong(Device::since)
                    .min()
                    .orElseThrow()));
        }
        return clock.hasSteps() ? begin.join(latest) : latest; // of stamps that step, the later one may be the lower
    }

    private boolean isTail() {
        return position.time >= history.until()
                || (position.time != Long.MIN_VALUE
                        && history.disturbances().all().undisturbedMs(position.time, history.until())
                                <= history.settings().slackMs());
    }
}
