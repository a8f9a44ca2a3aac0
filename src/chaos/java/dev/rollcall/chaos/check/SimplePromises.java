package dev.rollcall.chaos.check;

import dev.rollcall.chaos.check.Decoder.Presence;
import dev.rollcall.chaos.check.UserLog.Applies;
import dev.rollcall.chaos.check.UserLog.Beat;
import dev.rollcall.chaos.check.UserLog.Emitted;
import dev.rollcall.chaos.check.Violation.Kind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Checks the promises that need no search, one by one. */
final class SimplePromises {
    private final Settings settings;
    private final List<Violation> violations;

    /** @param violations where what is found is added */
    SimplePromises(Settings settings, List<Violation> violations) {
        this.settings = settings;
        this.violations = violations;
    }

    void checkSequence(UserLog user) {
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
    void checkLiveDevices(UserLog user, PartitionLog partition) {
        PartitionClock clock = partition.clock;
        Map<String, List<Beat>> byDevice = new HashMap<>();
        user.beats.stream()
                .filter(beat -> beat.applies() != Applies.NO)
                .filter(beat -> partition.sessions.counts(beat.session(), beat.closed(), beat.offset()))
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
                // Where stamps step back, one of them is several times: what was read before the earliest of these is
                // meant.
                Beat last = lastBefore(beats, since - tolerance);
                if (last != null
                        && !last.closed()
                        && beats.stream()
                                .filter(beat -> Math.abs(beat.time() - since) <= tolerance)
                                .noneMatch(beat -> beat.closed() || tookOver(beat, last))
                        && isLive(last, beats, partition.sessions, since + tolerance)) {
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

    /** Whether a device that a session held lives by a lease from that heartbeat on. */
    private static boolean tookOver(Beat beat, Beat last) {
        return last.session() != null && beat.session() == null && beat.leaseMs() != null;
    }

    private boolean isLive(Beat last, List<Beat> beats, SessionLogs sessions, long time) {
        if (last.session() != null) {
            return sessions.isLive(last, time);
        }
        if (last.leaseMs() != null) {
            return time < last.time() + last.leaseMs();
        }
        boolean mayBeHeld = beats.stream().anyMatch(beat -> beat.session() != null && beat.offset() < last.offset());
        return !mayBeHeld && time < last.time() + settings.leaseMs();
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
    void checkHiddenUsers(UserLog user, Disturbances windows) {
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

    void checkFinalState(List<Entry> presence, List<Entry> compacted) {
        Map<Integer, Long> read = new HashMap<>();
        Map<String, Entry> lastEmitted = new HashMap<>();
        for (Entry entry : LogIndex.inOrder(presence)) {
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
