package dev.rollcall.chaos.check;

import static dev.rollcall.chaos.check.Belief.NEVER;

import dev.rollcall.chaos.check.Belief.Device;
import dev.rollcall.chaos.check.Belief.Trace;
import dev.rollcall.chaos.check.Decoder.Presence;
import dev.rollcall.chaos.check.UserLog.Applies;
import dev.rollcall.chaos.check.UserLog.Beat;
import dev.rollcall.chaos.check.UserLog.Emitted;
import dev.rollcall.chaos.check.UserLog.Flag;
import dev.rollcall.chaos.check.UserLog.Text;
import dev.rollcall.chaos.check.Violation.Kind;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Looks for a way to read one user's logs by which the rules say, record for record, what was emitted.
 *
 * <p>The heartbeat partition is walked through in its order. Not known are where the texts and flags were read in between,
 * where a task was taken over, and so when exactly a device ended; so there is a set of {@link Belief}s, each with bounds
 * for what is unknown. A belief by which the next thing to say is not the next record on the output is dropped. When none
 * is left, there is no such way.
 *
 * <p>What lasts is measured by the partition's own time; what is emitted is held against the stamps, which are the same
 * where none of them steps ({@link PartitionClock}). All in ms.
 */
final class Search {
    private static final int MOST_BELIEFS = 20_000;
    /** From here on, beliefs that differ in bounds only become one. */
    private static final int KEPT_APART = 24;

    private static final int MOST_AT_AN_INSTANT = 12;
    private static final int EXPECTATIONS_SHOWN = 4;
    private static final int MOST_EXPECTATIONS = 200;

    /** @param undecided whether there were too many ways to look at them all */
    record Result(String user, List<Violation> violations, boolean undecided, List<Lateness> expiries) {}

    /** What should have been emitted instead of the next record, or of the end of the output. */
    private record Expectation(Kind kind, String text) {}

    @SuppressWarnings("serial")
    private static final class TooManyException extends RuntimeException {}

    private final UserLog log;
    private final PartitionLog partition;
    private final Settings settings;
    private final PartitionClock clock;
    private final Disturbances disturbances;
    private final Windows windows;
    private final Windows brokerWindows;
    private final long until;
    private final boolean everHidden;
    private final Map<String, Set<String>> shardsOf = new HashMap<>();

    /** From when on each text and each flag may be read. */
    private final List<Long> textsFrom = new ArrayList<>();

    private final List<Long> flagsFrom = new ArrayList<>();

    private Collection<Belief> beliefs = List.of(new Belief());
    private long offset = -1;
    private long time = Long.MIN_VALUE;
    private boolean isDisturbed;
    private int ticksRead;
    private int beatsRead;
    private int silencesRead;

    /** Beliefs by which there is more to say, but the log ends too soon for it. */
    private final List<Belief> unsaid = new ArrayList<>();

    private int furthest;
    private final Set<Expectation> expectations = new LinkedHashSet<>();

    /** @param until when the logs end, by the partition's time */
    Search(UserLog log, PartitionLog partition, Settings settings, Disturbances disturbances, long until) {
        this.log = log;
        this.partition = partition;
        this.settings = settings;
        this.clock = partition.clock;
        this.disturbances = disturbances;
        this.windows = disturbances.all();
        this.brokerWindows = disturbances.ofBrokers();
        this.until = until;
        this.everHidden = log.isEverHidden();
        for (Beat beat : log.beats) {
            if (beat.shard() != null) {
                shardsOf.computeIfAbsent(beat.device(), any -> new HashSet<>()).add(beat.shard());
            }
        }
        log.texts.forEach(text -> textsFrom.add(readableFrom(text.readable())));
        log.flags.forEach(flag -> flagsFrom.add(readableFrom(flag.readable())));
    }

    Result run() {
        try {
            while (next()) {
                if (beliefs.isEmpty() && unsaid.isEmpty()) {
                    return failed();
                }
            }
            come(Long.MAX_VALUE, until);
            return finish();
        } catch (TooManyException e) {
            return new Result(log.user, List.of(), true, List.of());
        }
    }

    // ---- walking through the partition ----

    /** Goes on to the next heartbeat of the user, or the next clock tick by which something may end, or by which it
     * matters whether a text or a flag has been read. */
    private boolean next() {
        int tick = nextTick();
        long tickOffset = tick < partition.tickOffsets.size() ? partition.tickOffsets.get(tick) : Long.MAX_VALUE;
        if (beatsRead < log.beats.size() && log.beats.get(beatsRead).offset() < tickOffset) {
            Beat beat = log.beats.get(beatsRead++);
            long now = partition.nowBefore(beat.offset());
            ticksRead = partition.tickOffsets.firstFrom(beat.offset());
            come(beat.offset(), beat.logTime());
            each((belief, to) -> settle(belief, now, true, settled -> take(settled, beat, now, to)));
            return true;
        }
        if (tickOffset == Long.MAX_VALUE) {
            return false;
        }
        ticksRead = tick + 1;
        long now = partition.tickTimes.get(tick);
        come(tickOffset, now);
        each((belief, to) -> settle(belief, now, false, to));
        return true;
    }

    private int nextTick() {
        long due = Long.MAX_VALUE;
        for (Belief belief : beliefs) {
            due = Math.min(due, belief.textEnd);
            for (Device device : belief.devices) {
                due = Math.min(due, device.deadline().lo());
            }
            if (!belief.forgettableSince.equals(Span.NEVER) && belief.devices.isEmpty()) {
                due = Math.min(due, belief.forgettableSince.lo() + settings.retentionMs());
            }
            if (belief.textsRead < log.texts.size()) {
                due = Math.min(due, textsFrom.get(belief.textsRead));
            }
            if (belief.flagsRead < log.flags.size()) {
                due = Math.min(due, flagsFrom.get(belief.flagsRead));
            }
        }
        return Math.max(ticksRead, partition.tickTimes.firstFrom(due));
    }

    /** All that may have happened from the last record that was looked at until just before this one is handled. */
    private void come(long toOffset, long toTime) {
        long from = time;
        long now = partition.nowBefore(toOffset);
        boolean wasDisturbed = isDisturbed;
        isDisturbed = windows.lastWithin(from, Math.max(from, toTime)) != Windows.NONE;
        if (isDisturbed && !wasDisturbed) {
            beliefs.forEach(Search::beginDisturbance);
        }
        disturb(from, Math.max(from, toTime)); // before the texts and flags, or after them
        readTextsAndFlags(from, Math.max(from, toTime), now);
        widen(clock.stepsBack(offset, toOffset));
        offset = toOffset;
        time = Math.max(time, toTime);
        while (silencesRead < partition.silences.size()
                && partition.silences.get(silencesRead).offset() <= toOffset) {
            PartitionLog.Silence silence = partition.silences.get(silencesRead++);
            beliefs.forEach(belief -> excuse(belief, silence));
        }
        disturb(from, time);
    }

    /** Where stamps step back, which records count for how far is open: those of users who hide do not. */
    private void widen(long ms) {
        if (ms > 0) {
            beliefs.forEach(belief -> belief.devices.forEach(device -> belief.put(device.withDeadline(
                    new Span(device.deadline().lo() - ms, device.deadline().hi() + ms),
                    device.ownLatest() + ms,
                    device.disturbed()))));
        }
    }

    /** Each take-over adds one lease to what an earlier one, of which nobody has noticed the end yet, has made of it. */
    private static void beginDisturbance(Belief belief) {
        belief.devices.forEach(device -> belief.put(device.withDeadline(
                device.deadline(),
                Math.max(device.ownLatest(), device.deadline().hi()),
                device.disturbed())));
    }

    private void disturb(long from, long to) {
        long last = windows.lastWithin(from, to);
        if (last != Windows.NONE) {
            beliefs.forEach(belief -> disturb(belief, last));
        }
    }

    private interface Step {
        void from(Belief belief, Consumer<Belief> to);
    }

    private void each(Step step) {
        Set<Belief> after = new LinkedHashSet<>();
        for (Belief belief : beliefs) {
            step.from(belief, after::add);
            if (after.size() > MOST_BELIEFS) {
                throw new TooManyException();
            }
        }
        beliefs = fewer(after);
    }

    private static Collection<Belief> fewer(Collection<Belief> many) {
        if (many.size() <= KEPT_APART) {
            return many;
        }
        Map<Object, Belief> joined = new LinkedHashMap<>();
        many.forEach(belief -> joined.merge(belief.outline(), belief, (one, other) -> {
            one.join(other);
            return one;
        }));
        return joined.values();
    }

    // ---- texts and flags, read anywhere in between ----

    private void readTextsAndFlags(long from, long to, long now) {
        if (log.texts.isEmpty() && log.flags.isEmpty()) {
            return;
        }
        List<Belief> all = new ArrayList<>();
        Collection<Belief> level = beliefs;
        while (!level.isEmpty()) {
            all.addAll(level);
            Set<Belief> oneMoreRead = new LinkedHashSet<>();
            level.forEach(belief -> readOneMore(belief, from, to, now, oneMoreRead::add));
            if (oneMoreRead.size() > MOST_BELIEFS) {
                throw new TooManyException();
            }
            level = fewer(oneMoreRead);
        }
        all.removeIf(belief -> {
            boolean textMissing = belief.textsRead < log.texts.size()
                    && isOverdue(log.texts.get(belief.textsRead).readable(), to);
            boolean flagMissing = belief.flagsRead < log.flags.size()
                    && isOverdue(log.flags.get(belief.flagsRead).readable(), to);
            if (textMissing && isWorthTelling(belief)) {
                expect(belief, Kind.UNEXPLAINED, log.texts.get(belief.textsRead) + " has been read");
            }
            if (flagMissing && isWorthTelling(belief)) {
                expect(belief, Kind.UNEXPLAINED, log.flags.get(belief.flagsRead) + " has been read");
            }
            return textMissing || flagMissing;
        });
        beliefs = fewer(all.stream().map(Belief::copy).toList());
    }

    private void readOneMore(Belief belief, long from, long to, long now, Consumer<Belief> reached) {
        Text text = belief.textsRead < log.texts.size() ? log.texts.get(belief.textsRead) : null;
        Flag flag = belief.flagsRead < log.flags.size() ? log.flags.get(belief.flagsRead) : null;
        boolean readsText = text != null && mayBeReadBetween(text.readable(), from, to);
        boolean readsFlag = flag != null && mayBeReadBetween(flag.readable(), from, to);
        if (readsText || readsFlag) {
            settle(belief, now, true, settled -> {
                if (text != null && readsText) {
                    readText(settled, text, now, reached);
                }
                if (flag != null && readsFlag) {
                    readFlag(settled, flag, reached);
                }
            });
        }
    }

    private long readableFrom(long written) {
        return brokerWindows.undisturbedBefore(written, settings.slackMs());
    }

    private boolean mayBeReadBetween(long written, long from, long to) {
        long nearest = Math.max(from, Math.min(to, written));
        return brokerWindows.undisturbedMs(Math.min(nearest, written), Math.max(nearest, written))
                <= settings.slackMs();
    }

    private boolean isOverdue(long written, long at) {
        return brokerWindows.undisturbedMs(written, at) > settings.slackMs();
    }

    /** Whether everything was read that had been acknowledged some time before this was sent (rule 7). */
    private boolean comesAfter(Belief belief, Beat beat) {
        for (Entry.Before before : beat.after()) {
            boolean isFlag = before.topic().equals("appear-offline");
            boolean missing = isFlag
                    ? log.flags.stream()
                            .skip(belief.flagsRead)
                            .anyMatch(flag ->
                                    flag.offset() <= before.offset() && disturbances.isCauseOf(flag.stamp(), beat))
                    : log.texts.stream()
                            .skip(belief.textsRead)
                            .anyMatch(text ->
                                    text.offset() <= before.offset() && disturbances.isCauseOf(text.stamp(), beat));
            if (missing) {
                expect(belief, Kind.UNEXPLAINED, before + " has taken effect before " + beat);
                return false;
            }
        }
        return true;
    }

    private void readText(Belief belief, Text text, long now, Consumer<Belief> reached) {
        if (text.applies() != Applies.YES) {
            Belief unchanged = belief.copy();
            unchanged.textsRead++;
            reached.accept(unchanged);
        }
        if (text.applies() == Applies.NO) {
            return;
        }
        Set<Boolean> over = new HashSet<>();
        over.add(isOver(text, Math.max(text.stamp(), now)));
        if (now != Long.MIN_VALUE) {
            over.add(isOver(text, Math.max(text.stamp(), now - clock.shift(offset))));
        }
        if (isDisturbed) {
            over.add(isOver(text, text.stamp()));
        }
        for (boolean isOver : over) {
            String newText = isOver ? null : text.text();
            long newEnd = newText == null || text.endsAt() == null ? Long.MAX_VALUE : text.endsAt();
            Belief after = belief.copy();
            after.textsRead++;
            boolean same = Objects.equals(newText, after.text) && newEnd == after.textEnd;
            after.text = newText;
            after.textEnd = newEnd;
            Span at = changedAt(text.stamp(), text.arrival());
            if (same || emit(after, at, at, null)) {
                reached.accept(after);
            }
        }
    }

    private static boolean isOver(Text text, long at) {
        return text.endsAt() != null && text.endsAt() <= at;
    }

    private void readFlag(Belief belief, Flag flag, Consumer<Belief> reached) {
        if (flag.applies() != Applies.YES) {
            Belief unchanged = belief.copy();
            unchanged.flagsRead++;
            reached.accept(unchanged);
        }
        if (flag.applies() == Applies.NO) {
            return;
        }
        Belief after = belief.copy();
        after.flagsRead++;
        boolean same = after.hidden == flag.hidden();
        after.hidden = flag.hidden();
        Span at = changedAt(flag.stamp(), flag.arrival());
        if (same || emit(after, at, at, null)) {
            reached.accept(after);
        }
    }

    /** One that was sent on changes what others see when it arrives, or counts from when it was first written. */
    private static Span changedAt(long stamp, long arrival) {
        return new Span(stamp, Math.max(stamp, arrival));
    }

    // ---- what counts in a device's favour ----

    /**
     * Whether clock ticks could have been there: some were just before it, or a processor may have read the record before it as
     * its first one after a take-over, and wrote a clock tick as soon as the silence was over.
     */
    private boolean mayBeExcused(PartitionLog.Silence silence) {
        return silence.sinceTickMs() <= settings.logGapMs()
                || (silence.tickFollows() && windows.contains(silence.from()));
    }

    /**
     * Where the log was silent although a processor was writing clock ticks, a device that was live gets as long as that
     * lasted, at most a lease. That is a must for the first silence since its last record: they do not add up.
     */
    private void excuse(Belief belief, PartitionLog.Silence silence) {
        if (!mayBeExcused(silence)) {
            return;
        }
        long lasted = silence.to() - silence.from();
        boolean certain = silence.certain() && silence.sinceTickMs() <= settings.tickMs();
        for (Device device : belief.devices) {
            Span deadline = device.deadline();
            boolean heardBefore = device.lastRecord() <= silence.from();
            long lo = deadline.lo();
            if (certain && heardBefore && lo > silence.from() && lo == ownDeadline(device)) {
                lo = Math.max(lo, silence.to() + Math.min(lasted, patience(device, device.leaseMs())));
            }
            long hi = deadline.hi();
            long ownLatest = device.ownLatest();
            boolean mayBeHeld = !device.closed() && shardsOf.containsKey(device.id());
            boolean mayHaveBeenLive = hi + (mayBeHeld ? settings.shardHoldMs() : 0) > silence.from();
            if (mayHaveBeenLive && (heardBefore || !silence.certain() || device.disturbed())) {
                long extended = silence.to() + Math.min(lasted, patience(device, device.longestLeaseMs()));
                hi = Math.max(hi, extended);
                ownLatest = Math.max(ownLatest, extended);
            }
            if (lo != deadline.lo() || hi != deadline.hi()) {
                belief.put(device.withDeadline(new Span(lo, hi), ownLatest, device.disturbed()));
            }
        }
    }

    /** By its records alone. */
    private static long ownDeadline(Device device) {
        return device.closed() ? device.endedBy() : device.runsTo();
    }

    private long patience(Device device, long leaseMs) {
        return device.closed() ? settings.graceMs() : leaseMs;
    }

    /**
     * A task may have been taken over. The first record that the new owner read may be as late as that; but the owner
     * before has read no clock tick by which the device had to go, so it is noticed at most one lease late (promise 4), however
     * often that happens.
     */
    private void disturb(Belief belief, long at) {
        for (Device device : belief.devices) {
            Span deadline = device.deadline();
            boolean mayBeHeld = !device.closed() && shardsOf.containsKey(device.id());
            long liveUntil = device.ownLatest() + (mayBeHeld ? settings.shardHoldMs() : 0);
            long goneBy = Math.max(liveUntil + settings.tickMs() + settings.slackMs(), clock.firstTimeFrom(liveUntil));
            long extended = Math.min(at, goneBy) + device.longestLeaseMs();
            Span after = device.closed()
                    ? new Span(Math.min(deadline.lo(), device.endedBy()), deadline.hi())
                    : new Span(deadline.lo(), Math.max(deadline.hi(), extended));
            belief.put(device.withDeadline(after, device.ownLatest(), true));
        }
        belief.storedLastActive = belief.emitted == null ? NEVER : orNever(belief.emitted.lastActive());
    }

    /** When a device goes, as far as it can be known by then. */
    private Span end(Device device, long now) {
        if (device.closed() || device.deadline().lo() > now || !shardsOf.containsKey(device.id())) {
            return device.deadline();
        }
        if (device.deadline().isExact() && !device.disturbed() && !everHidden) {
            ShardLog shard = device.shard() == null ? null : partition.shards.get(device.shard());
            Long end = shard == null
                    ? (Long) device.deadline().lo()
                    : shard.end(device.deadline().lo(), device.lastRecord(), device.leaseMs(), offset, now);
            if (end != null) {
                return Span.at(end);
            }
        }
        return mayBeHeld(device, offset, now)
                ? new Span(device.deadline().lo(), device.deadline().hi() + settings.shardHoldMs())
                : device.deadline();
    }

    private boolean mayBeHeld(Device device, long atOffset, long now) {
        for (String name : shardsOf.getOrDefault(device.id(), Set.of())) {
            ShardLog shard = partition.shards.get(name);
            if (shard != null && shard.mayBeSilent(device.lastRecord(), atOffset, now)) {
                return !device.closed();
            }
        }
        return false;
    }

    // ---- what a heartbeat does ----

    private void take(Belief belief, Beat beat, long now, Consumer<Belief> to) {
        if (!comesAfter(belief, beat)) {
            return;
        }
        Device known = belief.find(beat.device());
        long named = beat.leaseMs() == null ? settings.leaseMs() : beat.leaseMs();
        if (beat.applies() != Applies.YES || (beat.sentOn() && beat.time() + named <= beat.logTime())) {
            to.accept(belief);
        }
        // Of a device that has ended nothing is remembered, and of one that did not change since it was stored not when
        // it
        // was heard last (docs/guarantees.md, promise 9).
        if (beat.applies() == Applies.NO && known != null && !known.disturbed() && beat.time() <= known.lastRecord()) {
            return;
        }
        if (beat.sentOn() && now != Long.MIN_VALUE && beat.time() + named <= now) {
            to.accept(belief); // it comes too late to change anything
            if (!isDisturbed) {
                return;
            }
        }
        if (known == null
                && ((beat.closed() && beat.state() == null) || belief.devices.size() >= settings.maxDevices())) {
            to.accept(belief);
            return;
        }
        Belief after = belief.copy();
        State before = known == null ? null : known.state();
        State state = beat.state() != null ? beat.state() : before != null ? before : State.ONLINE;
        long since = known == null || state != before ? beat.at() : known.since();
        after.put(
                beat.closed()
                        ? closed(known, beat, state, since, named, now)
                        : heard(known, beat, state, since, named));
        if (!beat.closed() && state == State.ONLINE && !after.hidden) {
            boolean stepsBack = !beat.sentOn() && beat.at() < after.lastActive;
            after.lastActive = Math.max(after.lastActive, beat.at());
            boolean isBeforeFlag = after.flagsRead > 0
                    && beat.at() < log.flags.get(after.flagsRead - 1).stamp(); // it may be taken for one from before
            if (!windows.contains(time) && !isBeforeFlag) {
                after.storedLastActive = stepsBack ? Math.min(after.storedLastActive, beat.at()) : after.lastActive;
            }
        }
        if (before != null && before != state) {
            after.left(before, Span.at(beat.at()));
        }
        if (before == state || emit(after, Span.at(beat.at()), Span.at(beat.at()), null)) {
            to.accept(after);
        }
    }

    private Device closed(@Nullable Device known, Beat beat, State state, long since, long named, long now) {
        Span ends = (known == null ? Span.at(beat.time() + named) : end(known, now))
                .notAfter(beat.time() + settings.graceMs());
        long lease = known == null ? named : known.leaseMs();
        return new Device(
                beat.device(),
                state,
                since,
                beat.time(),
                lease,
                known == null ? lease : known.longestLeaseMs(),
                known == null ? ends.lo() : known.runsTo(),
                true,
                known == null ? beat.shard() : known.shard(),
                ends,
                ends.hi(),
                ends.lo(),
                false);
    }

    /** One that names no lease never shortens the one that runs, and one that names no shard leaves it (rule 4). */
    private Device heard(@Nullable Device known, Beat beat, State state, long since, long named) {
        long renewed = beat.time() + named;
        long runsTo = renewed;
        long lease = named;
        long latest = renewed;
        long longest = named;
        boolean neverShortens = beat.leaseMs() == null || beat.applies() == Applies.MAYBE;
        if (known != null && neverShortens) {
            if (!known.closed() && known.runsTo() > renewed) {
                runsTo = known.runsTo();
                lease = known.leaseMs();
            }
            // What counted in the device's favour, and a lease from before its connection ended, may run on or not.
            latest = Math.max(runsTo, Math.max(known.deadline().hi(), known.runsTo()));
            longest = latest > renewed ? Math.max(named, known.longestLeaseMs()) : named;
        }
        if (beat.leaseMs() != null) {
            runsTo = renewed; // also of one of which it is open whether it is the newer one
        }
        return new Device(
                beat.device(),
                state,
                since,
                known == null ? beat.time() : Math.max(known.lastRecord(), beat.time()),
                lease,
                longest,
                runsTo,
                false,
                beat.shard() == null && known != null ? known.shard() : beat.shard(),
                new Span(runsTo, latest),
                latest,
                runsTo,
                false);
    }

    // ---- what time does ----

    /** Something that ends: a device, or the text (null). */
    private record End(@Nullable Device device, Span at) {}

    /** Ends what is due, one instant after the other, in each way that is possible. */
    private void settle(Belief belief, long now, boolean isOwnInput, Consumer<Belief> to) {
        if (now == Long.MIN_VALUE || (isOwnInput && isDisturbed)) {
            to.accept(belief); // a new owner does not know the time before its first clock tick
        }
        if (now != Long.MIN_VALUE) {
            endFrom(belief, Long.MIN_VALUE, now, after -> forget(after, now, isOwnInput, to));
        }
    }

    private void endFrom(Belief belief, long floor, long now, Consumer<Belief> to) {
        List<End> due = due(belief, now);
        long first = Long.MAX_VALUE;
        for (End end : due) {
            first = Math.min(first, end.at().hi());
        }
        long bound = Math.min(first, now);
        due.removeIf(end -> end.at().lo() > bound);
        endSome(belief, due, floor, now, bound, to);
        if (first > now) {
            to.accept(belief); // last: of two ways to the same belief, the one that ended it earlier is kept
        }
    }

    private void endSome(Belief belief, List<End> due, long floor, long now, long bound, Consumer<Belief> to) {
        if (due.stream().allMatch(end -> end.at().isExact())) {
            if (!due.isEmpty()) {
                endTogether(belief, due, due, floor, now, bound, to);
            }
            return;
        }
        if (due.size() > MOST_AT_AN_INSTANT) {
            throw new TooManyException();
        }
        for (int chosen = 1; chosen < 1 << due.size(); chosen++) {
            List<End> together = new ArrayList<>();
            for (int i = 0; i < due.size(); i++) {
                if ((chosen & (1 << i)) != 0) {
                    together.add(due.get(i));
                }
            }
            endTogether(belief, together, due, floor, now, bound, to);
        }
    }

    private List<End> due(Belief belief, long now) {
        List<End> due = new ArrayList<>();
        for (Device device : belief.devices) {
            Span at = end(device, now);
            if (at.lo() <= now) {
                due.add(new End(device, at));
            }
        }
        if (belief.textEnd <= now) {
            due.add(new End(null, new Span(belief.textEnd, belief.textEnd + clock.shift(offset))));
        }
        return due;
    }

    private void endTogether(
            Belief belief, List<End> together, List<End> due, long floor, long now, long bound, Consumer<Belief> to) {
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
        Span instant = new Span(earliest - clock.shift(offset), bound);
        Belief after = belief.copy();
        Span onlineGone = Span.NEVER;
        Span idleGone = Span.NEVER;
        long deadline = NEVER;
        long latest = NEVER;
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
            deadline = Math.max(deadline, device.deadline().lo());
            // Not cut off at the clock tick: else two beliefs that differ in when they noticed it would never be one
            // again.
            after.left(device.state(), stamps(device, device.deadline()));
            Span own = stamps(device, device.deadline().notAfter(bound));
            if (device.state() == State.ONLINE) {
                onlineGone = onlineGone.or(own);
            } else if (device.state() == State.IDLE) {
                idleGone = idleGone.or(own);
            }
        }
        Span stateAt = after.union() == State.OFFLINE ? onlineGone.or(idleGone) : onlineGone;
        if (emit(after, stateAt, instant, new Expiry(deadline, latest, now))) {
            endFrom(after, earliest, now, to);
        }
    }

    /** What an instant of the partition's time is as a stamp, which is open where stamps have stepped since. */
    private Span stamps(Device device, Span times) {
        return new Span(times.lo() - clock.shift(offset), times.hi() - clock.leastShiftAt(device.lastRecord()));
    }

    /** After a long time of nothing to say a user is forgotten, when somebody looks (rule 11). */
    private void forget(Belief belief, long now, boolean isOwnInput, Consumer<Belief> to) {
        Span at = belief.forgettableSince.plus(belief.forgettableSince.equals(Span.NEVER) ? 0 : settings.retentionMs());
        if (belief.forgettableSince.equals(Span.NEVER) || !belief.devices.isEmpty() || at.lo() > now) {
            to.accept(belief);
            return;
        }
        if (!isOwnInput || at.hi() > now || isDisturbed) {
            to.accept(belief);
        }
        Emitted next = belief.emittedSoFar < log.emitted.size() ? log.emitted.get(belief.emittedSoFar) : null;
        if (next != null && next.value() == null && at.contains(next.at())) {
            Belief after = belief.copy();
            after.emittedSoFar++;
            after.emitted = null;
            after.lastActive = NEVER;
            after.storedLastActive = NEVER;
            after.forgettableSince = Span.NEVER;
            to.accept(after);
        } else if (isOwnInput) {
            expect(belief, Kind.LOST, "a tombstone at " + at);
        }
    }

    // ---- what is emitted ----

    private record Expiry(long deadline, long latest, long noticedAt) {}

    /**
     * Says the visible state and text if they differ from what was last emitted, and holds it against the next record.
     *
     * @param stateAt when the state changed, if it did; {@link Span#NEVER}: it did not
     * @param textAt when the text changed, if it did
     * @return whether that is how it was
     */
    private boolean emit(Belief belief, Span stateAt, Span textAt, @Nullable Expiry expiry) {
        State state = belief.hidden ? State.OFFLINE : belief.union();
        Presence before = belief.emitted;
        boolean newState = before == null || before.state() != state;
        boolean newText = !Objects.equals(before == null ? null : before.status(), belief.text);
        boolean nothingToSay = before == null && state == State.OFFLINE && belief.text == null;
        if (!nothingToSay && (newState || newText)) {
            Span changed = stateAt.equals(Span.NEVER) ? textAt : stateAt;
            Span since = before != null && !newState ? Span.at(before.since()) : begin(belief, state, changed);
            if (expiry != null && !clock.hasSteps()) {
                since = new Span(since.lo(), Math.min(since.hi(), Math.max(since.lo(), expiry.noticedAt())));
            }
            if (!isNext(belief, state, since, newState, newText, textAt)) {
                return false;
            }
            Presence emitted =
                    Objects.requireNonNull(log.emitted.get(belief.emittedSoFar).value());
            belief.emittedSoFar++;
            belief.emitted = emitted;
            belief.lastActive = orNever(emitted.lastActive());
            belief.storedLastActive = belief.lastActive;
            if (expiry != null) {
                belief.trace = new Trace(
                        new Lateness(
                                log.user,
                                log.partition,
                                expiry.deadline(),
                                newState ? emitted.since() : expiry.deadline(),
                                expiry.latest(),
                                expiry.noticedAt()),
                        belief.trace);
            }
        }
        if (belief.emitted == null || belief.text != null || belief.hidden || state != State.OFFLINE) {
            belief.forgettableSince = Span.NEVER;
        } else if (belief.forgettableSince.equals(Span.NEVER)) {
            belief.forgettableSince = stateAt.or(textAt).or(Span.at(belief.emitted.since()));
        }
        belief.dropWhatNoLongerMatters();
        return true;
    }

    private boolean isNext(Belief belief, State state, Span since, boolean newState, boolean newText, Span textAt) {
        Presence before = belief.emitted;
        long sequence = before == null ? 1 : before.sequence() + 1;
        State previous = before == null ? null : before.state();
        boolean isThere = belief.emittedSoFar < log.emitted.size();
        Presence actual = isThere ? log.emitted.get(belief.emittedSoFar).value() : null;
        Kind wrong;
        if (!isThere) {
            wrong = Kind.LOST;
        } else if (actual == null
                || actual.state() != state
                || actual.previous() != previous
                || actual.sequence() != sequence
                || !Objects.equals(actual.status(), belief.text)) {
            wrong = Kind.UNEXPLAINED;
        } else if (!since.contains(actual.since())
                || !isTime(
                        belief, log.emitted.get(belief.emittedSoFar).at(), actual.since(), newState, newText, textAt)) {
            wrong = Kind.WRONG_TIME;
        } else if (orNever(actual.lastActive()) < belief.storedLastActive
                || orNever(actual.lastActive()) > belief.lastActive) {
            wrong = Kind.LAST_ACTIVE;
        } else {
            return true;
        }
        if (isWorthTelling(belief)) {
            expect(
                    belief,
                    wrong,
                    "%s (after %s) since %s, text %s, last active %s, sequence %d, the text changed at %s"
                            .formatted(
                                    state,
                                    previous,
                                    since,
                                    belief.text,
                                    belief.lastActive == NEVER
                                            ? "never"
                                            : new Span(belief.storedLastActive, belief.lastActive),
                                    sequence,
                                    newText ? textAt : "-"));
        }
        if (!isThere && isTail()) {
            unsaid.add(belief);
        }
        return false;
    }

    /** The instant of the change, which is the record's timestamp; but never before that of what was last emitted. */
    private boolean isTime(Belief belief, long at, long since, boolean newState, boolean newText, Span textAt) {
        Span instant = newText ? (newState ? textAt.or(Span.at(since)) : textAt) : Span.at(since);
        Span floor = belief.emitted == null
                ? Span.NEVER
                : Span.at(log.emitted.get(belief.emittedSoFar - 1).at());
        return instant.contains(at) || instant.or(floor).contains(at);
    }

    private Span begin(Belief belief, State state, Span changed) {
        Span begin = belief.emitted == null ? changed : changed.or(Span.at(belief.emitted.since()));
        if (belief.hidden) {
            return begin; // which no device has a part in
        }
        Span latest = begin;
        if (state != State.ONLINE) {
            latest = latest.or(belief.leftOnline);
        }
        if (state == State.OFFLINE) {
            latest = latest.or(belief.leftIdle);
        } else {
            latest = latest.or(Span.at(belief.devices.stream()
                    .filter(device -> device.state() == state)
                    .mapToLong(Device::since)
                    .min()
                    .orElseThrow()));
        }
        return clock.hasSteps() ? begin.join(latest) : latest; // of stamps that step, the later one may be the lower
    }

    // ---- the end ----

    private boolean isTail() {
        return time >= until || (time != Long.MIN_VALUE && windows.undisturbedMs(time, until) <= settings.slackMs());
    }

    private boolean isWorthTelling(Belief belief) {
        return belief.emittedSoFar > furthest
                || (belief.emittedSoFar == furthest && expectations.size() < MOST_EXPECTATIONS);
    }

    private void expect(Belief belief, Kind kind, String text) {
        if (belief.emittedSoFar > furthest) {
            furthest = belief.emittedSoFar;
            expectations.clear();
        }
        if (isWorthTelling(belief)) {
            expectations.add(new Expectation(kind, text));
        }
    }

    private Result finish() {
        List<Belief> accepted = new ArrayList<>(unsaid);
        beliefs.stream()
                .filter(belief -> belief.emittedSoFar == log.emitted.size())
                .forEach(accepted::add);
        if (accepted.isEmpty()) {
            beliefs.forEach(belief -> furthest = Math.max(furthest, belief.emittedSoFar));
            return failed();
        }
        List<Violation> fewest = null;
        Belief best = accepted.get(0);
        for (Belief belief : accepted) {
            List<Violation> ghosts = ghosts(belief);
            if (fewest == null || ghosts.size() < fewest.size()) {
                fewest = ghosts;
                best = belief;
            }
        }
        List<Lateness> expiries = new ArrayList<>();
        for (Trace trace = best.trace; trace != null; trace = trace.before()) {
            expiries.add(0, trace.expiry());
        }
        return new Result(log.user, fewest == null ? List.of() : fewest, false, expiries);
    }

    private List<Violation> ghosts(Belief belief) {
        List<Violation> ghosts = new ArrayList<>();
        for (Trace trace = belief.trace; trace != null; trace = trace.before()) {
            Lateness expiry = trace.expiry();
            if (isTooLate(expiry.latest(), expiry.noticedAt())) {
                ghosts.add(new Violation(
                        Kind.GHOST,
                        log.user,
                        log.partition,
                        -1,
                        "what had to end by %d ended with the clock tick at %d"
                                .formatted(expiry.latest(), expiry.noticedAt())));
            }
        }
        for (Device device : belief.devices) {
            long latest =
                    device.deadline().hi() + (mayBeHeld(device, Long.MAX_VALUE, until) ? settings.shardHoldMs() : 0);
            if (!belief.hidden && device.state() != State.OFFLINE && isTooLate(latest, until)) {
                ghosts.add(new Violation(
                        Kind.GHOST,
                        log.user,
                        log.partition,
                        -1,
                        "%s had to end by %d, and no clock tick up to %d ended it".formatted(device, latest, until)));
            }
        }
        if (belief.textEnd != Long.MAX_VALUE && isTooLate(belief.textEnd + clock.shift(offset), until)) {
            ghosts.add(new Violation(
                    Kind.GHOST,
                    log.user,
                    log.partition,
                    -1,
                    "the text had to end by %d, and no clock tick up to %d ended it".formatted(belief.textEnd, until)));
        }
        return ghosts;
    }

    private boolean isTooLate(long latest, long at) {
        long excused = settings.tickMs() + settings.slackMs();
        for (PartitionLog.Silence silence : partition.silences) {
            if (!mayBeExcused(silence)) {
                continue;
            }
            excused += Math.max(0, Math.min(at, silence.to()) - Math.max(latest, silence.from())); // time stood still
        }
        return windows.undisturbedMs(latest, at) > excused;
    }

    private Result failed() {
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
                        time,
                        around(actual == null ? time : actual.at()));
        return new Result(
                log.user,
                List.of(new Violation(kind, log.user, log.partition, actual == null ? -1 : actual.offset(), message)),
                false,
                List.of());
    }

    /** The user's records around a time, for the person who reads the report. */
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

    private static long orNever(@Nullable Long time) {
        return time == null ? NEVER : time;
    }
}
