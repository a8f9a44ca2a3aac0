package dev.rollcall.chaos;

import dev.rollcall.chaos.check.Window.Reach;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/** Every kind of fault that a campaign draws from. */
final class Faults {
    private static final Duration STOPS_WITHIN = Duration.ofSeconds(20);
    static final String GUEST = "guest";
    private static final int GARBAGE = 5_000;

    private Faults() {}

    /** All that can be had here. */
    static List<Fault> all(boolean withSmallDisk, boolean withClocks) {
        List<Fault> all = new ArrayList<>(List.of(
                new Fault(
                        "processor killed, back with its state",
                        Reach.PROCESSORS,
                        2,
                        (campaign, random) -> killProcessor(campaign, random, false)),
                new Fault(
                        "processor killed, back without its state",
                        Reach.PROCESSORS,
                        2,
                        (campaign, random) -> killProcessor(campaign, random, true)),
                new Fault("processor paused beyond its session", Reach.PROCESSORS, 2, Faults::pauseProcessor),
                new Fault("processor joins and leaves", Reach.PROCESSORS, 2, Faults::joinAndLeave),
                new Fault("all processors down for three leases", Reach.PROCESSORS, 2, Faults::stopAllProcessors),
                new Fault("all processors down, a partition sparse", Reach.PROCESSORS, 2, Faults::leaveOneUser),
                new Fault("broker killed: any", (campaign, random) -> killBroker(campaign, random, any(random))),
                new Fault("broker killed: leader of heartbeats", Faults::killLeader),
                new Fault("broker killed: group coordinator", Faults::killCoordinator),
                new Fault("broker paused beyond its session", Faults::pauseBroker),
                new Fault("all brokers down for more than a lease", Faults::stopAllBrokers),
                new Fault("rolling restart of everything", Reach.BROKERS, 4, Faults::restartEverything),
                new Fault("shard silent, shorter than the hold", null, Faults::silenceShard),
                new Fault("shard silent for good", null, Faults::stopShard),
                new Fault("garbage on the inputs", null, Faults::garbage)));
        all.addAll(ShardFaults.ALL);
        if (withSmallDisk) {
            all.add(new Fault("disk full under a processor", Reach.PROCESSORS, 6, Faults::fillDisk));
        }
        if (withClocks) {
            all.addAll(ClockFaults.ALL);
        }
        return all;
    }

    /** As many as are wanted, each kind once before any comes again. */
    static List<Fault> draw(List<Fault> kinds, int count, Random random) {
        List<Fault> drawn = new ArrayList<>();
        while (drawn.size() < count) {
            List<Fault> deck = new ArrayList<>(kinds);
            Collections.shuffle(deck, random);
            drawn.addAll(deck.subList(0, Math.min(deck.size(), count - drawn.size())));
        }
        return drawn;
    }

    // ---- processors ----

    static String killProcessor(Campaign campaign, Random random, boolean wiped) throws InterruptedException {
        String name = anyProcessor(campaign, random);
        campaign.exits().kill(campaign.processors().process(name));
        if (wiped) {
            campaign.processors().wipe(name);
        }
        campaign.sleep(between(random, 0, 8_000));
        campaign.processors().start(name);
        campaign.processors().awaitReady(name);
        return name;
    }

    private static String pauseProcessor(Campaign campaign, Random random) throws InterruptedException {
        String name = anyProcessor(campaign, random);
        campaign.processors().process(name).pause();
        campaign.sleep(Timing.PROCESSOR_SESSION.plus(between(random, 2_000, 12_000)));
        campaign.processors().process(name).resume();
        return name;
    }

    static String joinAndLeave(Campaign campaign, Random random) throws InterruptedException {
        Child guest = campaign.processors().start(GUEST);
        campaign.processors().awaitReady(GUEST);
        campaign.sleep(between(random, 4_000, 8_000));
        campaign.exits().end(guest, STOPS_WITHIN);
        campaign.processors().takeAway(GUEST);
        return "a third one";
    }

    static String stopAllProcessors(Campaign campaign, Random random) throws InterruptedException {
        return stopAllProcessors(campaign, Timing.LEASE.multipliedBy(3));
    }

    /** Of the users on one partition only one goes on, with the log silent between two of his heartbeats. */
    static String leaveOneUser(Campaign campaign, Random random) throws InterruptedException {
        Duration away = Timing.LEASE.multipliedBy(5);
        campaign.load().leave(away.plus(Timing.LEASE.multipliedBy(3)));
        return stopAllProcessors(campaign, away);
    }

    private static String stopAllProcessors(Campaign campaign, Duration time) throws InterruptedException {
        List<String> names = campaign.processors().names();
        names.forEach(name -> campaign.exits().kill(campaign.processors().process(name)));
        campaign.sleep(time);
        campaign.recordBacklog(time);
        for (String name : names) {
            campaign.processors().start(name);
            campaign.processors().awaitReady(name);
        }
        return names.size() + " processors";
    }

    private static String fillDisk(Campaign campaign, Random random) throws Exception {
        Path directory = campaign.processors().dataDirectory(GUEST);
        try (SmallDisk disk = new SmallDisk(directory)) {
            Child guest = campaign.processors().start(GUEST);
            campaign.processors().awaitReady(GUEST);
            campaign.exits().expect(guest);
            campaign.sleep(between(random, 0, 8_000)); // with tasks on it already, or not yet
            disk.fill();
            boolean ended = guest.waitFor(between(random, 6_000, 12_000));
            String first = ended ? "it ended with " + guest.exitCode() : "it went on";
            campaign.exits().end(guest, STOPS_WITHIN);
            Child again = campaign.processors().start(GUEST);
            campaign.exits().expect(again);
            String second = again.waitFor(Duration.ofSeconds(15))
                    ? "started again it ended with " + again.exitCode()
                    : "started again it ran";
            campaign.exits().end(again, STOPS_WITHIN);
            disk.free();
            Child last = campaign.processors().start(GUEST);
            campaign.processors().awaitReady(GUEST);
            campaign.exits().end(last, STOPS_WITHIN);
            campaign.processors().takeAway(GUEST);
            return first + ", " + second + ", with room again it ran";
        }
    }

    // ---- brokers ----

    private static String killLeader(Campaign campaign, Random random) throws InterruptedException {
        int partition = random.nextInt(Timing.PARTITIONS);
        int leader = campaign.brokers().leaderOf("device-heartbeat", partition);
        return killBroker(campaign, random, leader) + " of device-heartbeat-" + partition;
    }

    private static String killCoordinator(Campaign campaign, Random random) throws InterruptedException {
        return killBroker(campaign, random, campaign.brokers().coordinatorOf(Processors.APPLICATION_ID));
    }

    private static String killBroker(Campaign campaign, Random random, int id) throws InterruptedException {
        campaign.exits().kill(campaign.brokers().process(id));
        campaign.sleep(between(random, 0, 12_000));
        campaign.brokers().start(id);
        campaign.brokers().awaitUp(id);
        return "broker " + id;
    }

    private static String pauseBroker(Campaign campaign, Random random) throws InterruptedException {
        int id = any(random);
        campaign.brokers().process(id).pause();
        campaign.sleep(Timing.BROKER_SESSION.plus(between(random, 2_000, 8_000)));
        campaign.brokers().process(id).resume();
        return "broker " + id;
    }

    private static String stopAllBrokers(Campaign campaign, Random random) throws InterruptedException {
        campaign.brokers().processes().forEach(campaign.exits()::kill);
        campaign.sleep(Timing.LEASE.plus(between(random, 2_000, 6_000)));
        campaign.brokers().startAll();
        return "all three";
    }

    private static String restartEverything(Campaign campaign, Random random) throws InterruptedException {
        for (int id : Brokers.IDS) {
            campaign.exits().expect(campaign.brokers().process(id));
            campaign.brokers().restart(id);
        }
        for (String name : campaign.processors().names()) {
            campaign.exits().end(campaign.processors().process(name), STOPS_WITHIN);
            campaign.processors().start(name);
            campaign.processors().awaitReady(name);
        }
        return "three brokers and %d processors"
                .formatted(campaign.processors().names().size());
    }

    // ---- what goes in ----

    private static String silenceShard(Campaign campaign, Random random) throws InterruptedException {
        String shard = anyShard(campaign, random);
        long longest = Timing.SHARD_HOLD.minusSeconds(1).toMillis();
        Duration silence = between(random, Timing.SHARD_SILENCE.plusSeconds(1).toMillis(), longest);
        campaign.load().silence(shard, silence);
        campaign.sleep(silence);
        return "%s for %.1f s".formatted(shard, silence.toMillis() / 1e3);
    }

    private static String stopShard(Campaign campaign, Random random) throws InterruptedException {
        String shard = anyShard(campaign, random);
        campaign.load().stop(shard);
        campaign.sleep(Timing.LEASE.multipliedBy(2).plus(Timing.SHARD_HOLD).plusSeconds(2));
        campaign.load().adopt(shard);
        return shard;
    }

    static String garbage(Campaign campaign, Random random) {
        new Garbage(random).send(campaign.brokers().bootstrapServers(), GARBAGE, campaign.users());
        return GARBAGE + " records";
    }

    // ---- dice ----

    private static int any(Random random) {
        return Brokers.IDS.get(random.nextInt(Brokers.IDS.size()));
    }

    static String anyProcessor(Campaign campaign, Random random) {
        List<String> names = campaign.processors().names();
        return names.get(random.nextInt(names.size()));
    }

    private static String anyShard(Campaign campaign, Random random) {
        List<String> shards = campaign.load().shards();
        return shards.get(random.nextInt(shards.size()));
    }

    static Duration between(Random random, long leastMs, long mostMs) {
        return Duration.ofMillis(leastMs + (long) (random.nextDouble() * (mostMs - leastMs)));
    }
}
