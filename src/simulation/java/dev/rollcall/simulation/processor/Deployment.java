package dev.rollcall.simulation.processor;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.simulation.judge.History;
import dev.rollcall.simulation.kafka.Changelog;
import dev.rollcall.simulation.kafka.Cluster;
import dev.rollcall.simulation.kafka.Log;
import dev.rollcall.simulation.kafka.Transactions;
import dev.rollcall.simulation.time.Chance;
import dev.rollcall.simulation.time.EventQueue;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** What all simulated processors share: the cluster, the changelogs, the group. */
public final class Deployment {
    private final EventQueue time;
    private final Cluster cluster;
    private final Transactions transactions;
    private final RollcallConfig config;
    private final History history;
    private final History nobody;
    private final PresenceTopic presence;
    private final Pace pace;
    private final Group group;
    private final List<Changelog> users;
    private final List<Changelog> shards;
    private final List<Machine> machines = new ArrayList<>();
    private final List<String> failures = new ArrayList<>();

    /**
     * How fast processors are.
     *
     * @param fetchLimit how many records a broker's answer has at most
     * @param turnLimit how many records of a partition are handled in a turn of a thread at most
     * @param commitMs {@code commit.interval.ms}
     * @param pollMs how long a thread waits at most for more where an input lags
     */
    public record Pace(int fetchLimit, int turnLimit, long commitMs, long pollMs) {}

    public Deployment(
            EventQueue time,
            Cluster cluster,
            Transactions transactions,
            RollcallConfig config,
            History history,
            History nobody,
            PresenceTopic presence,
            Pace pace,
            Chance chance) {
        this.time = time;
        this.cluster = cluster;
        this.transactions = transactions;
        this.config = config;
        this.history = history;
        this.nobody = nobody;
        this.presence = presence;
        this.pace = pace;
        group = new Group(time, chance, Cluster.INPUTS.size(), cluster.partitions());
        users = changelogs(cluster.partitions());
        shards = changelogs(cluster.partitions());
    }

    private static List<Changelog> changelogs(int partitions) {
        return IntStream.range(0, partitions).mapToObj(i -> new Changelog()).toList();
    }

    /** Another machine that runs a processor. */
    public Machine addMachine(String name, Chance chance) {
        Machine machine = new Machine(name, this, chance);
        machines.add(machine);
        return machine;
    }

    public List<Machine> machines() {
        return machines;
    }

    /** Gives the partitions to others. */
    public void shuffle() {
        group.shuffle();
    }

    /** Whether all that was written but clock ticks was handled and committed. */
    public boolean isSettled() {
        return cluster.logs().stream()
                .allMatch(log ->
                        group.committed(Cluster.number(Cluster.topic(log.topic())), log.partition()) > log.lastInput());
    }

    /** What is left to be handled, for a person. */
    public String leftOver() {
        StringBuilder left = new StringBuilder();
        for (Log log : cluster.logs()) {
            int topic = Cluster.number(Cluster.topic(log.topic()));
            if (group.committed(topic, log.partition()) <= log.lastInput()) {
                StreamThread owner = group.owner(log.partition());
                left.append("%s committed %d, last input %d, stable %d, end %d, owner %s; "
                        .formatted(
                                log.name(),
                                group.committed(topic, log.partition()),
                                log.lastInput(),
                                log.stableOffset(),
                                log.endOffset(),
                                owner));
            }
        }
        return left.toString();
    }

    /** Whether all partitions have owners that are well. */
    public boolean isServing() {
        return group.isSettled();
    }

    /** Whether every processor has ended. */
    public boolean isStopped() {
        return group.size() == 0;
    }

    /** What has ended a processor, though nothing may. */
    public List<String> failures() {
        return failures;
    }

    EventQueue time() {
        return time;
    }

    Cluster cluster() {
        return cluster;
    }

    Transactions transactions() {
        return transactions;
    }

    RollcallConfig config() {
        return config;
    }

    History history() {
        return history;
    }

    History nobody() {
        return nobody;
    }

    PresenceTopic presence() {
        return presence;
    }

    Pace pace() {
        return pace;
    }

    Group group() {
        return group;
    }

    Changelog users(int partition) {
        return users.get(partition);
    }

    Changelog shards(int partition) {
        return shards.get(partition);
    }

    void failed(String what) {
        failures.add(what);
    }
}
