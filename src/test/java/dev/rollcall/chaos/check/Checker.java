package dev.rollcall.chaos.check;

import dev.rollcall.chaos.check.Decoder.HeardBeat;
import dev.rollcall.chaos.check.Decoder.HeardPulse;
import dev.rollcall.chaos.check.Decoder.Presence;
import dev.rollcall.chaos.check.UserLog.Beat;
import dev.rollcall.chaos.check.UserLog.Flag;
import dev.rollcall.chaos.check.UserLog.Said;
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
    private final Settings settings;
    private final List<Window> disturbances;
    private final Decoder decoder = new Decoder();
    private final Map<String, UserLog> users = new TreeMap<>();
    private final Map<Integer, PartitionLog> partitions = new HashMap<>();
    private final List<Violation> violations = new ArrayList<>();
    private long until;
    private long beats;
    private long pulses;
    private long texts;
    private long flags;
    private long unusable;

    private Checker(Settings settings, List<Window> disturbances) {
        this.settings = settings;
        this.disturbances = disturbances;
    }

    /**
     * Checks the logs.
     *
     * @param disturbances when there were faults; outside of them only a pulse by another instance than before shows that
     *     a task was taken over
     */
    public static Verdict check(Logs logs, Settings settings, List<Window> disturbances) {
        return new Checker(settings, disturbances).check(logs);
    }

    private Verdict check(Logs logs) {
        until = logs.readAt();
        readStatuses(logs.statuses());
        readFlags(logs.flags());
        readHeartbeats(logs.heartbeats());
        readPresence(logs.presence());
        List<String> undecided = new ArrayList<>();
        List<Lateness> expiries = new ArrayList<>();
        Map<Integer, Windows> windows = new HashMap<>();
        List<Search> searches = new ArrayList<>();
        for (UserLog user : users.values()) {
            PartitionLog partition = partition(user.partition);
            checkChain(user);
            checkNobodyIsMissed(user);
            Windows ofPartition = windows.computeIfAbsent(user.partition, any -> windowsOf(partition));
            searches.add(new Search(user, partition, settings, ofPartition, until));
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
                pulses,
                texts,
                flags,
                logs.presence().size(),
                unusable,
                expiries);
    }

    // ---- reading ----

    private void readStatuses(List<Entry> entries) {
        for (Entry entry : inOrder(entries)) {
            UserLog user = home(entry);
            Decoder.StatusText status = decoder.status(entry.value());
            if (user == null || status == null) {
                unusable++;
            } else {
                user.texts.add(new Text(time(entry), status.text(), status.endsAt()));
                texts++;
            }
        }
    }

    private void readFlags(List<Entry> entries) {
        for (Entry entry : inOrder(entries)) {
            UserLog user = home(entry);
            Boolean hidden = decoder.flag(entry.value());
            if (user == null || hidden == null) {
                unusable++;
            } else {
                user.flags.add(new Flag(time(entry), hidden));
                flags++;
            }
        }
    }

    private void readHeartbeats(List<Entry> entries) {
        Map<UserLog, Boolean> everHidden = new HashMap<>();
        for (Entry entry : inOrder(entries)) {
            until = Math.max(until, entry.timestamp());
            Decoder.Heard heard = decoder.heartbeat(entry.value());
            PartitionLog partition = partition(entry.partition());
            if (heard instanceof HeardPulse pulse) {
                partition.pulse(entry.offset(), entry.timestamp(), pulse.instance());
                pulses++;
                continue;
            }
            UserLog user = home(entry);
            if (user == null || !(heard instanceof HeardBeat beat)) {
                unusable++;
                continue;
            }
            user.beats.add(new Beat(
                    entry.offset(),
                    time(entry),
                    entry.timestamp(),
                    beat.device(),
                    beat.state(),
                    beat.closed(),
                    beat.leaseMs() == null ? settings.leaseMs() : beat.leaseMs(),
                    beat.shard()));
            beats++;
            if (entry.firstTime() == null) {
                boolean certain = !everHidden.computeIfAbsent(user, UserLog::isEverHidden);
                partition.beat(entry.offset(), entry.timestamp(), beat.shard(), certain);
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
                        .said
                        .add(new Said(entry.partition(), entry.offset(), entry.timestamp(), value));
            }
        }
    }

    private static List<Entry> inOrder(List<Entry> entries) {
        List<Entry> sorted = new ArrayList<>(entries);
        sorted.sort(Comparator.comparingInt(Entry::partition).thenComparingLong(Entry::offset));
        return sorted;
    }

    /** The record's user, if the record counts where it lies. */
    private @Nullable UserLog home(Entry entry) {
        String id = Decoder.user(entry.key());
        return id == null || (entry.firstTime() == null && !isHome(entry)) ? null : user(id, entry.partition());
    }

    private boolean isHome(Entry entry) {
        return Utils.toPositive(Utils.murmur2(Objects.requireNonNull(entry.key()))) % settings.partitions()
                == entry.partition();
    }

    private static long time(Entry entry) {
        Long first = entry.firstTime();
        return first == null || first < 0 ? entry.timestamp() : Math.min(first, entry.timestamp());
    }

    private UserLog user(String id, int partition) {
        return users.computeIfAbsent(id, any -> new UserLog(id, partition));
    }

    private PartitionLog partition(int partition) {
        return partitions.computeIfAbsent(partition, any -> new PartitionLog(settings));
    }

    private Windows windowsOf(PartitionLog partition) {
        List<Window> all = new ArrayList<>(disturbances);
        all.addAll(partition.handOvers);
        return new Windows(all);
    }

    // ---- the plain promises ----

    private void checkChain(UserLog user) {
        Presence before = null;
        for (Said said : user.said) {
            Presence value = said.value();
            if (value != null) {
                long sequence = before == null ? 1 : before.sequence() + 1;
                State previous = before == null ? null : before.state();
                if (value.sequence() != sequence || value.previous() != previous) {
                    violations.add(new Violation(
                            Kind.SEQUENCE,
                            user.user,
                            user.partition,
                            said.offset(),
                            "said: %s; expected sequence %d after %s".formatted(said, sequence, previous)));
                }
            }
            before = value;
        }
    }

    /** No state is said that is below that of a device which, by its heartbeats in the log, was live when it began. */
    private void checkNobodyIsMissed(UserLog user) {
        Map<String, List<Beat>> byDevice = new HashMap<>();
        user.beats.forEach(beat -> byDevice.computeIfAbsent(beat.device(), any -> new ArrayList<>())
                .add(beat));
        if (user.isEverHidden() || byDevice.size() > settings.maxDevices()) {
            return; // what may be said of them depends on more than the heartbeats
        }
        byDevice.forEach((device, beats) -> {
            State lowest = State.ONLINE;
            for (Beat beat : beats) {
                lowest = beat.state() != null && beat.state().compareTo(lowest) < 0 ? beat.state() : lowest;
            }
            Presence before = null;
            for (Said said : user.said) {
                Presence value = said.value();
                // A text may have been read before all heartbeats; what is said then began no earlier than the text.
                boolean isAnswerToDevices = before != null && value != null && value.since() > before.since();
                before = value;
                if (value == null || !isAnswerToDevices || value.state().compareTo(lowest) >= 0) {
                    continue;
                }
                Beat last = lastBefore(beats, value.since());
                boolean closedThen = beats.stream().anyMatch(beat -> beat.closed() && beat.at() == value.since());
                if (last != null && !last.closed() && !closedThen && value.since() < last.at() + last.leaseMs()) {
                    violations.add(new Violation(
                            Kind.FALSE_STATE,
                            user.user,
                            user.partition,
                            said.offset(),
                            "said: %s; but %s was live then: %s".formatted(said, device, last)));
                }
            }
        });
    }

    private static @Nullable Beat lastBefore(List<Beat> beats, long time) {
        int low = 0;
        int high = beats.size();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (beats.get(middle).logTime() < time) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low == 0 ? null : beats.get(low - 1);
    }

    private void checkFinalState(List<Entry> presence, List<Entry> compacted) {
        Map<Integer, Long> read = new HashMap<>();
        Map<String, Entry> lastSaid = new HashMap<>();
        for (Entry entry : inOrder(presence)) {
            read.merge(entry.partition(), entry.offset(), Math::max);
            String id = String.valueOf(Decoder.user(entry.key()));
            if (entry.value() == null) {
                lastSaid.remove(id);
            } else {
                lastSaid.put(id, entry);
            }
        }
        Map<String, Entry> seen = new HashMap<>();
        compacted.forEach(entry -> seen.put(String.valueOf(Decoder.user(entry.key())), entry));
        for (Map.Entry<String, Entry> last : lastSaid.entrySet()) {
            Entry entry = seen.remove(last.getKey());
            if (entry == null
                    || (entry.offset() <= read.getOrDefault(entry.partition(), -1L)
                            && !Arrays.equals(entry.value(), last.getValue().value()))) {
                violations.add(new Violation(
                        Kind.FINAL_STATE,
                        last.getKey(),
                        last.getValue().partition(),
                        entry == null ? -1 : entry.offset(),
                        "a new consumer sees %s, but the last that was said is at offset %d"
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
                        "a new consumer sees it, but it was not the last that was said"));
            }
        });
    }
}
