package dev.rollcall.chaos.check;

import dev.rollcall.chaos.check.Decoder.HeartbeatValue;
import dev.rollcall.chaos.check.Decoder.Presence;
import dev.rollcall.chaos.check.Decoder.ShardHeartbeatValue;
import dev.rollcall.chaos.check.Decoder.TickValue;
import dev.rollcall.chaos.check.UserLog.Applies;
import dev.rollcall.chaos.check.UserLog.Beat;
import dev.rollcall.chaos.check.UserLog.Emitted;
import dev.rollcall.chaos.check.UserLog.Flag;
import dev.rollcall.chaos.check.UserLog.Text;
import dev.rollcall.chaos.check.Violation.Kind;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;

/** Sorts the records of all topics by user and by partition, and drops what does not count. */
final class LogIndex {
    /** Further than any stamp may be ahead. */
    private static final long LEAP_MS = 86_400_000;

    private final Settings settings;
    private final Decoder decoder = new Decoder();
    private final Map<Integer, PartitionLog> partitions = new HashMap<>();
    private final Map<UserLog, NewestOfUser> newest = new HashMap<>();

    /** When the brokers' clocks may have been apart. */
    private final Windows clocksApart;

    final Map<String, UserLog> users = new TreeMap<>();
    final Misrouted misrouted = new Misrouted();

    /** Records of the output that cannot be read, or are on the wrong partition. */
    final List<Violation> malformed = new ArrayList<>();

    /** When the logs end. */
    final long until;

    long beats;
    long shardBeats;
    long ticks;
    long texts;
    long flags;
    long unusable;

    LogIndex(Logs logs, Settings settings, List<Window> disturbances) {
        this.settings = settings;
        this.clocksApart = new Windows(disturbances.stream()
                .filter(window -> window.reach() == Window.Reach.CLOCKS)
                .toList());
        long end = logs.readAt();
        for (Map.Entry<Integer, PartitionClock> clock :
                clocksOf(logs.heartbeats()).entrySet()) {
            partitions.put(clock.getKey(), new PartitionLog(clock.getValue(), settings));
            end = Math.max(end, clock.getValue().lastInstant());
        }
        this.until = end;
        readStatuses(logs.statuses());
        readFlags(logs.flags());
        readHeartbeats(logs.heartbeats());
        readPresence(logs.presence());
    }

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
            Decoder.Value value = decoder.heartbeat(entry.value());
            PartitionLog partition = partition(entry.partition());
            if (value instanceof TickValue tick) {
                partition.tick(entry.offset(), tick.instance());
                ticks++;
                continue;
            }
            if (value instanceof ShardHeartbeatValue beat) {
                partition.shardHeartbeat(entry.offset(), beat);
                shardBeats++;
                continue;
            }
            UserLog user = user("device-heartbeat", entry, value instanceof HeartbeatValue, clocks);
            if (user == null || !(value instanceof HeartbeatValue beat)) {
                unusable++;
                continue;
            }
            long at = stamp(entry);
            long logTime = partition.clock.time(entry.offset());
            boolean sentOn = isSentOn(entry);
            boolean counts = partition.sessions.counts(beat.session(), beat.closed(), entry.offset());
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
                    beat.session(),
                    sentOn,
                    counts
                            ? newest(user).device(beat, at, sentOn, tolerance(entry, instant(entry, clocks)))
                            : Applies.NO,
                    entry.after()));
            beats++;
            if (!sentOn) {
                boolean certain = !everHidden.computeIfAbsent(user, UserLog::isEverHidden);
                partition.beat(entry.offset(), beat.shard(), certain, counts);
            }
        }
    }

    private void readPresence(List<Entry> entries) {
        for (Entry entry : inOrder(entries)) {
            String id = Decoder.user(entry.key());
            Presence value = entry.value() == null ? null : decoder.presence(entry.value());
            if (id == null || (entry.value() != null && value == null)) {
                malformed.add(new Violation(
                        Kind.MALFORMED, String.valueOf(id), entry.partition(), entry.offset(), "it cannot be read"));
            } else if (!isOnItsPartition(entry)) {
                malformed.add(new Violation(
                        Kind.MALFORMED, id, entry.partition(), entry.offset(), "it is not on its user's partition"));
            } else {
                user(id, entry.partition())
                        .emitted
                        .add(new Emitted(entry.partition(), entry.offset(), entry.timestamp(), value));
            }
        }
    }

    static List<Entry> inOrder(List<Entry> entries) {
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
        } else if (!isOnItsPartition(entry)) {
            misrouted.written(topic, id, entry, instant(entry, clocks));
            return null;
        }
        return user(id, entry.partition());
    }

    private static long instant(Entry entry, Map<Integer, PartitionClock> clocks) {
        return Objects.requireNonNull(clocks.get(entry.partition())).instant(entry.offset());
    }

    /** How far apart the record's stamp and one of another partition may be without telling their order. */
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

        /** Of those that carry what can be undone: a state, or the connection's end. */
        private final Map<String, Newest> stating = new HashMap<>();

        private Applies device(HeartbeatValue beat, long at, boolean sentOn, long apart) {
            // Of an end that a session reports it is open here whether the session holds the device.
            long tolerance = beat.session() != null && beat.closed() ? LEAP_MS : apart;
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

    private boolean isOnItsPartition(Entry entry) {
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

    PartitionLog partition(int partition) {
        return partitions.computeIfAbsent(
                partition, any -> new PartitionLog(new PartitionClock(List.of(), 0), settings));
    }
}
