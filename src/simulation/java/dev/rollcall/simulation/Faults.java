package dev.rollcall.simulation;

import dev.rollcall.simulation.judge.History.Topic;
import dev.rollcall.simulation.kafka.Broker;
import dev.rollcall.simulation.kafka.Cluster;
import dev.rollcall.simulation.kafka.Log;
import dev.rollcall.simulation.kafka.Transaction;
import dev.rollcall.simulation.kafka.Transactions;
import dev.rollcall.simulation.people.Population;
import dev.rollcall.simulation.people.Shard;
import dev.rollcall.simulation.plan.Fault;
import dev.rollcall.simulation.plan.Plan;
import dev.rollcall.simulation.processor.Deployment;
import dev.rollcall.simulation.processor.Machine;
import dev.rollcall.simulation.time.Chance;
import dev.rollcall.simulation.time.EventQueue;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.BiConsumer;
import org.apache.kafka.common.header.internals.RecordHeaders;

/** Makes a plan's faults happen, and mends what they broke. */
final class Faults {
    private final EventQueue time;
    private final Plan plan;
    private final Cluster cluster;
    private final Transactions transactions;
    private final Deployment deployment;
    private final Population population;
    private final BiConsumer<Long, Fault> onFault;
    private boolean isOver;

    Faults(
            EventQueue time,
            Plan plan,
            Cluster cluster,
            Transactions transactions,
            Deployment deployment,
            Population population,
            BiConsumer<Long, Fault> onFault) {
        this.time = time;
        this.plan = plan;
        this.cluster = cluster;
        this.transactions = transactions;
        this.deployment = deployment;
        this.population = population;
        this.onFault = onFault;
        for (Fault fault : plan.faults()) {
            time.afterMillis(fault.atMs(), () -> inject(fault));
        }
    }

    /** From now on everything is well. */
    void end() {
        isOver = true;
        cluster.brokers().forEach(cluster::start);
        cluster.logs().forEach(log -> cluster.block(log, false));
        deployment.machines().forEach(Machine::start);
    }

    private void after(Fault fault, Runnable mend) {
        time.afterMillis(fault.lengthMs(), () -> {
            if (!isOver) {
                mend.run();
            }
        });
    }

    private void inject(Fault fault) {
        if (isOver) {
            return;
        }
        onFault.accept(time.millis(), fault);
        callBackAfter(fault);
        Chance chance = Chance.of(plan.seed(), "injected", fault.number());
        List<Machine> machines = deployment.machines();
        Machine machine = machines.get(chance.below(machines.size()));
        Broker broker = cluster.brokers().get(chance.below(cluster.brokers().size()));
        Log log = cluster.logs().get(chance.below(cluster.logs().size()));
        Shard shard = population.shards().get(chance.below(population.shards().size()));
        Shard other = population.shards().get(chance.below(population.shards().size()));
        switch (fault.kind()) {
            case KILL_PROCESSOR -> kill(machine, fault, 0);
            case KILL_IN_MIDST -> kill(machine, fault, 1 + chance.below(40));
            case KILL_AND_WIPE -> {
                kill(machine, fault, 0);
                machine.wipe();
            }
            case STOP_PROCESSOR -> {
                machine.stop();
                after(fault, machine::start);
            }
            case PAUSE_PROCESSOR -> machine.pause(fault.lengthMs());
            case STOP_ALL_PROCESSORS -> {
                boolean inGoodOrder = chance.oneIn(2);
                for (Machine one : machines) {
                    if (inGoodOrder) {
                        one.stop();
                    } else {
                        one.kill(0);
                    }
                    after(fault, one::start);
                }
            }
            case MOVE_PARTITIONS -> deployment.shuffle();
            case FAIL_COMMIT -> machine.failNextCommit(chance.oneOf(Machine.CommitFailure.values()));
            case REPEAT_COMMITS -> {
                machine.repeatCommits(1 + chance.below(90));
                after(fault, () -> machine.repeatCommits(0));
            }
            case PROCESSOR_CLOCK -> {
                long most = chance.oneOf(2_000L, 7_200_000L);
                machine.setClock(chance.between(-most, most));
            }
            case STOP_BROKER -> {
                cluster.stop(broker);
                after(fault, () -> cluster.start(broker));
            }
            case STOP_ALL_BROKERS -> {
                cluster.brokers().forEach(cluster::stop);
                after(fault, () -> cluster.brokers().forEach(cluster::start));
            }
            case MOVE_LEADERS ->
                cluster.logs().forEach(one -> {
                    Broker next =
                            cluster.brokers().get(chance.below(cluster.brokers().size()));
                    if (chance.oneIn(2) && next.isUp()) {
                        cluster.lead(one, next);
                    }
                });
            case STEP_CLOCK -> cluster.setClock(broker, chance.between(-2_000, 2_000));
            case LEAP_CLOCK -> {
                long before = broker.clockOffsetMs();
                cluster.setClock(broker, before + chance.magnitude(60_000, 7_200_000));
                after(fault, () -> cluster.setClock(broker, before));
            }
            case DRIFT_CLOCK -> drift(broker, chance.between(-3, 3), 20);
            case BLOCK_PARTITION -> {
                cluster.block(log, true);
                after(fault, () -> cluster.block(log, false));
            }
            case FOREIGN_TRANSACTION -> foreignTransaction(log, Math.min(fault.lengthMs(), 60_000), chance.oneIn(2));
            case GARBAGE -> population.garbage(1 + chance.below(30), chance);
            case PAUSE_SHARD -> shard.pause(fault.lengthMs());
            case RESTART_SHARD -> shard.restart(fault.lengthMs() / 4);
            case END_SHARD -> shard.end(other, fault.lengthMs());
            case ZOMBIE_SHARD -> {
                long goesOnIn = shard.leaveZombie(fault.lengthMs());
                if (chance.oneIn(2)) { // whoever takes over meanwhile has to know which of the two is the later one
                    time.afterMillis(Math.max(0, goesOnIn - 50), () -> {
                        if (!isOver) {
                            kill(machine, fault, 0);
                        }
                    });
                }
            }
            case SILENCE_SHARD -> shard.silence(fault.lengthMs());
        }
    }

    /** Where people come every few days, hardly any would come within the minute in which a new processor is not warm yet. */
    private void callBackAfter(Fault fault) {
        if (plan.isSparse()) {
            Chance chance = Chance.of(plan.seed(), "called", fault.number());
            long atMs = (chance.oneIn(2) ? fault.lengthMs() : 0) + chance.between(0, plan.unitMs());
            time.afterMillis(atMs, () -> {
                if (!isOver) {
                    population.callBack(chance);
                }
            });
        }
    }

    private void kill(Machine machine, Fault fault, int steps) {
        machine.kill(steps);
        after(fault, machine::start);
    }

    private void drift(Broker broker, long ms, int left) {
        if (left > 0 && !isOver) {
            cluster.setClock(broker, broker.clockOffsetMs() + ms);
            time.afterMillis(10_000, () -> drift(broker, ms, left - 1));
        }
    }

    /** Another program's transaction, which holds back what lies behind it until it ends. */
    private void foreignTransaction(Log log, long ms, boolean commits) {
        Transaction foreign = transactions.begin(() -> {});
        byte[] key = "@foreign".getBytes(StandardCharsets.UTF_8);
        byte[] value = Cluster.topic(log.topic()) == Topic.DEVICE_HEARTBEAT ? new byte[1] : null;
        transactions.write(foreign, log, key, value, new RecordHeaders());
        time.afterMillis(ms, () -> {
            if (foreign.isOpen() && foreign.isFlushed()) {
                transactions.end(foreign, commits);
            }
        });
    }
}
