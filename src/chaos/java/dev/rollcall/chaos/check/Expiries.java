package dev.rollcall.chaos.check;

import dev.rollcall.chaos.check.UserLog.Emitted;
import dev.rollcall.chaos.check.Violation.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What time does to a user: devices and texts end, and at last the user is forgotten. */
final class Expiries {
    private static final int MOST_AT_AN_INSTANT = 12;

    private final UserLog log;
    private final Settings settings;
    private final PartitionClock clock;
    private final Position position;
    private final DeadlineBounds bounds;
    private final OutputMatcher output;
    private final Diagnosis diagnosis;

    Expiries(History history, Position position, DeadlineBounds bounds, OutputMatcher output, Diagnosis diagnosis) {
        this.log = history.log();
        this.settings = history.settings();
        this.clock = history.clock();
        this.position = position;
        this.bounds = bounds;
        this.output = output;
        this.diagnosis = diagnosis;
    }

    /** Something that ends: a device, or the text (null). */
    private record End(@Nullable Device device, Span at) {}

    /** Ends what is due, one instant after the other, in each way that is possible. */
    void expire(Hypothesis hypothesis, long now, boolean isOwnInput, Consumer<Hypothesis> to) {
        if (now == Long.MIN_VALUE || (isOwnInput && position.disturbed)) {
            to.accept(hypothesis); // a new owner does not know the time before its first clock tick
        }
        if (now != Long.MIN_VALUE) {
            endFrom(hypothesis, Long.MIN_VALUE, now, after -> forget(after, now, isOwnInput, to));
        }
    }

    private void endFrom(Hypothesis hypothesis, long floor, long now, Consumer<Hypothesis> to) {
        List<End> due = due(hypothesis, now);
        long first = Long.MAX_VALUE;
        for (End end : due) {
            first = Math.min(first, end.at().hi());
        }
        long bound = Math.min(first, now);
        due.removeIf(end -> end.at().lo() > bound);
        endSome(hypothesis, due, floor, now, bound, to);
        if (first > now) {
            to.accept(hypothesis); // last: of two ways to the same hypothesis, the one that ended it earlier is kept
        }
    }

    private void endSome(
            Hypothesis hypothesis, List<End> due, long floor, long now, long bound, Consumer<Hypothesis> to) {
        if (due.stream().allMatch(end -> end.at().isExact())) {
            if (!due.isEmpty()) {
                endTogether(hypothesis, due, due, floor, now, bound, to);
            }
            return;
        }
        if (due.size() > MOST_AT_AN_INSTANT) {
            throw new Search.TooManyException();
        }
        for (int chosen = 1; chosen < 1 << due.size(); chosen++) {
            List<End> together = new ArrayList<>();
            for (int i = 0; i < due.size(); i++) {
                if ((chosen & (1 << i)) != 0) {
                    together.add(due.get(i));
                }
            }
            endTogether(hypothesis, together, due, floor, now, bound, to);
        }
    }

    private List<End> due(Hypothesis hypothesis, long now) {
        List<End> due = new ArrayList<>();
        for (Device device : hypothesis.devices) {
            Span at = bounds.end(device, now);
            if (at.lo() <= now) {
                due.add(new End(device, at));
            }
        }
        if (hypothesis.textEnd <= now) {
            due.add(new End(null, new Span(hypothesis.textEnd, hypothesis.textEnd + clock.shift(position.offset))));
        }
        return due;
    }

    private void endTogether(
            Hypothesis hypothesis,
            List<End> together,
            List<End> due,
            long floor,
            long now,
            long bound,
            Consumer<Hypothesis> to) {
        long lo = floor;
        for (End end : together) {
            lo = Math.max(lo, end.at().lo());
        }
        long earliest = lo;
        boolean leavesOneBehind =
                due.stream().anyMatch(end -> !together.contains(end) && end.at().hi() <= earliest);
        if (earliest > bound || leavesOneBehind) {
            return;
        }
        Span instant = new Span(earliest - clock.shift(position.offset), bound);
        Hypothesis after = hypothesis.copy();
        Span onlineGone = Span.NEVER;
        Span idleGone = Span.NEVER;
        long deadline = Hypothesis.NEVER;
        long latest = Hypothesis.NEVER;
        for (End end : together) {
            latest = Math.max(latest, end.at().hi());
            Device device = end.device();
            if (device == null) {
                deadline = Math.max(deadline, after.textEnd);
                after.text = null;
                after.textEnd = Long.MAX_VALUE;
                continue;
            }
            after.remove(device);
            Span since = bounds.since(device);
            deadline = Math.max(deadline, since.lo());
            // Not cut off at the clock tick: else two hypotheses that differ only in when they noticed it would never
            // become one again.
            after.left(device.state(), stamps(device, since));
            Span own = stamps(device, since.notAfter(bound));
            if (device.state() == State.ONLINE) {
                onlineGone = onlineGone.or(own);
            } else if (device.state() == State.IDLE) {
                idleGone = idleGone.or(own);
            }
        }
        Span stateAt = after.union() == State.OFFLINE ? onlineGone.or(idleGone) : onlineGone;
        if (output.emit(after, stateAt, instant, new OutputMatcher.ExpiryBounds(deadline, latest, now))) {
            endFrom(after, earliest, now, to);
        }
    }

    /** An instant of the partition's time as a stamp; uncertain where stamps have stepped back since. */
    private Span stamps(Device device, Span times) {
        return new Span(
                times.lo() - clock.shift(position.offset),
                times.hi() - clock.leastShiftAt(device.lease().lastRecord()));
    }

    /** Forgets a user of whom there is nothing to keep after the retention time, at the next clock tick or input (rule 11). */
    private void forget(Hypothesis hypothesis, long now, boolean isOwnInput, Consumer<Hypothesis> to) {
        Span at = hypothesis.forgettableSince.plus(
                hypothesis.forgettableSince.equals(Span.NEVER) ? 0 : settings.retentionMs());
        if (hypothesis.forgettableSince.equals(Span.NEVER) || !hypothesis.devices.isEmpty() || at.lo() > now) {
            to.accept(hypothesis);
            return;
        }
        if (!isOwnInput || at.hi() > now || position.disturbed) {
            to.accept(hypothesis);
        }
        Emitted next = hypothesis.emittedSoFar < log.emitted.size() ? log.emitted.get(hypothesis.emittedSoFar) : null;
        if (next != null && next.value() == null && at.contains(next.at())) {
            Hypothesis after = hypothesis.copy();
            after.emittedSoFar++;
            after.emitted = null;
            after.lastActive = Hypothesis.NEVER;
            after.storedLastActive = Hypothesis.NEVER;
            after.forgettableSince = Span.NEVER;
            to.accept(after);
        } else if (isOwnInput) {
            diagnosis.expect(hypothesis, Kind.LOST, "a tombstone at " + at);
        }
    }
}
