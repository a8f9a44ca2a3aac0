package dev.rollcall.chaos.check;

import dev.rollcall.chaos.check.Decoder.HeardBeat;
import dev.rollcall.chaos.check.Decoder.HeardTick;
import dev.rollcall.chaos.check.Decoder.Presence;
import dev.rollcall.chaos.check.UserLog.Applies;
import dev.rollcall.chaos.check.UserLog.Beat;
import dev.rollcall.chaos.check.UserLog.Emitted;
import dev.rollcall.chaos.check.UserLog.Flag;
import dev.rollcall.chaos.check.UserLog.Text;
import dev.rollcall.chaos.check.Violation.Kind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;

/**
 * Holds the output against the inputs, as they lie in their topics, by the contract alone.
 *
 * <p>Per user the plain promises are checked one by one, and then a {@link Search} asks whether the rules say exactly this
 * by any way in which the logs may have been read.
 */
public final class Checker {
    /** Further than any stamp may be ahead. */
    private static final long LEAP_MS = 86_400_000;

    private final Settings settings;
    private final List<Window> disturbances;
    private final Decoder decoder = new Decoder();
    private final Map<String, UserLog> users = new TreeMap<>();
    private final Map<Integer, PartitionLog> partitions = new HashMap<>();
    private final Map<UserLog, NewestOfUser> newest = new HashMap<>();
    private final Misrouted misrouted = new Misrouted();

    /** When the brokers' clocks may have been apart. */
    private final Windows clocksApart;

    private final List<Violation> violations = new ArrayList<>();
    private long until;
    private long beats;
    private long ticks;
    private long texts;
    private long flags;
    private long unusable;

    private Checker(Settings settings, List<Window> disturbances) {
        this.settings = settings;
        this.disturbances = disturbances;
        this.clocksApart = new Windows(disturbances.stream()
                .filter(window -> window.reach() == Window.Reach.CLOCKS)
                .toList());
    }

    /**
     * Checks the logs.
     *
     * @param disturbances when there were faults; outside of them only a clock tick by another instance than before shows that
     *     a task was taken over
     */
    public static Verdict check(Logs logs, Settings settings, List<Window> disturbances) {
        return new Checker(settings, disturbances).check(logs);
    }

    private Verdict check(Logs logs) {
        until = logs.readAt();
        clocksOf(logs.heartbeats()).forEach((partition, clock) -> {
            partitions.put(partition, new PartitionLog(clock, settings));
            until = Math.max(until, clock.lastInstant());
        });
        readStatuses(logs.statuses());
        readFlags(logs.flags());
        readHeartbeats(logs.heartbeats());
        readPresence(logs.presence());
        violations.addAll(misrouted.missing(until, new Windows(disturbances), settings.slackMs()));
        List<String> undecided = new ArrayList<>();
        List<Lateness> expiries = new ArrayList<>();
        Map<Integer, Disturbances> windows = new HashMap<>();
        List<Search> searches = new ArrayList<>();
        for (UserLog user : users.values()) {
            PartitionLog partition = partition(user.partition);
            checkChain(user);
            checkNobodyIsMissed(user, partition.clock);
            Disturbances ofPartition =
                    windows.computeIfAbsent(user.partition, any -> new Disturbances(disturbances, partition));
            checkNobodyHiddenIsShown(user, ofPartition);
            searches.add(new Search(user, partition, settings, ofPartition, partition.clock.timeAt(until)));
        }
        // Each is on its own, and only reads what they share.
        for (Search.Result result : searches.parallelStream().map(Search::run).toList()) {
            violations.addAll(result.violations());
            expiries.addAll(result.expiries());
            if (result.undecided()) {
                undecided.add(result.user());
            }
        }
        if (logs.compacted() != null) {
            checkFinalState(logs.presence(), logs.compacted());
        }
        return new Verdict(
                List.copyOf(violations),
                undecided,
                users.size(),
                beats,
                ticks,
                texts,
                flags,
                logs.presence().size(),
                unusable,
                expiries);
    }

    // ---- reading ----

    private static Map<Integer, List<Entry>> byPartition(List<Entry> entries) {
        Map<Integer, List<Entry>> partitions = new TreeMap<>();
        inOrder(entries)
                .forEach(entry -> partitions
                        .computeIfAbsent(entry.partition(), any -> new ArrayList<>())
                        .add(entry));
        return partitions;
    }

    private Map<Integer, PartitionClock> clocksOf(List<Entry> entries) {
        Map<Integer, PartitionClock> clocks = new TreeMap<>();
        byPartition(entries)
                .forEach((partition, records) ->
                        clocks.put(partition, new PartitionClock(records, settings.clockDifferenceMs())));
        return clocks;
    }

    private void readStatuses(List<Entry> entries) {
        Map<Integer, PartitionClock> clocks = clocksOf(entries);
        for (Entry entry : inOrder(entries)) {
            Decoder.StatusText status = decoder.status(entry.value());
            UserLog user = user("status", entry, status != null, clocks);
            if (user == null || status == null) {
                unusable++;
                continue;
            }
            long instant = instant(entry, clocks);
            Applies applies = newest(user).text.next(stamp(entry), isSentOn(entry), tolerance(entry, instant));
            long readable = partition(user.partition).clock.timeAt(instant);
            user.texts.add(new Text(
                    entry.offset(),
                    stamp(entry),
                    entry.timestamp(),
                    readable,
                    applies,
                    status.text(),
                    status.endsAt()));
            texts++;
        }
    }

    private void readFlags(List<Entry> entries) {
        Map<Integer, PartitionClock> clocks = clocksOf(entries);
        for (Entry entry : inOrder(entries)) {
            Boolean hidden = decoder.flag(entry.value());
            UserLog user = user("appear-offline", entry, hidden != null, clocks);
            if (user == null || hidden == null) {
                unusable++;
                continue;
            }
            long instant = instant(entry, clocks);
            Applies applies = newest(user).flag.next(stamp(entry), isSentOn(entry), tolerance(entry, instant));
            long readable = partition(user.partition).clock.timeAt(instant);
            user.flags.add(new Flag(entry.offset(), stamp(entry), entry.timestamp(), readable, applies, hidden));
            flags++;
        }
    }

    private void readHeartbeats(List<Entry> entries) {
        Map<Integer, PartitionClock> clocks = new HashMap<>();
        partitions.forEach((partition, log) -> clocks.put(partition, log.clock));
        Map<UserLog, Boolean> everHidden = new HashMap<>();
        for (Entry entry : inOrder(entries)) {
            Decoder.Heard heard = decoder.heartbeat(entry.value());
            PartitionLog partition = partition(entry.partition());
            if (heard instanceof HeardTick tick) {
                partition.tick(entry.offset(), tick.instance());
                ticks++;
                continue;
            }
            UserLog user = user("device-heartbeat", entry, heard instanceof HeardBeat, clocks);
            if (user == null || !(heard instanceof HeardBeat beat)) {
                unusable++;
                continue;
            }
            long at = stamp(entry);
            long logTime = partition.clock.time(entry.offset());
            boolean sentOn = isSentOn(entry);
            user.beats.add(new Beat(
                    entry.offset(),
                    at,
                    sentOn ? Math.min(logTime, partition.clock.timeAt(at)) : logTime,
                    logTime,
                    beat.device(),
                    beat.state(),
                    beat.closed(),
                    beat.leaseMs(),
                    beat.shard(),
                    sentOn,
                    newest(user).device(beat, at, sentOn, tolerance(entry, instant(entry, clocks))),
                    entry.after()));
            beats++;
            if (!sentOn) {
                boolean certain = !everHidden.computeIfAbsent(user, UserLog::isEverHidden);
                partition.beat(entry.offset(), beat.shard(), certain);
            }
        }
    }

    private void readPresence(List<Entry> entries) {
        for (Entry entry : inOrder(entries)) {
            String id = Decoder.user(entry.key());
            Presence value = entry.value() == null ? null : decoder.presence(entry.value());
            if (id == null || (entry.value() != null && value == null)) {
                violations.add(new Violation(
                        Kind.MALFORMED, String.valueOf(id), entry.partition(), entry.offset(), "it cannot be read"));
            } else if (!isHome(entry)) {
                violations.add(new Violation(
                        Kind.MALFORMED, id, entry.partition(), entry.offset(), "it is not on its user's partition"));
            } else {
                user(id, entry.partition())
                        .emitted
                        .add(new Emitted(entry.partition(), entry.offset(), entry.timestamp(), value));
            }
        }
    }

    private static List<Entry> inOrder(List<Entry> entries) {
        List<Entry> sorted = new ArrayList<>(entries);
        sorted.sort(Comparator.comparingInt(Entry::partition).thenComparingLong(Entry::offset));
        return sorted;
    }

    /** The record's user, if the record counts where it lies; one that does not has to be sent on. */
    private @Nullable UserLog user(String topic, Entry entry, boolean isUsable, Map<Integer, PartitionClock> clocks) {
        String id = Decoder.user(entry.key());
        if (id == null || !isUsable) {
            return null;
        }
        if (isSentOn(entry)) {
            misrouted.sentOn(topic, id, entry);
        } else if (!isHome(entry)) {
            misrouted.written(topic, id, entry, instant(entry, clocks));
            return null;
        }
        return user(id, entry.partition());
    }

    private static long instant(Entry entry, Map<Integer, PartitionClock> clocks) {
        return Objects.requireNonNull(clocks.get(entry.partition())).instant(entry.offset());
    }

    /** How far apart the record's stamp and one of another partition may be and say nothing of their order. */
    private long tolerance(Entry entry, long instant) {
        if (stamp(entry) > instant + settings.clockDifferenceMs()) {
            return LEAP_MS; // by a clock that returned later
        }
        return clocksApart.contains(instant) || clocksApart.contains(stamp(entry)) ? settings.clockDifferenceMs() : 0;
    }

    private NewestOfUser newest(UserLog user) {
        return newest.computeIfAbsent(user, any -> new NewestOfUser());
    }

    /** What holds of a user's records. */
    private static final class NewestOfUser {
        private final Newest text = new Newest();
        private final Newest flag = new Newest();
        private final Map<String, Newest> devices = new HashMap<>();

        /** Of those that say something that can be undone: a state, or the connection's end. */
        private final Map<String, Newest> stating = new HashMap<>();

        private Applies device(HeardBeat beat, long at, boolean sentOn, long tolerance) {
            Newest ofDevice = devices.computeIfAbsent(beat.device(), any -> new Newest());
            Newest ofStates = stating.computeIfAbsent(beat.device(), any -> new Newest());
            boolean states = beat.state() != null || beat.closed();
            Applies undoes = !sentOn || states ? Applies.YES : ofStates.judge(at, tolerance);
            if (states) {
                undoes = ofStates.next(at, sentOn, tolerance);
            }
            Applies applies = ofDevice.next(at, sentOn, tolerance);
            return undoes == Applies.NO ? Applies.NO : applies == Applies.YES ? undoes : Applies.MAYBE;
        }
    }

    private boolean isHome(Entry entry) {
        return Utils.toPositive(Utils.murmur2(Objects.requireNonNull(entry.key()))) % settings.partitions()
                == entry.partition();
    }

    private static boolean isSentOn(Entry entry) {
        return entry.firstTime() != null;
    }

    /** The earlier one, if the record was sent on. */
    private static long stamp(Entry entry) {
        Long first = entry.firstTime();
        return first == null || first < 0 ? entry.timestamp() : Math.min(first, entry.timestamp());
    }

    private UserLog user(String id, int partition) {
        return users.computeIfAbsent(id, any -> new UserLog(id, partition));
    }

    private PartitionLog partition(int partition) {
        return partitions.computeIfAbsent(
                partition, any -> new PartitionLog(new PartitionClock(List.of(), 0), settings));
    }

    // ---- the plain promises ----

    private void checkChain(UserLog user) {
        Presence before = null;
        for (Emitted emitted : user.emitted) {
            Presence value = emitted.value();
            if (value != null) {
                long sequence = before == null ? 1 : before.sequence() + 1;
                State previous = before == null ? null : before.state();
                if (value.sequence() != sequence || value.previous() != previous) {
                    violations.add(new Violation(
                            Kind.SEQUENCE,
                            user.user,
                            user.partition,
                            emitted.offset(),
                            "emitted: %s; expected sequence %d after %s".formatted(emitted, sequence, previous)));
                }
            }
            before = value;
        }
    }

    /** No state is emitted that is below that of a device which, by its heartbeats in the log, was live when it began. */
    private void checkNobodyIsMissed(UserLog user, PartitionClock clock) {
        Map<String, List<Beat>> byDevice = new HashMap<>();
        user.beats.stream()
                .filter(beat -> beat.applies() != Applies.NO)
                .forEach(beat -> byDevice.computeIfAbsent(beat.device(), any -> new ArrayList<>())
                        .add(beat));
        if (user.isEverHidden() || byDevice.size() > settings.maxDevices()) {
            return; // what may be emitted of them depends on more than the heartbeats
        }
        long tolerance = clock.hasSteps() ? settings.clockDifferenceMs() : 0;
        byDevice.forEach((device, beats) -> {
            State lowest = State.ONLINE;
            for (Beat beat : beats) {
                lowest = beat.state() != null && beat.state().compareTo(lowest) < 0 ? beat.state() : lowest;
            }
            Presence before = null;
            for (Emitted emitted : user.emitted) {
                Presence value = emitted.value();
                // A text may have been read before all heartbeats; what is emitted then began no earlier than the text.
                boolean isAnswerToDevices = before != null && value != null && value.since() > before.since();
                before = value;
                if (value == null || !isAnswerToDevices || value.state().compareTo(lowest) >= 0) {
                    continue;
                }
                long since = clock.timeAt(value.since());
                Beat last = lastBefore(beats, since);
                boolean closedThen =
                        beats.stream().anyMatch(beat -> beat.closed() && Math.abs(beat.time() - since) <= tolerance);
                if (last != null && !last.closed() && !closedThen && since + tolerance < last.time() + lease(last)) {
                    violations.add(new Violation(
                            Kind.FALSE_STATE,
                            user.user,
                            user.partition,
                            emitted.offset(),
                            "emitted: %s; but %s was live then: %s".formatted(emitted, device, last)));
                }
            }
        });
    }

    private long lease(Beat beat) {
        Long named = beat.leaseMs();
        return named == null ? settings.leaseMs() : named;
    }

    private static @Nullable Beat lastBefore(List<Beat> beats, long time) {
        Beat last = null;
        for (Beat beat : beats) {
            if (beat.logTime() >= time) {
                break;
            }
            last = beat;
        }
        return last;
    }

    /** No state is emitted to begin with a heartbeat that was sent when the user had been told to be hidden already. */
    private void checkNobodyHiddenIsShown(UserLog user, Disturbances windows) {
        for (Beat beat : user.beats) {
            boolean hidden = beat.after().stream()
                    .anyMatch(before -> user.flags.stream()
                            .anyMatch(flag -> before.topic().equals("appear-offline")
                                    && flag.offset() == before.offset()
                                    && flag.hidden()
                                    && windows.isCauseOf(flag.stamp(), beat)));
            if (!hidden) {
                continue;
            }
            for (Emitted emitted : user.emitted) {
                Presence value = emitted.value();
                if (value != null && value.state() != State.OFFLINE && value.since() == beat.at()) {
                    violations.add(new Violation(
                            Kind.HIDDEN_SHOWN,
                            user.user,
                            user.partition,
                            emitted.offset(),
                            "emitted: %s; but hiding was acknowledged before this was sent: %s"
                                    .formatted(emitted, beat)));
                }
            }
        }
    }

    private void checkFinalState(List<Entry> presence, List<Entry> compacted) {
        Map<Integer, Long> read = new HashMap<>();
        Map<String, Entry> lastEmitted = new HashMap<>();
        for (Entry entry : inOrder(presence)) {
            read.merge(entry.partition(), entry.offset(), Math::max);
            String id = String.valueOf(Decoder.user(entry.key()));
            if (entry.value() == null) {
                lastEmitted.remove(id);
            } else {
                lastEmitted.put(id, entry);
            }
        }
        Map<String, Entry> seen = new HashMap<>();
        compacted.forEach(entry -> seen.put(String.valueOf(Decoder.user(entry.key())), entry));
        for (Map.Entry<String, Entry> last : lastEmitted.entrySet()) {
            Entry entry = seen.remove(last.getKey());
            if (entry == null
                    || (entry.offset() <= read.getOrDefault(entry.partition(), -1L)
                            && !Arrays.equals(entry.value(), last.getValue().value()))) {
                violations.add(new Violation(
                        Kind.FINAL_STATE,
                        last.getKey(),
                        last.getValue().partition(),
                        entry == null ? -1 : entry.offset(),
                        "a new consumer sees %s, but the last that was emitted is at offset %d"
                                .formatted(
                                        entry == null ? "nothing" : "another record",
                                        last.getValue().offset())));
            }
        }
        seen.forEach((user, entry) -> {
            if (entry.offset() <= read.getOrDefault(entry.partition(), -1L)) {
                violations.add(new Violation(
                        Kind.FINAL_STATE,
                        user,
                        entry.partition(),
                        entry.offset(),
                        "a new consumer sees it, but it was not the last that was emitted"));
            }
        });
    }
}
