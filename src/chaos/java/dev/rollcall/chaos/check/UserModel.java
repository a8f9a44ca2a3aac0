package dev.rollcall.chaos.check;

import dev.rollcall.chaos.check.Device.Lease;
import dev.rollcall.chaos.check.UserLog.Applies;
import dev.rollcall.chaos.check.UserLog.Beat;
import dev.rollcall.chaos.check.UserLog.Flag;
import dev.rollcall.chaos.check.UserLog.Text;
import dev.rollcall.chaos.check.Violation.Kind;
import java.util.HashSet;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The sequential model of the contract's rules for one user: what a heartbeat, a text and a flag do. Each method passes
 * on every state that may follow and by which the output is right so far.
 */
final class UserModel {
    /** What has no lease is never too late. */
    private static final long NO_LEASE = Long.MAX_VALUE / 4;

    private final History history;
    private final UserLog log;
    private final Settings settings;
    private final Position position;
    private final DeadlineBounds bounds;
    private final OutputMatcher output;
    private final Diagnosis diagnosis;

    UserModel(History history, Position position, DeadlineBounds bounds, OutputMatcher output, Diagnosis diagnosis) {
        this.history = history;
        this.log = history.log();
        this.settings = history.settings();
        this.position = position;
        this.bounds = bounds;
        this.output = output;
        this.diagnosis = diagnosis;
    }

    void readText(Hypothesis hypothesis, Text text, long now, Consumer<Hypothesis> reached) {
        if (text.applies() != Applies.YES) {
            Hypothesis unchanged = hypothesis.copy();
            unchanged.textsRead++;
            reached.accept(unchanged);
        }
        if (text.applies() == Applies.NO) {
            return;
        }
        Set<Boolean> over = new HashSet<>();
        over.add(isOver(text, Math.max(text.stamp(), now)));
        if (now != Long.MIN_VALUE) {
            over.add(isOver(text, Math.max(text.stamp(), now - history.clock().shift(position.offset))));
        }
        if (position.disturbed) {
            over.add(isOver(text, text.stamp()));
        }
        for (boolean isOver : over) {
            String newText = isOver ? null : text.text();
            long newEnd = newText == null || text.endsAt() == null ? Long.MAX_VALUE : text.endsAt();
            Hypothesis after = hypothesis.copy();
            after.textsRead++;
            boolean same = Objects.equals(newText, after.text) && newEnd == after.textEnd;
            after.text = newText;
            after.textEnd = newEnd;
            Span at = changedAt(text.stamp(), text.arrival());
            if (same || output.emit(after, at, at, null)) {
                reached.accept(after);
            }
        }
    }

    private static boolean isOver(Text text, long at) {
        return text.endsAt() != null && text.endsAt() <= at;
    }

    void readFlag(Hypothesis hypothesis, Flag flag, Consumer<Hypothesis> reached) {
        if (flag.applies() != Applies.YES) {
            Hypothesis unchanged = hypothesis.copy();
            unchanged.flagsRead++;
            reached.accept(unchanged);
        }
        if (flag.applies() == Applies.NO) {
            return;
        }
        Hypothesis after = hypothesis.copy();
        after.flagsRead++;
        boolean same = after.hidden == flag.hidden();
        after.hidden = flag.hidden();
        Span at = changedAt(flag.stamp(), flag.arrival());
        if (same || output.emit(after, at, at, null)) {
            reached.accept(after);
        }
    }

    /** A record that was sent on may change the output when it arrives, or as of when it was first written. */
    private static Span changedAt(long stamp, long arrival) {
        return new Span(stamp, Math.max(stamp, arrival));
    }

    /** Whether everything was read that had been acknowledged some time before this was sent (rule 7). */
    private boolean comesAfter(Hypothesis hypothesis, Beat beat) {
        for (Entry.Before before : beat.after()) {
            boolean isFlag = before.topic().equals("appear-offline");
            boolean missing = isFlag
                    ? log.flags.stream()
                            .skip(hypothesis.flagsRead)
                            .anyMatch(flag -> flag.offset() <= before.offset()
                                    && history.disturbances().isCauseOf(flag.stamp(), beat))
                    : log.texts.stream()
                            .skip(hypothesis.textsRead)
                            .anyMatch(text -> text.offset() <= before.offset()
                                    && history.disturbances().isCauseOf(text.stamp(), beat));
            if (missing) {
                diagnosis.expect(hypothesis, Kind.UNEXPLAINED, before + " has taken effect before " + beat);
                return false;
            }
        }
        return true;
    }

    void readHeartbeat(Hypothesis hypothesis, Beat beat, long now, Consumer<Hypothesis> to) {
        if (!comesAfter(hypothesis, beat)) {
            return;
        }
        Device known = hypothesis.find(beat.device());
        if (beat.session() != null && !countsOfSession(hypothesis, known, beat, to)) {
            return;
        }
        long named = leaseOf(beat);
        if (beat.applies() != Applies.YES || (beat.sentOn() && beat.time() + named <= beat.logTime())) {
            to.accept(hypothesis);
        }
        // Nothing is kept of a device that has ended, nor the last record of one that has not changed since it was
        // stored (docs/guarantees.md, promise 9).
        if (beat.applies() == Applies.NO
                && known != null
                && !known.disturbed()
                && beat.time() <= known.lease().lastRecord()) {
            return;
        }
        if (beat.sentOn() && now != Long.MIN_VALUE && beat.time() + named <= now) {
            to.accept(hypothesis); // it comes too late to change anything
            if (!position.disturbed) {
                return;
            }
        }
        if (known == null
                && ((beat.closed() && beat.state() == null) || hypothesis.devices.size() >= settings.maxDevices())) {
            to.accept(hypothesis);
            return;
        }
        Hold hold = known == null ? null : known.hold();
        if (hold == null || beat.session() != null || beat.closed()) {
            apply(hypothesis, known, beat, named, now, false, to);
            return;
        }
        boolean isElsewhere =
                beat.shard() != null && !beat.shard().equals(hold.session().shard());
        Boolean takesOver = bounds.hasSessionEnded(hold, now);
        if (beat.leaseMs() != null || isElsewhere) {
            takesOver = true;
        }
        if (takesOver == null || !takesOver) {
            apply(hypothesis, known, beat, named, now, true, to);
        }
        if (takesOver == null || takesOver) {
            apply(hypothesis, known, beat, named, now, false, to);
        }
    }

    /** Whether a record with a session does anything; where that is open, it may have done nothing as well. */
    private boolean countsOfSession(Hypothesis hypothesis, @Nullable Device known, Beat beat, Consumer<Hypothesis> to) {
        Hold hold = known == null ? null : known.lease().hold();
        boolean counts = history.partition().sessions.counts(beat.session(), beat.closed(), beat.offset())
                && (!beat.closed() || (hold != null && hold.session().equals(beat.session())));
        boolean endsAgain = beat.closed() && known != null && known.lease().closed();
        if (!counts || endsAgain) {
            to.accept(hypothesis);
        }
        return counts;
    }

    /** How long after it was written it still counts if it was sent on. */
    private long leaseOf(Beat beat) {
        if (beat.session() == null) {
            return beat.leaseMs() == null ? settings.leaseMs() : beat.leaseMs();
        }
        return beat.closed() || bounds.isAlive(beat.session()) ? NO_LEASE : settings.shardLeaseMs();
    }

    private void apply(
            Hypothesis hypothesis,
            @Nullable Device known,
            Beat beat,
            long named,
            long now,
            boolean isStillHeld,
            Consumer<Hypothesis> to) {
        Hypothesis after = hypothesis.copy();
        State before = known == null ? null : known.state();
        State state = beat.state() != null ? beat.state() : before != null ? before : State.ONLINE;
        long since = known == null || state != before ? beat.at() : known.since();
        after.put(
                beat.closed()
                        ? closed(known, beat, state, since, named, now)
                        : known != null && isStillHeld
                                ? stillHeld(known, beat, state, since)
                                : beat.session() != null
                                        ? opened(known, beat, state, since)
                                        : renewed(known, beat, state, since, named));
        if (!beat.closed() && state == State.ONLINE && !after.hidden) {
            boolean stepsBack = !beat.sentOn() && beat.at() < after.lastActive;
            after.lastActive = Math.max(after.lastActive, beat.at());
            boolean isBeforeFlag = after.flagsRead > 0
                    && beat.at() < log.flags.get(after.flagsRead - 1).stamp(); // it may be taken for one from before
            if (!history.disturbances().all().contains(position.time) && !isBeforeFlag) {
                after.storedLastActive = stepsBack ? Math.min(after.storedLastActive, beat.at()) : after.lastActive;
            }
        }
        if (before != null && before != state) {
            after.left(before, Span.at(beat.at()));
        }
        if (before == state || output.emit(after, Span.at(beat.at()), Span.at(beat.at()), null)) {
            to.accept(after);
        }
    }

    private Device closed(@Nullable Device known, Beat beat, State state, long since, long named, long now) {
        Span ends = (known == null ? Span.at(beat.time() + named) : bounds.end(known, now))
                .notAfter(beat.time() + settings.graceMs());
        long lease = known == null ? named : known.lease().ms();
        Lease after = new Lease(
                beat.time(),
                lease,
                known == null ? lease : known.lease().longestMs(),
                known == null ? ends.lo() : known.lease().runsTo(),
                true,
                ends.lo(),
                known == null ? beat.shard() : known.lease().shard(),
                known == null ? null : known.lease().hold());
        return new Device(beat.device(), state, since, after, ends, ends.hi(), false);
    }

    private Device opened(@Nullable Device known, Beat beat, State state, long since) {
        long last = known == null ? beat.time() : Math.max(known.lease().lastRecord(), beat.time());
        Hold hold = new Hold(Objects.requireNonNull(beat.session()), beat.offset(), beat.time(), last);
        long lease = settings.shardLeaseMs();
        Lease after = new Lease(last, lease, lease, beat.time(), false, beat.time(), beat.shard(), hold);
        return new Device(beat.device(), state, since, after, Span.at(beat.time()), beat.time(), false);
    }

    /** The session goes on holding a device of which somebody set the state. */
    private static Device stillHeld(Device known, Beat beat, State state, long since) {
        Lease lease = known.lease();
        long last = Math.max(lease.lastRecord(), beat.time());
        Lease after = new Lease(
                last,
                lease.ms(),
                lease.longestMs(),
                lease.runsTo(),
                false,
                lease.endedBy(),
                lease.shard(),
                Objects.requireNonNull(lease.hold()).withLastRecord(beat.time()));
        return new Device(known.id(), state, since, after, known.deadline(), known.ownLatest(), false);
    }

    /** One that names no lease never shortens the one that runs, and one that names no shard leaves it (rule 4). */
    private Device renewed(@Nullable Device known, Beat beat, State state, long since, long named) {
        long renewed = beat.time() + named;
        long runsTo = renewed;
        long lease = named;
        long latest = renewed;
        long longest = named;
        boolean neverShortens = beat.leaseMs() == null || beat.applies() == Applies.MAYBE;
        if (known != null && known.lease().hold() == null && neverShortens) {
            if (!known.lease().closed() && known.lease().runsTo() > renewed) {
                runsTo = known.lease().runsTo();
                lease = known.lease().ms();
            }
            // An extension, and a lease from before the connection ended, may run on or not.
            latest = Math.max(
                    runsTo, Math.max(known.deadline().hi(), known.lease().runsTo()));
            longest = latest > renewed ? Math.max(named, known.lease().longestMs()) : named;
        }
        if (beat.leaseMs() != null) {
            runsTo = renewed; // also of one of which it is open whether it is the newer one
        }
        Lease after = new Lease(
                known == null ? beat.time() : Math.max(known.lease().lastRecord(), beat.time()),
                lease,
                longest,
                runsTo,
                false,
                runsTo,
                beat.shard() == null && known != null ? known.lease().shard() : beat.shard(),
                null);
        return new Device(beat.device(), state, since, after, new Span(runsTo, latest), latest, false);
    }
}
