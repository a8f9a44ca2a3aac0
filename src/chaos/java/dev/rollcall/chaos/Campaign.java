package dev.rollcall.chaos;

import dev.rollcall.chaos.check.Window;
import dev.rollcall.chaos.check.Window.Reach;
import dev.rollcall.chaos.network.Namespaces;
import dev.rollcall.wire.Topics;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.IntStream;
import org.apache.kafka.common.TopicPartition;

/** All that runs, and one fault after the other. */
final class Campaign implements AutoCloseable {
    /** What a new owner of a task may have to read again: a commit interval, and a good deal more. */
    private static final Duration READ_AGAIN = Duration.ofSeconds(2);

    private static final Duration FLOWS_WITHIN = Duration.ofMinutes(2);

    /** The pause before the next fault. */
    private static final Duration REST = Duration.ofSeconds(2);

    private final PrintWriter out;
    private final Site site;
    private final int users;
    private final Deque<AutoCloseable> parts = new ArrayDeque<>();
    private final Brokers brokers;
    private final Processors processors;
    private final LoadProcess load;
    private final Probes probes;
    private final List<Window> windows = new ArrayList<>();
    private final List<Outcome> outcomes = new ArrayList<>();
    private final Exits exits = new Exits(this::print);

    /**
     * Starts everything, and waits until transitions flow.
     *
     * @param plain whether to leave out the special users and the wrong clocks
     * @param variant what is broken; {@link Variant#NONE}: nothing
     */
    Campaign(PrintWriter out, Site site, int users, long seed, boolean plain, Variant variant) throws Exception {
        this.out = out;
        this.site = site;
        this.users = users;
        try {
            long start = System.currentTimeMillis();
            Path directory = site.directory();
            Clocks clocks = site.clocks();
            brokers = keep(new Brokers(
                    directory.resolve("brokers"), variant.brokerSettings(), clocks, site.network(), site.proxies()));
            print("three brokers are up: %s".formatted(brokers.bootstrapServers()));
            Map<String, String> processorSettings = new HashMap<>(variant.processorSettings());
            processorSettings.putAll(site.processorSettings());
            processors = keep(new Processors(
                    directory.resolve("processors"),
                    brokers.bootstrapServers(),
                    processorSettings,
                    variant.compile(directory),
                    clocks,
                    site.network()));
            variant.prepare(brokers);
            if (clocks.canBeSet() && variant.hasWrongClocks() && !plain) {
                ClockFaults.setProcessorsWrong(clocks);
            }
            processors.start("one");
            processors.awaitReady("one");
            processors.start("two");
            processors.awaitReady("two");
            print("two processors are ready");
            load = keep(new LoadProcess(directory.resolve("load"), brokers.bootstrapServers(), users, seed, plain));
            probes = keep(new Probes(brokers.bootstrapServers()));
            awaitRecovery(System.currentTimeMillis());
            long recoveredAt = System.currentTimeMillis();
            windows.add(new Window(start, recoveredAt + READ_AGAIN.toMillis(), Reach.PROCESSORS));
            print("%d shards send for %d users, and transitions flow"
                    .formatted(load.shards().size(), users));
        } catch (Exception | Error e) {
            close();
            throw e;
        }
    }

    Brokers brokers() {
        return brokers;
    }

    Processors processors() {
        return processors;
    }

    Clocks clocks() {
        return site.clocks();
    }

    /** The network, where each process has a namespace of its own. */
    Namespaces namespaces() {
        if (site.network() instanceof Namespaces namespaces) {
            return namespaces;
        }
        throw new IllegalStateException("the processes are not in network namespaces");
    }

    /** What stands in front of the brokers, where something does. */
    Proxies proxies() {
        return Objects.requireNonNull(site.proxies(), "there are no proxies");
    }

    LoadProcess load() {
        return load;
    }

    int users() {
        return users;
    }

    List<Window> windows() {
        return List.copyOf(windows);
    }

    List<Outcome> outcomes() {
        return List.copyOf(outcomes);
    }

    Exits exits() {
        return exits;
    }

    void sleep(Duration time) throws InterruptedException {
        Thread.sleep(time.toMillis());
    }

    void print(String text) {
        out.printf("%tT  %s%n", System.currentTimeMillis(), text);
        out.flush();
    }

    /** Notes that no processor was running for so long until now. */
    void recordBacklog(Duration time) {
        long now = System.currentTimeMillis();
        windows.add(new Window(now - time.toMillis(), now, Reach.BACKLOG, 0));
    }

    /** Injects a fault, and waits until all has recovered. */
    void inject(int number, Fault fault, Random random) throws Exception {
        print("%2d. %s".formatted(number, fault.kind()));
        long injectedAt = System.currentTimeMillis();
        String detail = fault.inject(this, random);
        long repairedAt = System.currentTimeMillis();
        if (fault.reach() == Reach.CLOCKS) {
            probes.mark(); // stamps from a clock that leapt have right ones behind them then
        }
        long flowsAt = awaitRecovery(repairedAt);
        long recoveredAt = System.currentTimeMillis();
        Reach reach = fault.reach();
        if (reach != null) {
            long margin = READ_AGAIN.toMillis() + (reach == Reach.CLOCKS ? site.clockDifference().toMillis() : 0);
            windows.add(new Window(injectedAt - margin, recoveredAt + margin, reach, fault.takeOvers()));
        }
        Outcome outcome = new Outcome(
                number,
                fault.kind(),
                detail,
                injectedAt,
                repairedAt,
                recoveredAt,
                probes.longestWait(injectedAt, recoveredAt),
                flowsAt - repairedAt);
        outcomes.add(outcome);
        print("    %s; over after %.1f s, longest wait for a transition %.1f s, all partitions %.1f s after the end"
                .formatted(
                        detail, outcome.lastedMs() / 1e3, outcome.longestWaitMs() / 1e3, outcome.flowsAfterMs() / 1e3));
        sleep(REST);
    }

    /** Waits until everything runs, has nothing left to catch up with, and transitions flow; returns since when they do. */
    private long awaitRecovery(long since) throws InterruptedException {
        Timeout timeout = new Timeout("transitions flow on all partitions", FLOWS_WITHIN);
        long flowsAt = probes.flowsSince(since);
        while (flowsAt == Long.MAX_VALUE) {
            restartProcessors();
            timeout.sleepOrFail(20);
            flowsAt = probes.flowsSince(since);
        }
        brokers.awaitWhole();
        awaitAnswered();
        return flowsAt;
    }

    /** Waits until all that is in the inputs now was read and committed. */
    private void awaitAnswered() throws InterruptedException {
        Timeout timeout = new Timeout("the processors have caught up", FLOWS_WITHIN);
        List<TopicPartition> inputs = Topics.ofContract().inputs().stream()
                .flatMap(topic -> IntStream.range(0, Timing.PARTITIONS)
                        .mapToObj(partition -> new TopicPartition(topic.name(), partition)))
                .toList();
        Map<TopicPartition, Long> ends = brokers.ends(inputs);
        while (true) {
            Map<TopicPartition, Long> committed = brokers.committed(Processors.APPLICATION_ID);
            List<String> behind = ends.entrySet().stream()
                    .filter(end -> committed.getOrDefault(end.getKey(), 0L) < end.getValue())
                    .map(end -> "%s: %d of %d"
                            .formatted(end.getKey(), committed.getOrDefault(end.getKey(), 0L), end.getValue()))
                    .toList();
            if (behind.isEmpty()) {
                return;
            }
            timeout.sleepOrFail(100, behind);
        }
    }

    /** Notes which processes have ended by themselves, and starts processors again. */
    void restartProcessors() {
        if (!load.isAlive()) {
            throw new IllegalStateException("the shards have ended");
        }
        for (Child broker : brokers.processes()) {
            exits.noteIfUnexpected(broker);
        }
        for (String name : processors.names()) {
            if (exits.noteIfUnexpected(processors.process(name))) {
                processors.start(name);
            }
        }
    }

    /** Ends the load, and waits until all users must be offline. */
    String quiesce() throws InterruptedException {
        probes.close();
        String sent = load.quiesce();
        Duration longest = Timing.LEASE.multipliedBy(3).plus(Timing.SHARD_HOLD).plus(Timing.GRACE);
        print("the load has ended (%s); waiting until every lease has ended".formatted(sent));
        Collection<TopicPartition> heartbeats = IntStream.range(0, Timing.PARTITIONS)
                .mapToObj(partition -> new TopicPartition("device-heartbeat", partition))
                .toList();
        // Where a shard is remembered the clock ticks go on for an hour.
        long until = System.nanoTime() + longest.plusSeconds(20).toNanos();
        Map<TopicPartition, Long> before = Map.of();
        Map<TopicPartition, Long> now = brokers.ends(heartbeats);
        while (!now.equals(before) && System.nanoTime() < until) {
            sleep(Timing.PULSE.multipliedBy(6));
            before = now;
            now = brokers.ends(heartbeats);
        }
        sleep(Duration.ofSeconds(6));
        restartProcessors();
        return sent;
    }

    Path directory() {
        return site.directory();
    }

    @Override
    public void close() {
        while (!parts.isEmpty()) {
            try {
                parts.pop().close();
            } catch (Exception e) {
                print("not closed cleanly: %s".formatted(e));
            }
        }
    }

    private <T extends AutoCloseable> T keep(T part) {
        parts.push(part);
        return part;
    }
}
