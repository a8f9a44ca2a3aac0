package dev.rollcall.health;

import dev.rollcall.config.HealthSettings;
import dev.rollcall.health.Restoration.Progress;
import dev.rollcall.health.Threads.Observed;
import dev.rollcall.http.Health;
import dev.rollcall.metrics.Meters;
import dev.rollcall.topology.meters.ClockTicks;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.kafka.streams.KafkaStreams.State;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether the processor gets on. It is ready while what it writes comes back: its commits go through, and its clock ticks are
 * read. It lives while its threads come round, or wait for brokers; a restart helps one that does neither. Thread-safe.
 */
public final class ProcessorHealth implements Health, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ProcessorHealth.class);
    private static final Duration BETWEEN_LOOKS = Duration.ofSeconds(1);

    private final Supplier<State> state;
    private final Threads threads;
    private final RestartPolicy restarts;
    private final ClockTicks ticks;
    private final Restoration restoration;
    private final Supplier<List<String>> held;
    private final HealthSettings settings;
    private final LongSupplier monotonicMs;
    private final Commits commits = new Commits();
    private final ScheduledExecutorService executor = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "processor-health");
        thread.setDaemon(true);
        return thread;
    });

    private volatile List<Observed> observed = List.of();

    /**
     * Looks at nothing yet.
     *
     * @param held what partitions wait for that are held, in words
     * @param monotonicMs a monotonic clock, in ms
     */
    public ProcessorHealth(
            Supplier<State> state,
            Threads threads,
            RestartPolicy restarts,
            ClockTicks ticks,
            Restoration restoration,
            Supplier<List<String>> held,
            HealthSettings settings,
            LongSupplier monotonicMs) {
        this.state = state;
        this.threads = threads;
        this.restarts = restarts;
        this.ticks = ticks;
        this.restoration = restoration;
        this.held = held;
        this.settings = settings;
        this.monotonicMs = monotonicMs;
    }

    /** Shows itself. */
    public void show(Meters meters) {
        meters.gauge(
                "rollcall.ready",
                "1 while the processor gets on",
                "",
                () -> waitsFor().isEmpty() ? 1 : 0);
        meters.gauge(
                "rollcall.running", "1 while it has its partitions", "", () -> state.get() == State.RUNNING ? 1 : 0);
        meters.gauge("rollcall.commit.age", "Since the last commit", "seconds", () -> commitAgeMs() / 1_000.0);
        meters.gauge(
                "rollcall.restore.remaining",
                "Records still to be restored",
                "",
                () -> restoration().remaining());
        meters.gauge(
                "rollcall.restore.rate",
                "Records restored per second, while some are",
                "",
                () -> restoration().stores() == 0 ? 0 : restoration().perSecond());
        meters.count("rollcall.thread.failures", "Threads that failed, and were replaced or not", restarts::failures);
    }

    /** Looks once a second from now on. */
    public ProcessorHealth watch() {
        var unused = executor.scheduleWithFixedDelay(
                this::tryToLook, BETWEEN_LOOKS.toMillis(), BETWEEN_LOOKS.toMillis(), TimeUnit.MILLISECONDS);
        return this;
    }

    private void tryToLook() {
        try {
            look();
        } catch (Throwable e) { // what is not seen is not judged, and the next look may see it
            LOG.debug("the threads could not be looked at", e);
        }
    }

    void look() {
        List<Observed> now = threads.observe();
        observed = now;
        if (state.get() == State.RUNNING) {
            commits.observe(now, monotonicMs.getAsLong());
        } else {
            commits.reset();
        }
    }

    @Override
    public void close() {
        executor.shutdownNow();
    }

    @Override
    public List<String> waitsFor() {
        return switch (state.get()) {
            case RUNNING -> whileRunning();
            case CREATED, REBALANCING -> {
                Progress restored = restoration.progress();
                yield List.of(
                        restored.stores() == 0
                                ? "the processor to have its partitions and their state"
                                : "what is stored of the users to be restored: " + restored);
            }
            default -> List.of("the processor, which has stopped");
        };
    }

    private List<String> whileRunning() {
        List<String> all = new ArrayList<>();
        if (!restarts.hasRecovered(monotonicMs.getAsLong())) {
            all.add("the processor to run for %d s after a thread of it has failed"
                    .formatted(RestartPolicy.RECOVERY.toSeconds()));
        }
        all.addAll(held.get());
        long commitAge = commitAgeMs();
        if (commitAge > settings.stallMs()) {
            all.add("commits to go through: the last one was %d s ago".formatted(commitAge / 1_000));
        }
        clockLagMs().entrySet().stream()
                .filter(lag -> lag.getValue() > settings.stallMs())
                .max(Comparator.comparing(Map.Entry::getValue))
                .ifPresent(lag -> all.add("the clock ticks of partition %d to come back, for %d s now"
                        .formatted(lag.getKey(), lag.getValue() / 1_000)));
        return all;
    }

    /** A cluster that is away is no such thing: the threads come round and try again. */
    @Override
    public Optional<String> stuck() {
        Optional<String> silent = observed.stream()
                .filter(thread -> thread.pollAgeMs() > settings.deadMs())
                .max(Comparator.comparing(Observed::pollAgeMs))
                .map(thread -> "the thread %s has not come round for %d s"
                        .formatted(thread.name(), thread.pollAgeMs() / 1_000));
        return silent.or(
                () -> Optional.ofNullable(ManagementFactory.getThreadMXBean().findDeadlockedThreads())
                        .map(deadlocked -> "%d threads wait for each other".formatted(deadlocked.length)));
    }

    @Override
    public Optional<Status> status() {
        Progress restored = restoration.progress();
        long clockLagMs =
                clockLagMs().values().stream().mapToLong(lag -> lag).max().orElse(0);
        return Optional.of(new Status(
                state.get().name().toLowerCase(Locale.ROOT),
                commitAgeMs(),
                clockLagMs,
                restored.stores() == 0
                        ? Optional.empty()
                        : Optional.of(new Restoring(
                                restored.remaining(),
                                restored.total(),
                                restored.percent(),
                                (long) restored.perSecond(),
                                restored.secondsLeft()))));
    }

    /** How long ago the last commit was, in ms, of the thread with the oldest one; 0: nothing is running. */
    public long commitAgeMs() {
        return commits.ageMs(monotonicMs.getAsLong());
    }

    /** See {@link ClockTicks#waitingMs}. */
    public Map<Integer, Long> clockLagMs() {
        return ticks.waitingMs();
    }

    public Progress restoration() {
        return restoration.progress();
    }
}
