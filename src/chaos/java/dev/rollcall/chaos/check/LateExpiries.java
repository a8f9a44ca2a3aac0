package dev.rollcall.chaos.check;

import dev.rollcall.chaos.check.Hypothesis.Trace;
import dev.rollcall.chaos.check.PartitionLog.Silence;
import dev.rollcall.chaos.check.Violation.Kind;
import java.util.ArrayList;
import java.util.List;

/** Finds what ended too late, or not at all. */
final class LateExpiries {
    private final History history;
    private final UserLog log;
    private final Settings settings;
    private final Position position;
    private final DeadlineBounds bounds;

    LateExpiries(History history, Position position, DeadlineBounds bounds) {
        this.history = history;
        this.log = history.log();
        this.settings = history.settings();
        this.position = position;
        this.bounds = bounds;
    }

    List<Violation> of(Hypothesis hypothesis) {
        List<Violation> late = new ArrayList<>();
        for (Trace trace = hypothesis.trace; trace != null; trace = trace.before()) {
            Expiry expiry = trace.expiry();
            if (isTooLate(expiry.latest(), expiry.noticedAt())) {
                late.add(new Violation(
                        Kind.GHOST,
                        log.user,
                        log.partition,
                        -1,
                        "what had to end by %d ended with the clock tick at %d"
                                .formatted(expiry.latest(), expiry.noticedAt())));
            }
        }
        for (Device device : hypothesis.devices) {
            long latest = bounds.latest(device);
            if (!hypothesis.hidden && device.state() != State.OFFLINE && isTooLate(latest, history.until())) {
                late.add(new Violation(
                        Kind.GHOST,
                        log.user,
                        log.partition,
                        -1,
                        "%s had to end by %d, and no clock tick up to %d ended it"
                                .formatted(device, latest, history.until())));
            }
        }
        if (hypothesis.textEnd != Long.MAX_VALUE
                && isTooLate(hypothesis.textEnd + history.clock().shift(position.offset), history.until())) {
            late.add(new Violation(
                    Kind.GHOST,
                    log.user,
                    log.partition,
                    -1,
                    "the text had to end by %d, and no clock tick up to %d ended it"
                            .formatted(hypothesis.textEnd, history.until())));
        }
        return late;
    }

    private boolean isTooLate(long latest, long at) {
        long allowed = settings.tickMs() + settings.slackMs();
        for (Silence silence : history.partition().silences) {
            if (!history.mayExtend(silence)) {
                continue;
            }
            allowed += Math.max(0, Math.min(at, silence.to()) - Math.max(latest, silence.from())); // time stood still
        }
        return history.disturbances().all().undisturbedMs(latest, at) > allowed;
    }
}
