package dev.rollcall.chaos;

import dev.rollcall.chaos.Variant.Patch;
import dev.rollcall.chaos.check.Window.Reach;
import java.nio.file.Files;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitionReassignment;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;

/** What Rollcall would be without its main decisions. */
final class Variants {
    private static final String PROCESSOR = "dev/rollcall/topology/PresenceProcessor.java";
    private static final String TOPOLOGY = "dev/rollcall/topology/PresenceTopology.java";
    private static final String LOG_ACTIVITY = "dev/rollcall/time/LogActivity.java";
    private static final String DEVICES = "dev/rollcall/domain/user/Devices.java";
    private static final String USER = "dev/rollcall/domain/user/User.java";
    private static final String RENEWAL = "dev/rollcall/memory/Renewal.java";
    private static final String USER_STORE = "dev/rollcall/store/UserStore.java";
    private static final String BUNDLES = "dev/rollcall/consumer/HeartbeatBundles.java";
    private static final String BARRIER = "dev/rollcall/consumer/ReadBarrierConsumer.java";
    private static final String HEARTBEAT_SOURCE = "dev/rollcall/topology/HeartbeatSource.java";
    private static final String DEAD_LETTER = "dev/rollcall/topology/DeadLetter.java";

    private static final String SESSIONS = "dev/rollcall/session/Sessions.java";

    private static final String TICK_TOPIC = "clock-ticks";

    /** The broker that leads nothing but heartbeats, where that is wanted. */
    private static final int HEARTBEATS_ONLY = 3;

    /** Longer than any fault lasts: no session ends. */
    private static final String PATIENT = "60000";

    private static final Variant WALL_CLOCK = new Variant(
            "wall-clock",
            "devices expire by the processor's own clock",
            List.of(new Patch(
                    PROCESSOR,
                    "private void writeClockTick(long wallClockMs) {",
                    "private void writeClockTick(long wallClockMs) { partition.tick(wallClockMs); sweeps.sweep();")),
            Map.of("broker.session.timeout.ms", PATIENT),
            Map.of("kafka.session.timeout.ms", "40000", "kafka.transaction.timeout.ms", PATIENT),
            false,
            brokers -> {},
            List.of(new Fault("all brokers paused for more than a lease", Variants::pauseAllBrokers)));

    private static final Variant AT_LEAST_ONCE = new Variant(
            "at-least-once",
            "at-least-once, and a crash between the state's append and the output's, up to three times per processor",
            List.of(
                    new Patch(PROCESSOR, "private void carryOut(UserId user, Decision decision) {", """
                    private void carryOut(UserId user, Decision decision) {
                        if (!decision.updates().isEmpty()
                                && decision.write() instanceof StoreWrite.Put crash
                                && java.util.concurrent.ThreadLocalRandom.current().nextInt(500) == 0
                                && mayCrash()) {
                            users.put(user, crash.snapshot());
                            try {
                                Thread.sleep(1_000); // the changelog has it then
                            } catch (InterruptedException e) {
                                Thread.currentThread().interrupt();
                            }
                            Runtime.getRuntime().halt(137);
                        }
                    """),
                    new Patch(PROCESSOR, "private boolean isMisrouted(", """
                    private boolean mayCrash() {
                        if (!java.nio.file.Files.exists(config.dataDir().resolveSibling("may-crash"))) {
                            return false; // nobody would start it again yet
                        }
                        for (int crash = 1; crash <= 3; crash++) {
                            try {
                                java.nio.file.Files.createFile(config.dataDir().resolve("crash-" + crash));
                                return true;
                            } catch (java.io.IOException e) {
                                // that one has been
                            }
                        }
                        return false;
                    }

                    private boolean isMisrouted(""")),
            Map.of(),
            Map.of("kafka.processing.guarantee", "at_least_once"),
            false,
            brokers -> {},
            List.of(new Fault("crashes", Variants::waitThroughCrashes)));

    private static final Variant NO_EXTENSION = new Variant(
            "no-extension",
            "deadlines are not extended at a take-over",
            List.of(new Patch(DEVICES, "extendTo(at + device.leaseMs(), device);", "")),
            Map.of(),
            Map.of(),
            false,
            brokers -> {},
            List.of(
                    new Fault("nothing, for two leases", Variants::waitTwoLeases),
                    new Fault("processor joins and leaves", Faults::joinAndLeave),
                    new Fault("processor joins and leaves", Faults::joinAndLeave)));

    private static final Variant OWN_TICK_TOPIC = new Variant(
            "own-tick-topic",
            "clock ticks go to a topic of their own",
            List.of(
                    new Patch(TOPOLOGY, "topics.heartbeats().name(),", "\"%s\",".formatted(TICK_TOPIC)),
                    new Patch(
                            TOPOLOGY,
                            "topic.name());",
                            "name.equals(HEARTBEATS) ? new String[] {topic.name(), \"%s\"} : new String[] {topic.name()});"
                                    .formatted(TICK_TOPIC))),
            Map.of("broker.session.timeout.ms", PATIENT),
            Map.of(),
            false,
            Variants::makeTickTopic,
            List.of(new Fault("leader of heartbeats paused for more than a lease", Variants::pauseLeaderOfHeartbeats)));

    private static final Variant LEAK = new Variant(
            "leak",
            "last_active moves while a user is hidden",
            List.of(
                    new Patch(
                            USER,
                            "device.state() == PresenceState.ONLINE && !appearOffline",
                            "device.state() == PresenceState.ONLINE"),
                    new Patch(RENEWAL, "&& !user.appearsOffline()", "")),
            Map.of(),
            Map.of(),
            false,
            brokers -> {},
            List.of(new Fault("nothing, for two leases", Variants::waitTwoLeases)));

    private static final Variant FIRST_STAMP = broken(
            "first-stamp",
            "a bundle has the time of its first record",
            List.of(new Patch(BUNDLES, "last.timestamp(),", "first.timestamp(),")),
            false,
            new Fault("all processors down for three leases", Reach.PROCESSORS, Faults::stopAllProcessors));

    private static final Variant PROCESSORS_CLOCK = broken(
            "processors-clock",
            "a stamp is believed up to 5 s ahead of the processor's clock",
            List.of(new Patch(
                    HEARTBEAT_SOURCE,
                    "record.timestamp(),",
                    "Math.min(record.timestamp(), System.currentTimeMillis() + 5_000),")),
            true,
            new Fault("nothing, for two leases", Variants::waitTwoLeases));

    private static final Variant UNBOUNDED_EXTENSIONS = broken(
            "unbounded-extensions",
            "each gap in the log extends all deadlines again",
            List.of(new Patch(
                    LOG_ACTIVITY,
                    "boolean ticksWereWritten = from - lastTick < gapMs;",
                    "boolean ticksWereWritten = true;")),
            false,
            new Fault("all processors down, a partition sparse", Reach.PROCESSORS, Faults::leaveOneUser));

    private static final Variant UNORDERED_MISROUTED = broken(
            "unordered-misrouted",
            "a misrouted text or flag counts, however old it is",
            List.of(
                    new Patch(USER, "firstStamp >= statusAt", "firstStamp >= 0"),
                    new Patch(USER, "firstStamp >= appearOfflineAt", "firstStamp >= 0")),
            false,
            new Fault("nothing, for two leases", Variants::waitTwoLeases));

    private static final Variant UNBOUNDED_DEAD_LETTERS = broken(
            "unbounded-dead-letters",
            "a dead letter is as large as the record",
            List.of(new Patch(
                    DEAD_LETTER,
                    "limit.recordBytes() - Size.RECORD - Size.of(own) - LENGTHS",
                    "Long.MAX_VALUE - limit.recordBytes()")),
            false,
            new Fault("garbage on the inputs", null, Faults::garbage));

    private static final Variant NO_BARRIER = broken(
            "no-barrier",
            "inputs do not wait for each other",
            List.of(new Patch(BARRIER, "barrier.await(polled.partitions());", "")),
            false,
            new Fault("all processors down for three leases", Reach.PROCESSORS, Faults::stopAllProcessors),
            new Fault(
                    "processor killed, back without its state",
                    Reach.PROCESSORS,
                    (campaign, random) -> Faults.killProcessor(campaign, random, true)));

    private static final Variant ZOMBIE_BELIEVED = broken(
            "zombie-believed",
            "an earlier session's records count",
            List.of(new Patch(
                    SESSIONS,
                    "if (isEarlier || (session != null && session.state() == State.SUPERSEDED)) {",
                    "if (shards.isEmpty()) {")),
            false,
            new Fault("session: shard paused, a zombie beside its successor", null, ShardFaults::leaveZombie),
            new Fault("session: shard paused, a zombie beside its successor", null, ShardFaults::leaveZombie));

    private static final Variant SESSION_FORGOTTEN = broken(
            "session-forgotten",
            "sessions are forgotten at a take-over",
            List.of(new Patch(PROCESSOR, "restoreAll(shards, partition::restoreShard);", "")),
            false,
            zombieWhileTakenOver(),
            zombieWhileTakenOver());

    private static final Variant STALE_ROW_WINS = broken(
            "stale-row-wins",
            "of a user who comes back, RocksDB's row counts, though a newer one waits to be written there",
            List.of(new Patch(
                    USER_STORE,
                    "byte[] value = waiting.get(key);",
                    "byte[] value = rows.get(key) != null ? rows.get(key) : waiting.get(key);")),
            false,
            new Fault("all processors down for three leases", Reach.PROCESSORS, Faults::stopAllProcessors),
            new Fault("nothing, for two leases", Variants::waitTwoLeases),
            new Fault("nothing, for two leases", Variants::waitTwoLeases));

    private static final Variant HALF_A_SNAPSHOT = broken(
            "half-a-snapshot",
            "a clean close commits the changelog's offset without the rows of those in memory",
            List.of(new Patch(USER_STORE, "if (!changelogOffsets.isEmpty()) {", "if (changelogOffsets.isEmpty()) {")),
            false,
            new Fault("processor joins and leaves", Reach.PROCESSORS, Faults::joinAndLeave),
            new Fault("all processors down for three leases", Reach.PROCESSORS, Faults::stopAllProcessors));

    static final List<Variant> ALL = List.of(
            WALL_CLOCK,
            AT_LEAST_ONCE,
            NO_EXTENSION,
            OWN_TICK_TOPIC,
            LEAK,
            FIRST_STAMP,
            PROCESSORS_CLOCK,
            UNBOUNDED_EXTENSIONS,
            UNORDERED_MISROUTED,
            UNBOUNDED_DEAD_LETTERS,
            NO_BARRIER,
            ZOMBIE_BELIEVED,
            SESSION_FORGOTTEN,
            STALE_ROW_WINS,
            HALF_A_SNAPSHOT,
            ProxyFaults.OLD_PROTOCOL);

    private Variants() {}

    private static Fault zombieWhileTakenOver() {
        return new Fault(
                "session: shard paused, a zombie beside its successor, a processor killed",
                Reach.PROCESSORS,
                2,
                ShardFaults::leaveZombieWhileTakenOver);
    }

    private static Variant broken(
            String name, String defect, List<Patch> patches, boolean hasWrongClocks, Fault... script) {
        return new Variant(name, defect, patches, Map.of(), Map.of(), hasWrongClocks, brokers -> {}, List.of(script));
    }

    static Variant named(String name) {
        return ALL.stream()
                .filter(variant -> variant.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no variant %s; there are %s"
                        .formatted(name, ALL.stream().map(Variant::name).toList())));
    }

    private static String waitTwoLeases(Campaign campaign, Random random) throws InterruptedException {
        campaign.sleep(Timing.LEASE.multipliedBy(2));
        return "";
    }

    private static String pauseAllBrokers(Campaign campaign, Random random) throws InterruptedException {
        campaign.brokers().processes().forEach(Child::pause);
        campaign.sleep(Timing.LEASE.plusSeconds(5));
        campaign.brokers().processes().forEach(Child::resume);
        return "all three";
    }

    private static String waitThroughCrashes(Campaign campaign, Random random) throws Exception {
        Files.createFile(campaign.processors().dataDirectory("one").resolveSibling("may-crash"));
        int crashes = campaign.exits().unexpected().size();
        for (int second = 0; second < 60; second++) {
            campaign.sleep(Duration.ofSeconds(1));
            campaign.restartProcessors();
        }
        return "%d of them".formatted(campaign.exits().unexpected().size() - crashes);
    }

    private static String pauseLeaderOfHeartbeats(Campaign campaign, Random random) throws InterruptedException {
        leaveHeartbeatsAloneOn(HEARTBEATS_ONLY, campaign.brokers());
        campaign.sleep(Duration.ofSeconds(5));
        Child leader = campaign.brokers().process(HEARTBEATS_ONLY);
        leader.pause();
        campaign.sleep(Timing.LEASE.plusSeconds(6));
        leader.resume();
        return "broker " + HEARTBEATS_ONLY;
    }

    private static void makeTickTopic(Brokers brokers) throws InterruptedException {
        NewTopic topic = new NewTopic(TICK_TOPIC, Timing.PARTITIONS, (short) 3)
                .configs(Map.of("message.timestamp.type", "LogAppendTime"));
        Brokers.answer(brokers.admin().createTopics(List.of(topic)).all());
    }

    /** Makes one broker the leader of every heartbeat partition, and takes everything else away from it. */
    private static void leaveHeartbeatsAloneOn(int id, Brokers brokers) throws InterruptedException {
        Map<TopicPartition, Optional<NewPartitionReassignment>> moves = new HashMap<>();
        for (TopicDescription topic : brokers.topics()) {
            for (TopicPartitionInfo partition : topic.partitions()) {
                List<Integer> others =
                        Brokers.IDS.stream().filter(other -> other != id).toList();
                List<Integer> replicas =
                        topic.name().equals("device-heartbeat") ? List.of(id, others.get(0), others.get(1)) : others;
                moves.put(
                        new TopicPartition(topic.name(), partition.partition()),
                        Optional.of(new NewPartitionReassignment(replicas)));
            }
        }
        Admin admin = brokers.admin();
        Brokers.answer(admin.alterPartitionReassignments(moves).all());
        Timeout timeout = new Timeout("the replicas have moved", Duration.ofMinutes(1));
        while (!Brokers.answer(admin.listPartitionReassignments().reassignments())
                .isEmpty()) {
            timeout.sleepOrFail(200);
        }
        elect(admin, moves.keySet());
    }

    /** Each partition's first replica leads it; where it does so already, the brokers call that an error. */
    private static void elect(Admin admin, Set<TopicPartition> partitions) throws InterruptedException {
        Brokers.answer(admin.electLeaders(ElectionType.PREFERRED, partitions).partitions());
    }
}
