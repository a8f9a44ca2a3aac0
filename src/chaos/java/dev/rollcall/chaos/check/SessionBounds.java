package dev.rollcall.chaos.check;

import dev.rollcall.chaos.check.PartitionLog.Silence;
import dev.rollcall.chaos.check.SessionLog.Ending;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * When the devices end that a session holds (rule 14). What the session's records tell is exact; take-overs, silences of
 * the log and stamps that step make bounds of it. All in ms by the partition's time.
 */
final class SessionBounds {
    /** A place in the log, and the time there. */
    record At(long offset, long time) {}

    /**
     * An end.
     *
     * @param since since when the device is OFFLINE
     * @param shown how long it is held before that shows
     */
    record End(Span since, Span shown) {
        private End join(@Nullable End other) {
            return other == null ? this : new End(since.join(other.since), shown.join(other.shown));
        }

        /** The one of two that shows first. */
        private End earlier(End other) {
            return shown.hi() < other.shown.lo() ? this : other.shown.hi() < shown.lo() ? other : join(other);
        }
    }

    /** A sign of life, and when its lease ends. */
    private record Sign(At at, Span deadline, long leaseMs) {
        private static Sign of(SessionLog log, int index) {
            long time = log.time(index);
            return new Sign(new At(log.offset(index), time), Span.at(time + log.leaseMs(index)), log.leaseMs(index));
        }
    }

    private final History history;
    private final Settings settings;
    private final PartitionClock clock;
    private final SessionLogs sessions;

    SessionBounds(History history) {
        this.history = history;
        this.settings = history.settings();
        this.clock = history.clock();
        this.sessions = history.partition().sessions;
    }

    /** When a device ends, as far as that is known there. */
    End end(Hold hold, At to) {
        SessionLog log = sessions.log(hold.session());
        if (log == null) {
            return endOfWaiting(hold, to);
        }
        int last = log.lastUpTo(to.offset());
        boolean isOver = log.endOffset() > hold.offset() && log.endOffset() <= to.offset();
        if (isOver && log.ending() == Ending.IN_GOOD_ORDER) {
            long resume = settings.shardResumeMs();
            At over = new At(log.endOffset(), log.endTime());
            return new End(Span.at(over.time()), extended(Span.at(over.time() + resume), 0, resume, over, to));
        }
        if (last < 0) {
            return endOfWaiting(hold, log, to);
        }
        Sign heard = Sign.of(log, last);
        if (log.offset(last) > hold.offset()) {
            return endOfFollowing(heard, log, isOver, to);
        }
        Span then = deadline(heard, new At(hold.offset(), hold.openedAt()));
        if (then.lo() > hold.openedAt()) {
            return endOfFollowing(heard, log, isOver, to);
        }
        End waiting = endOfWaiting(hold, log, to);
        return then.hi() > hold.openedAt() ? waiting.join(endOfFollowing(heard, log, isOver, to)) : waiting;
    }

    /** Where the session had not been heard when it opened the device, or was silent then, and was not heard since. */
    private End endOfWaiting(Hold hold, SessionLog log, At to) {
        At asEarlier = log.firstAsEarlier(hold.offset());
        if (asEarlier == null || asEarlier.offset() > to.offset()) {
            return endOfWaiting(hold, to);
        }
        Span since = Span.at(asEarlier.time());
        return endOfWaiting(hold, asEarlier)
                .earlier(new End(since, extended(since, 0, settings.shardResumeMs(), asEarlier, to)));
    }

    private End endOfWaiting(Hold hold, At to) {
        Span deadline = waiting(hold, to);
        return new End(deadline, deadline.plus(settings.shardHoldMs()));
    }

    private Span waiting(Hold hold, At to) {
        Sign own = own(hold);
        return extended(own.deadline(), settings.shardHoldMs(), own.leaseMs(), own.at(), to);
    }

    private Sign own(Hold hold) {
        long lease = settings.shardLeaseMs();
        Span deadline = new Span(hold.openedAt() + lease, hold.lastRecord() + lease);
        return new Sign(new At(hold.offset(), hold.lastRecord()), deadline, lease);
    }

    private End endOfFollowing(Sign sign, SessionLog log, boolean isOver, At to) {
        return isOver
                ? endByRestart(deadline(sign, new At(log.endOffset(), log.endTime())), sign, log, to)
                : endBySilence(deadline(sign, to), sign, to);
    }

    /** Unless it had ended by its silence before. */
    private End endByRestart(Span deadline, Sign sign, SessionLog log, At to) {
        At over = new At(log.endOffset(), log.endTime());
        long resume = settings.shardResumeMs();
        End end = null;
        if (deadline.hi() > over.time()) {
            end = new End(Span.at(over.time()), extended(Span.at(over.time() + resume), 0, resume, over, to));
        }
        if (deadline.lo() <= over.time()) {
            End bySilence = endBySilence(deadline.notAfter(over.time()), sign, over);
            end = new End(bySilence.since(), extended(bySilence.shown(), 0, resume, over, to)).join(end);
        }
        return Objects.requireNonNull(end);
    }

    /** Once the silence is noticed, take-overs and silences of the log add to the hold, and {@code since} stays. */
    private End endBySilence(Span since, Sign sign, At to) {
        return new End(since, extended(since.plus(settings.shardHoldMs()), 0, sign.leaseMs(), sign.at(), to));
    }

    /** Whether the session had ended when the device's record was read there; null: it is open. */
    @Nullable
    Boolean hasEnded(Hold hold, At at, long now, boolean disturbed) {
        SessionLog log = sessions.log(hold.session());
        if (log != null && log.isOverAt(at.offset())) {
            return true;
        }
        Span deadline = end(hold, at).since();
        if (deadline.lo() > now) {
            return false;
        }
        boolean isNoticed = deadline.hi() <= now && !disturbed;
        return isNoticed ? (Boolean) true : null;
    }

    /** Whether a session was certainly alive there. */
    boolean isAlive(Hold.Session session, At at) {
        SessionLog log = sessions.log(session);
        int last = log == null ? -1 : log.lastUpTo(at.offset());
        return log != null
                && last >= 0
                && !log.isOverAt(at.offset())
                && deadline(Sign.of(log, last), at).lo() > at.time();
    }

    /** The earliest time by which the device may be gone, by what the log has from there on. */
    long due(Hold hold, At from) {
        long shown = end(hold, from).shown().lo();
        SessionLog log = sessions.log(hold.session());
        if (log == null) {
            return shown;
        }
        At asEarlier = log.firstAsEarlier(from.offset());
        long due = Math.min(log.endTime(), asEarlier == null ? Long.MAX_VALUE : asEarlier.time());
        if (log.isOverAt(from.offset() + 1)) {
            return Math.min(shown, due < from.time() ? shown : due);
        }
        int next = log.lastUpTo(from.offset()) + 1;
        if (next == log.size() || log.time(next) >= shown) {
            due = Math.min(due, shown);
        }
        if (next < log.size()) {
            int last = log.firstBeforeSilence(log.offset(next));
            due = Math.min(due, log.time(last) + log.leaseMs(last) + settings.shardHoldMs());
        }
        return due - clock.stepsBack(from.offset(), Long.MAX_VALUE);
    }

    private Span deadline(Sign sign, At to) {
        return extended(sign.deadline(), 0, sign.leaseMs(), sign.at(), to);
    }

    /**
     * What take-overs and silences of the log make of an end.
     *
     * @param heldMs for how long after it the devices are still there
     * @param amountMs what each of them may add at most
     */
    private Span extended(Span end, long heldMs, long amountMs, At from, At to) {
        long steps = clock.stepsBack(from.offset(), to.offset());
        long lo = end.lo() - steps;
        long hi = end.hi() + steps;
        List<Silence> silences = history.partition().silences.stream()
                .filter(silence -> silence.offset() <= to.offset() && silence.from() >= from.time())
                .filter(history::mayExtend)
                .toList();
        for (Silence silence : silences) {
            if (silence.certain() && silence.sinceTickMs() <= settings.tickMs() && lo > silence.from()) {
                lo = Math.max(lo, silence.to() + Math.min(silence.to() - silence.from(), amountMs));
                break;
            }
        }
        hi = extendedBySilences(hi, heldMs, amountMs, silences);
        for (Window window : history.disturbances().all().overlapping(from.time(), to.time())) {
            long liveUntil = hi + (Math.max(1, window.takeOvers()) - 1) * amountMs + heldMs;
            long goneBy = Math.max(liveUntil + settings.tickMs() + settings.slackMs(), clock.firstTimeFrom(liveUntil));
            if (goneBy >= window.from()) {
                hi = Math.max(hi, Math.min(Math.min(window.to(), to.time()), goneBy) + amountMs);
                hi = extendedBySilences(hi, heldMs, amountMs, silences);
            }
        }
        return new Span(lo, Math.max(lo, hi));
    }

    private static long extendedBySilences(long latest, long heldMs, long amountMs, List<Silence> silences) {
        long hi = latest;
        for (Silence silence : silences) {
            if (hi + heldMs > silence.from()) {
                hi = Math.max(hi, silence.to() + Math.min(silence.to() - silence.from(), amountMs));
            }
        }
        return hi;
    }
}
