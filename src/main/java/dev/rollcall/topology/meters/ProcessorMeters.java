package dev.rollcall.topology.meters;

import dev.rollcall.domain.Presence;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.PresenceUpdate;
import dev.rollcall.domain.Rejection.Reason;
import dev.rollcall.metrics.Meters;
import dev.rollcall.metrics.Meters.Count;
import dev.rollcall.metrics.Meters.Durations;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What is counted of all tasks of this process, and which of its clock ticks have not come back. Thread-safe. */
public final class ProcessorMeters {
    private static final PresenceState[] STATES = PresenceState.values();

    private static final List<Duration> LATENESS =
            List.of(250, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 120_000).stream()
                    .map(Duration::ofMillis)
                    .toList();

    private final ClockTicks clockTicks = new ClockTicks();
    private final Set<TaskMeters> tasks = ConcurrentHashMap.newKeySet();
    /** By the state before, and after; the last of each: there is none. */
    private final Count[][] transitions = new Count[STATES.length + 1][STATES.length + 1];

    private final Map<Reason, Count> refused = new EnumMap<>(Reason.class);
    private final Durations lateness;
    private final Count records;
    private final Count rerouted;
    private final Count stepsBack;
    private final Count earlierSessions;

    public ProcessorMeters(Meters meters) {
        records = meters.count("rollcall.input.records", "Records of the inputs that were read");
        rerouted = meters.count("rollcall.records.rerouted", "Records that were sent on to their partition");
        stepsBack = meters.count("rollcall.stamp.steps.back", "Timestamps that went back within a partition");
        earlierSessions = meters.count(
                "rollcall.sessions.earlier", "Heartbeats of sessions of shards that a later one has replaced");
        for (int from = 0; from <= STATES.length; from++) {
            for (int to = 0; to <= STATES.length; to++) {
                transitions[from][to] = meters.count(
                        "rollcall.presence.transitions",
                        "Records of presence by the state before and after; the same: the text has changed",
                        "from",
                        from == STATES.length ? "none" : lower(STATES[from]),
                        "to",
                        to == STATES.length ? "forgotten" : lower(STATES[to]));
            }
        }
        for (Reason reason : Reason.values()) {
            refused.put(
                    reason,
                    meters.count(
                            "rollcall.records.refused",
                            "Records that went to the dead letters",
                            "reason",
                            lower(reason)));
        }
        lateness = meters.durations(
                "rollcall.expiry.lateness", "From the end of a device or text to when it was noticed", LATENESS);
        gauges(meters);
    }

    private void gauges(Meters meters) {
        for (PresenceState state : STATES) {
            meters.gauge(
                    "rollcall.users",
                    "Users by the state that others see",
                    "",
                    () -> sum(task -> task.users(state)),
                    "state",
                    lower(state));
        }
        meters.gauge("rollcall.users.hidden", "Users who appear offline", "", () -> sum(TaskMeters::hidden));
        meters.gauge(
                "rollcall.users.in.memory",
                "Users who have something that can expire",
                "",
                () -> sum(TaskMeters::inMemory));
        meters.gauge("rollcall.devices.live", "Devices that have not expired", "", () -> sum(TaskMeters::devices));
        meters.gauge(
                "rollcall.sessions.open", "Sessions of shards that hold a device", "", () -> sum(TaskMeters::sessions));
        meters.gauge(
                "rollcall.shards.held",
                "Shards, per partition, that are silent, and whose devices are held",
                "",
                () -> sum(TaskMeters::silentShards));
        meters.gauge(
                "rollcall.expiry.behind",
                "How far the sweep of what has ended is behind",
                "seconds",
                () -> tasks.stream().mapToLong(TaskMeters::behindMs).max().orElse(0) / 1_000.0);
        meters.rows(
                "rollcall.clock.lag",
                "How long a clock tick of the partition has not come back",
                "seconds",
                List.of("partition"),
                () -> clockTicks.waitingMs().entrySet().stream()
                        .collect(Collectors.toMap(
                                lag -> List.of(lag.getKey().toString()), lag -> lag.getValue() / 1_000.0)));
    }

    public ClockTicks clockTicks() {
        return clockTicks;
    }

    public void read(int count) {
        records.add(count);
    }

    /** A record was sent on to its partition. */
    public void rerouted() {
        rerouted.add(1);
    }

    public void steppedBack() {
        stepsBack.add(1);
    }

    public void earlierSession() {
        earlierSessions.add(1);
    }

    /** A task begins. It ends with {@link #close}. */
    public TaskMeters open() {
        TaskMeters task = new TaskMeters();
        tasks.add(task);
        return task;
    }

    public void close(TaskMeters task) {
        tasks.remove(task);
    }

    public void refused(Reason reason) {
        count(refused.get(reason));
    }

    public void late(long ms) {
        lateness.record(Math.max(0, ms), TimeUnit.MILLISECONDS);
    }

    public void emitted(PresenceUpdate update) {
        @Nullable Presence presence = update.presence();
        @Nullable PresenceState before = presence == null ? PresenceState.OFFLINE : presence.previousState();
        int from = before == null ? STATES.length : TaskMeters.index(before);
        int to = presence == null ? STATES.length : TaskMeters.index(presence.state());
        transitions[from][to].add(1);
    }

    private static void count(@Nullable Count count) {
        if (count != null) {
            count.add(1);
        }
    }

    private long sum(ToLongFunction<TaskMeters> of) {
        return tasks.stream().mapToLong(of).sum();
    }

    private static String lower(Enum<?> one) {
        return one.name().toLowerCase(Locale.ROOT);
    }
}
