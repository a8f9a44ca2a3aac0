package dev.rollcall.chaos;

import dev.rollcall.chaos.check.Window.Reach;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitionReassignment;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;

/** What can be done to clocks. */
final class ClockFaults {
    static final List<Fault> ALL = List.of(
            new Fault("brokers' clocks differ, leaders move", Reach.CLOCKS, ClockFaults::letLeadersMove),
            new Fault("a broker's clock leaps an hour ahead and returns", Reach.CLOCKS, ClockFaults::leap),
            new Fault("a processor's clock steps", Reach.PROCESSORS, ClockFaults::stepProcessorsClock));

    /** A little more than an hour: by then brokers refuse a producer's stamp. */
    private static final Duration LEAP = Duration.ofMinutes(61);

    private static final Duration MOVED_WITHIN = Duration.ofSeconds(20);

    private ClockFaults() {}

    /** Processors' clocks are wrong throughout a campaign; none of them has a part in anything (rule 7). */
    static void setProcessorsWrong(Clocks clocks) {
        clocks.set(Processors.node("one"), Duration.ofMinutes(-1));
        clocks.set(Processors.node("two"), Duration.ofMinutes(10));
        clocks.set(Processors.node(Faults.GUEST), Duration.ofMinutes(-10));
    }

    private static String letLeadersMove(Campaign campaign, Random random) throws InterruptedException {
        List<Duration> offsets = new ArrayList<>(List.of(
                Duration.ofMillis(-200),
                Duration.ofMillis(300),
                Timing.CLOCK_DIFFERENCE.minusMillis(700).multipliedBy(random.nextBoolean() ? 1 : -1)));
        Collections.shuffle(offsets, random);
        List<String> set = new ArrayList<>();
        for (int id : Brokers.IDS) {
            Duration offset = offsets.get(id - 1);
            campaign.clocks().set(Brokers.node(id), offset);
            set.add("%d by %d ms".formatted(id, offset.toMillis()));
        }
        int moved = moveLeaders(campaign, 4);
        setBrokersRight(campaign);
        return "brokers %s; %d moves".formatted(String.join(", ", set), moved);
    }

    /** Lets all leaders move that often; returns how often they did in time. */
    static int moveLeaders(Campaign campaign, int times) throws InterruptedException {
        int moved = 0;
        for (int move = 0; move < times; move++) {
            campaign.sleep(Duration.ofSeconds(3));
            moved += moveLeadersOnce(campaign.brokers(), move) ? 1 : 0;
        }
        campaign.sleep(Duration.ofSeconds(3));
        return moved;
    }

    static void setBrokersRight(Campaign campaign) {
        for (int id : Brokers.IDS) {
            campaign.clocks().set(Brokers.node(id), Duration.ZERO);
        }
    }

    private static String leap(Campaign campaign, Random random) throws InterruptedException {
        int id = campaign.brokers().leaderOf("device-heartbeat", random.nextInt(Timing.PARTITIONS));
        campaign.clocks().set(Brokers.node(id), LEAP);
        campaign.sleep(Duration.ofMillis(1_500));
        campaign.clocks().set(Brokers.node(id), Duration.ZERO);
        campaign.sleep(Duration.ofSeconds(8));
        // What it had put off until an hour from then it would do in an hour.
        campaign.exits().expect(campaign.brokers().process(id));
        campaign.exits().kill(campaign.brokers().process(id));
        campaign.brokers().start(id);
        campaign.brokers().awaitUp(id);
        return "broker " + id;
    }

    private static String stepProcessorsClock(Campaign campaign, Random random) throws InterruptedException {
        List<String> names = campaign.processors().names();
        String name = names.get(random.nextInt(names.size()));
        Duration before = campaign.clocks().offset(Processors.node(name));
        campaign.clocks().set(Processors.node(name), before.plusMinutes(10));
        campaign.sleep(Duration.ofSeconds(8));
        campaign.clocks().set(Processors.node(name), before.plusMinutes(10).minusSeconds(15));
        campaign.sleep(Duration.ofSeconds(20));
        return "processor %s, 10 min ahead and 15 s back".formatted(name);
    }

    /** Every partition gets another leader, by a preferred one that goes around; false: not in time. */
    private static boolean moveLeadersOnce(Brokers brokers, int by) throws InterruptedException {
        try {
            elect(brokers, by);
            return true;
        } catch (IllegalStateException e) {
            return false;
        }
    }

    private static void elect(Brokers brokers, int by) throws InterruptedException {
        Map<TopicPartition, Optional<NewPartitionReassignment>> moves = new HashMap<>();
        for (TopicDescription topic : brokers.topics()) {
            if (topic.isInternal()) {
                continue;
            }
            for (TopicPartitionInfo partition : topic.partitions()) {
                List<Integer> replicas = new ArrayList<>(Brokers.IDS);
                Collections.rotate(replicas, partition.partition() + by);
                moves.put(
                        new TopicPartition(topic.name(), partition.partition()),
                        Optional.of(new NewPartitionReassignment(replicas)));
            }
        }
        Admin admin = brokers.admin();
        Brokers.answer(admin.alterPartitionReassignments(moves).all());
        Timeout timeout = new Timeout("the leaders have moved", MOVED_WITHIN);
        while (!Brokers.answer(admin.listPartitionReassignments().reassignments())
                .isEmpty()) {
            timeout.sleepOrFail(100);
        }
        Brokers.answer(
                admin.electLeaders(ElectionType.PREFERRED, moves.keySet()).partitions());
    }
}
