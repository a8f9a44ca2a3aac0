package dev.rollcall.simulation;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.simulation.judge.History;
import dev.rollcall.simulation.judge.History.Topic;
import dev.rollcall.simulation.kafka.Cluster;
import dev.rollcall.simulation.kafka.Log;
import dev.rollcall.simulation.kafka.LogRecord;
import dev.rollcall.simulation.kafka.Transactions;
import dev.rollcall.simulation.people.Population;
import dev.rollcall.simulation.plan.Fault;
import dev.rollcall.simulation.plan.Plan;
import dev.rollcall.simulation.processor.Deployment;
import dev.rollcall.simulation.processor.Machine;
import dev.rollcall.simulation.processor.PresenceTopic;
import dev.rollcall.simulation.time.Chance;
import dev.rollcall.simulation.time.EventQueue;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;

/** One run of a plan: everything in it, and its time. */
final class World {
    /** The first of January 2026. */
    static final long START_MS = 1_767_225_600_000L;

    private static final int BROKERS = 3;
    private static final long HOUR_MS = 3_600_000;

    /** How long heartbeats are kept. */
    private static final long RETENTION_MS = 6 * HOUR_MS;

    private final Plan plan;
    private final EventQueue time = new EventQueue(START_MS);
    private final History history;
    private final Cluster cluster;
    private final Deployment deployment;
    private final Population population;
    private final Faults faults;
    private final List<Population.Misshown> misshown = new ArrayList<>();

    World(
            Plan plan,
            History history,
            PresenceTopic presence,
            Transactions.Promises promises,
            BiConsumer<Long, Fault> onFault) {
        this.plan = plan;
        this.history = history;
        Chance chance = Chance.of(plan.seed(), "cluster", 0);
        long[] clocks = new long[BROKERS];
        for (int broker = 0; broker < BROKERS; broker++) {
            clocks[broker] = chance.between(-20, 20);
        }
        cluster = new Cluster(time, history, chance, BROKERS, plan.partitions(), clocks);
        Transactions transactions = new Transactions(time, Chance.of(plan.seed(), "transactions", 0), promises);
        deployment = new Deployment(
                time,
                cluster,
                transactions,
                RollcallConfig.of(plan.settings()),
                history,
                new Nobody(),
                presence,
                new Deployment.Pace(plan.fetchLimit(), plan.turnLimit(), 100, 100),
                Chance.of(plan.seed(), "group", 0));
        for (int number = 0; number < plan.machines(); number++) {
            deployment
                    .addMachine("processor-" + number, Chance.of(plan.seed(), "machine", number))
                    .start();
        }
        population = new Population(time, plan, cluster);
        faults = new Faults(time, plan, cluster, transactions, deployment, population, onFault);
        time.afterMillis(HOUR_MS, this::clean);
    }

    private void clean() {
        for (Log log : cluster.logs()) {
            if (Cluster.topic(log.topic()) == Topic.DEVICE_HEARTBEAT) {
                log.deleteBefore(time.millis() - RETENTION_MS, this::removed);
            } else if (time.millis() / HOUR_MS % 6 == 0) {
                log.compact(time.millis() - HOUR_MS, this::removed);
            }
        }
        time.afterMillis(HOUR_MS, this::clean);
    }

    private void removed(LogRecord record) {
        history.removed(record.partition(), record.input());
    }

    /** Who wants to know how far a run is. */
    interface Progress {
        /** Returns whether to go on. */
        boolean at(long elapsedMs);
    }

    EventQueue time() {
        return time;
    }

    Deployment deployment() {
        return deployment;
    }

    /** Whom the clients have not seen to. */
    List<Population.Misshown> misshown() {
        return misshown;
    }

    /** From the beginning to the end; the last part is without faults, and begins as soon as there {@code isEnough}. */
    void run(Progress progress, BooleanSupplier isEnough, Predicate<byte[]> isShown) {
        if (!runFor(plan.durationMs(), elapsedMs -> progress.at(elapsedMs) && !isEnough.getAsBoolean())
                && !isEnough.getAsBoolean()) {
            return;
        }
        faults.end();
        if (population.hasPublishers()) {
            population.rest();
            if (!runFor(2 * population.patienceMs(), progress)) {
                return;
            }
            if (settle(progress)) {
                misshown.addAll(population.misshown(isShown));
            }
        }
        long quietMs = population.stop();
        if (!runFor(quietMs, progress)) {
            return;
        }
        population.stopShards();
        if (!runFor(2 * quietMs, progress)) {
            return;
        }
        if (!settle(progress)) {
            deployment
                    .failures()
                    .add("some inputs were never handled, though nothing was wrong for %d s: %s"
                            .formatted(3 * quietMs / 1_000, deployment.leftOver()));
        }
        deployment.machines().forEach(Machine::stop);
        for (int i = 0; i < 100 && !deployment.isStopped(); i++) {
            runFor(1_000, progress);
        }
        history.ended(time.millis());
    }

    /** Returns whether all inputs were handled, after some more time. */
    private boolean settle(Progress progress) {
        for (int i = 0; i < 100 && !(deployment.isSettled() && deployment.isServing()); i++) {
            runFor(1_000, progress);
        }
        return deployment.isSettled();
    }

    private boolean runFor(long ms, Progress progress) {
        long end = time.micros() + ms * 1_000;
        long events = 0;
        while (time.nextAt() < end) {
            time.runNext();
            if ((++events & 0x1F) == 0 && !progress.at(time.millis() - START_MS)) {
                return false;
            }
        }
        time.at(end, () -> {});
        time.runNext();
        return true;
    }
}
