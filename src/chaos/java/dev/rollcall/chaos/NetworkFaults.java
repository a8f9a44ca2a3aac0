package dev.rollcall.chaos;

import dev.rollcall.chaos.check.Window.Reach;
import dev.rollcall.chaos.network.Namespaces;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/** What a network and its clocks can do to brokers and processors, each of which has a namespace of its own. */
final class NetworkFaults {
    /** From what to what the clocks are apart. */
    private static final Duration LEAST_APART = Duration.ofMillis(500);

    private static final int SLOWEST_KBIT = 250;
    private static final int FASTEST_KBIT = 1_000;

    static final List<Fault> ALL = List.of(
            new Fault("network: broker cut off from the others", (campaign, random) -> {
                String broker = anyBroker(random);
                List<String> others = others(broker);
                return cut(campaign, random, broker, others, true, true);
            }),
            new Fault("network: broker cut off from all clients", (campaign, random) -> {
                String broker = anyBroker(random);
                return cut(campaign, random, broker, clients(campaign), true, true);
            }),
            new Fault("network: broker not heard by the others", (campaign, random) -> {
                String broker = anyBroker(random);
                return cut(campaign, random, broker, others(broker), true, false);
            }),
            new Fault("network: broker does not hear the others", (campaign, random) -> {
                String broker = anyBroker(random);
                return cut(campaign, random, broker, others(broker), false, true);
            }),
            new Fault("network: broker not heard by its clients", (campaign, random) -> {
                String broker = anyBroker(random);
                return cut(campaign, random, broker, clients(campaign), true, false);
            }),
            new Fault("network: two brokers cut off from each other", (campaign, random) -> {
                String broker = anyBroker(random);
                return cut(campaign, random, broker, others(broker).subList(0, 1), true, true);
            }),
            new Fault("network: slow links of all brokers", NetworkFaults::slowBrokers),
            new Fault("network: slow link of a processor", Reach.PROCESSORS, 2, NetworkFaults::slowProcessor),
            new Fault("network: processor reaches its coordinator only", (campaign, random) -> {
                List<String> leaders = new ArrayList<>(brokers());
                leaders.remove(coordinator(campaign));
                return cut(campaign, random, anyProcessor(campaign, random), leaders, true, true);
            }),
            new Fault(
                    "network: processor does not reach its coordinator",
                    (campaign, random) -> cut(
                            campaign,
                            random,
                            anyProcessor(campaign, random),
                            List.of(coordinator(campaign)),
                            true,
                            true)),
            new Fault(
                    "network: processor cut off",
                    Reach.PROCESSORS,
                    2,
                    (campaign, random) -> cut(campaign, random, anyProcessor(campaign, random), brokers(), true, true)),
            new Fault(
                    "network: processor not heard",
                    Reach.PROCESSORS,
                    2,
                    (campaign, random) ->
                            cut(campaign, random, anyProcessor(campaign, random), brokers(), true, false)),
            new Fault("network: brokers' clocks far apart, leaders move", Reach.CLOCKS, NetworkFaults::setClocksApart),
            new Fault("network: a broker's clock steps under load", Reach.CLOCKS, NetworkFaults::stepClock));

    private NetworkFaults() {}

    // ---- links ----

    /** Cuts the links between one node and others for a while that may be shorter or longer than all sessions. */
    private static String cut(
            Campaign campaign, Random random, String node, List<String> others, boolean out, boolean in)
            throws InterruptedException {
        Namespaces network = campaign.namespaces();
        for (String other : others) {
            if (out) {
                network.cut(node, other);
            }
            if (in) {
                network.cut(other, node);
            }
        }
        Duration time = Faults.between(
                random, 3_000, Timing.BROKER_SESSION.multipliedBy(3).toMillis());
        campaign.sleep(time);
        network.mend();
        return "%s and %s for %.1f s".formatted(node, String.join(", ", others), time.toMillis() / 1e3);
    }

    private static String slowBrokers(Campaign campaign, Random random) throws InterruptedException {
        return slow(campaign, random, brokers());
    }

    private static String slowProcessor(Campaign campaign, Random random) throws InterruptedException {
        return slow(campaign, random, List.of(anyProcessor(campaign, random)));
    }

    private static String slow(Campaign campaign, Random random, List<String> nodes) throws InterruptedException {
        int kilobits = SLOWEST_KBIT + random.nextInt(FASTEST_KBIT - SLOWEST_KBIT);
        nodes.forEach(node -> campaign.namespaces().slow(node, kilobits));
        Duration time = Faults.between(random, 8_000, 16_000);
        campaign.sleep(time);
        campaign.namespaces().mend();
        return "%s at %d kbit/s for %.1f s".formatted(String.join(", ", nodes), kilobits, time.toMillis() / 1e3);
    }

    // ---- clocks ----

    private static String setClocksApart(Campaign campaign, Random random) throws InterruptedException {
        List<Duration> offsets =
                new ArrayList<>(List.of(Duration.ZERO, apart(random).dividedBy(2), apart(random)));
        Collections.shuffle(offsets, random);
        List<String> set = new ArrayList<>();
        for (int id : Brokers.IDS) {
            Duration offset = offsets.get(id - 1);
            campaign.clocks().set(Brokers.node(id), offset);
            set.add("%d by %d ms".formatted(id, offset.toMillis()));
        }
        int moved = ClockFaults.moveLeaders(campaign, 4);
        ClockFaults.setBrokersRight(campaign);
        return "brokers %s; %d moves".formatted(String.join(", ", set), moved);
    }

    private static String stepClock(Campaign campaign, Random random) throws InterruptedException {
        int id = campaign.brokers().leaderOf("device-heartbeat", random.nextInt(Timing.PARTITIONS));
        List<String> steps = new ArrayList<>();
        for (int step = 0; step < 4; step++) {
            Duration ahead = random.nextInt(3) == 0 ? Duration.ZERO : apart(random);
            campaign.clocks().set(Brokers.node(id), ahead);
            steps.add("%d ms".formatted(ahead.toMillis()));
            campaign.sleep(Faults.between(random, 500, 4_000));
        }
        ClockFaults.setBrokersRight(campaign);
        return "broker %d: %s ahead, then right".formatted(id, String.join(", ", steps));
    }

    private static Duration apart(Random random) {
        return Faults.between(random, LEAST_APART.toMillis(), Timing.FAR_CLOCK_DIFFERENCE.toMillis());
    }

    // ---- nodes ----

    private static List<String> brokers() {
        return Brokers.IDS.stream().map(Brokers::node).toList();
    }

    private static String anyBroker(Random random) {
        return Brokers.node(Brokers.IDS.get(random.nextInt(Brokers.IDS.size())));
    }

    private static List<String> others(String broker) {
        return brokers().stream().filter(other -> !other.equals(broker)).toList();
    }

    private static String anyProcessor(Campaign campaign, Random random) {
        return Processors.node(Faults.anyProcessor(campaign, random));
    }

    private static List<String> clients(Campaign campaign) {
        List<String> clients = new ArrayList<>(List.of(Namespaces.OUTSIDE));
        campaign.processors().names().forEach(name -> clients.add(Processors.node(name)));
        return clients;
    }

    private static String coordinator(Campaign campaign) throws InterruptedException {
        return Brokers.node(campaign.brokers().coordinatorOf(Processors.APPLICATION_ID));
    }
}
