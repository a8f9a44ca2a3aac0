package dev.rollcall.simulation.kafka;

import dev.rollcall.simulation.judge.History;
import dev.rollcall.simulation.judge.History.Topic;
import dev.rollcall.simulation.time.Chance;
import dev.rollcall.simulation.time.EventQueue;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.utils.Utils;

/** The brokers, and the logs of the inputs that they lead; what is true of them is told to the history. */
public final class Cluster {
    /** As in the contract, in the order of {@link Topic}. */
    public static final List<String> INPUTS = List.of("device-heartbeat", "status", "appear-offline");

    /** From when on an input partition of a broker that is down has another leader. */
    private static final long SESSION_MS = 9_000;

    private final EventQueue time;
    private final History history;
    private final Chance chance;
    private final int partitions;
    private final List<Broker> brokers = new ArrayList<>();
    private final List<Log> logs = new ArrayList<>();
    private final List<Consumer<Broker>> watchers = new ArrayList<>();
    private Broker coordinator;

    public Cluster(EventQueue time, History history, Chance chance, int brokerCount, int partitions, long[] clocksMs) {
        this.time = time;
        this.history = history;
        this.chance = chance;
        this.partitions = partitions;
        for (int id = 0; id < brokerCount; id++) {
            Broker broker = new Broker(id, chance.magnitude(200, 30_000));
            broker.setClockOffsetMs(clocksMs[id]);
            brokers.add(broker);
        }
        coordinator = brokers.get(chance.below(brokerCount));
        for (String topic : INPUTS) {
            for (int partition = 0; partition < partitions; partition++) {
                Log log = new Log(time, new TopicPartition(topic, partition), brokers.get(chance.below(brokerCount)));
                logs.add(log);
                tellClock(log);
            }
        }
    }

    public List<Broker> brokers() {
        return brokers;
    }

    public List<Log> logs() {
        return logs;
    }

    public int partitions() {
        return partitions;
    }

    /** Where the records of a key belong. */
    public int partition(byte[] key) {
        return Utils.toPositive(Utils.murmur2(key)) % partitions;
    }

    public Log log(Topic topic, int partition) {
        return logs.get(Cluster.number(topic) * partitions + partition);
    }

    /** Where the topic is in {@link #INPUTS}. */
    @SuppressWarnings("EnumOrdinal") // that list has the order of the enum, and nothing is stored
    public static int number(Topic topic) {
        return topic.ordinal();
    }

    @SuppressWarnings("EnumOrdinal") // as above
    public static Topic topic(String name) {
        return Topic.values()[INPUTS.indexOf(name)];
    }

    /** Which broker the transactions and the group are on. */
    public Broker coordinator() {
        return coordinator;
    }

    public boolean allAvailable() {
        return logs.stream().allMatch(Log::isAvailable);
    }

    /** Whoever has to know that a broker answers again, or leads something that it did not. */
    public void watch(Consumer<Broker> watcher) {
        watchers.add(watcher);
    }

    public void unwatch(Consumer<Broker> watcher) {
        watchers.remove(watcher);
    }

    // ---- faults ----

    /** A broker is away from now on; others lead its partitions after a while. */
    public void stop(Broker broker) {
        if (!broker.isUp()) {
            return;
        }
        broker.setUp(false);
        time.afterMillis(SESSION_MS, () -> {
            if (!broker.isUp()) {
                List<Broker> others = brokers.stream().filter(Broker::isUp).toList();
                if (!others.isEmpty()) {
                    if (coordinator == broker) {
                        coordinator = others.get(chance.below(others.size()));
                    }
                    logs.stream()
                            .filter(log -> log.leader() == broker)
                            .forEach(log -> lead(log, others.get(chance.below(others.size()))));
                }
            }
        });
    }

    public void start(Broker broker) {
        broker.setUp(true);
        if (!coordinator.isUp()) {
            coordinator = broker;
        }
        List<Broker> up = brokers.stream().filter(Broker::isUp).toList();
        for (Log log : logs) {
            if (log.leader() == broker) {
                log.resume();
            } else if (!log.leader().isUp()) {
                lead(log, up.get(0));
            }
        }
        tell(broker);
    }

    /** Another broker leads the partition. */
    public void lead(Log log, Broker broker) {
        log.lead(broker);
        tellClock(log);
        log.resume();
        tell(broker);
    }

    /** Nothing can be written to the partition, nor read from it, until it is unblocked. */
    public void block(Log log, boolean blocked) {
        log.block(blocked);
        log.resume();
        tell(log.leader());
    }

    public void setClock(Broker broker, long offsetMs) {
        broker.setClockOffsetMs(offsetMs);
        logs.stream().filter(log -> log.leader() == broker).forEach(this::tellClock);
    }

    private void tell(Broker broker) {
        List.copyOf(watchers).forEach(watcher -> watcher.accept(broker));
    }

    private void tellClock(Log log) {
        history.clockOffset(log.partition(), topic(log.topic()), log.leader().clockOffsetMs());
    }
}
