package dev.rollcall.chaos;

import dev.rollcall.chaos.Fault.Action;
import dev.rollcall.chaos.check.Window.Reach;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** What happens to shards that hold connections in sessions (rule 14), each also while a processor is taken over from. */
final class ShardFaults {
    private static final Duration SILENCE = Timing.SHARD_LEASE.plus(Timing.SHARD_HOLD);

    static final List<Fault> ALL = all();

    private ShardFaults() {}

    private static List<Fault> all() {
        List<Fault> all = new ArrayList<>();
        add(all, "session: shard killed, back in a new one", ShardFaults::kill);
        add(all, "session: shard restarted", ShardFaults::restart);
        add(all, "session: shard restarted twice", ShardFaults::restartTwice);
        add(
                all,
                "session: shard paused, a zombie beside its successor",
                ShardFaults::leaveZombie,
                ShardFaults::leaveZombieWhileTakenOver);
        add(all, "session: shard paused within the hold", ShardFaults::pause);
        add(all, "session: shard's devices moved", ShardFaults::move);
        add(all, "session: shard ended in good order", ShardFaults::end);
        add(all, "session: shards deployed one after the other", ShardFaults::deploy);
        add(all, "session: shard cut off from one partition", ShardFaults::cutOff);
        return all;
    }

    private static void add(List<Fault> all, String kind, Action action) {
        add(all, kind, action, (campaign, random) -> whileTakenOver(campaign, random, action));
    }

    private static void add(List<Fault> all, String kind, Action action, Action whileTakenOver) {
        all.add(new Fault(kind, null, action));
        all.add(new Fault(kind + ", a processor killed", Reach.PROCESSORS, 2, whileTakenOver));
    }

    private static String whileTakenOver(Campaign campaign, Random random, Action action) throws Exception {
        String name = Faults.anyProcessor(campaign, random);
        campaign.exits().kill(campaign.processors().process(name));
        campaign.sleep(Faults.between(random, 0, Timing.PROCESSOR_SESSION.toMillis()));
        String detail = action.inject(campaign, random);
        campaign.processors().start(name);
        campaign.processors().awaitReady(name);
        return "%s, processor %s".formatted(detail, name);
    }

    private static String kill(Campaign campaign, Random random) throws InterruptedException {
        String shard = any(campaign, random);
        Duration away = Faults.between(random, 500, SILENCE.plusSeconds(6).toMillis());
        campaign.load().stop(shard);
        campaign.sleep(away);
        campaign.load().restart(shard);
        awaitReopened(campaign);
        return "%s for %.1f s".formatted(shard, away.toMillis() / 1e3);
    }

    private static String restart(Campaign campaign, Random random) throws InterruptedException {
        String shard = any(campaign, random);
        campaign.load().restart(shard);
        awaitReopened(campaign);
        return shard;
    }

    private static String restartTwice(Campaign campaign, Random random) throws InterruptedException {
        String shard = any(campaign, random);
        campaign.load().restart(shard);
        campaign.sleep(Faults.between(random, 100, 2_000));
        campaign.load().restart(shard);
        awaitReopened(campaign);
        return shard;
    }

    /** It is away for longer than its lease, another one takes its place, and then it goes on where it was. */
    static String leaveZombie(Campaign campaign, Random random) throws InterruptedException {
        String shard = beginZombie(campaign, random);
        campaign.sleep(SILENCE);
        return shard;
    }

    /** Both of them go on while a processor is taken over from that knew which one is the later. */
    static String leaveZombieWhileTakenOver(Campaign campaign, Random random) throws Exception {
        String shard = beginZombie(campaign, random);
        String processor = Faults.anyProcessor(campaign, random);
        campaign.exits().kill(campaign.processors().process(processor));
        campaign.sleep(SILENCE);
        campaign.processors().start(processor);
        campaign.processors().awaitReady(processor);
        return "%s, processor %s".formatted(shard, processor);
    }

    private static String beginZombie(Campaign campaign, Random random) throws InterruptedException {
        String shard = any(campaign, random);
        Duration pause = Timing.SHARD_LEASE.plus(Faults.between(random, 500, 4_000));
        campaign.load().silence(shard, pause);
        campaign.sleep(pause);
        campaign.load().restart(shard);
        campaign.sleep(Faults.between(random, 0, 2_000));
        campaign.load().zombie(shard, SILENCE);
        return shard;
    }

    /** It goes on with its devices as if nothing had been, some of them before it beats again. */
    private static String pause(Campaign campaign, Random random) throws InterruptedException {
        String shard = any(campaign, random);
        Duration pause = Faults.between(
                random,
                Timing.SHARD_LEASE.toMillis() / 2,
                SILENCE.plusSeconds(2).toMillis());
        campaign.load().silence(shard, pause);
        campaign.sleep(pause.plusSeconds(2));
        return "%s for %.1f s".formatted(shard, pause.toMillis() / 1e3);
    }

    private static String move(Campaign campaign, Random random) throws InterruptedException {
        String shard = any(campaign, random);
        String other = anyOther(campaign, random, shard);
        campaign.load().move(shard, other);
        campaign.sleep(Timing.LEASE.multipliedBy(2));
        campaign.load().move(shard, shard);
        return "%s to %s and back".formatted(shard, other);
    }

    private static String end(Campaign campaign, Random random) throws InterruptedException {
        String shard = any(campaign, random);
        String other = anyOther(campaign, random, shard);
        campaign.load().end(shard, other);
        campaign.sleep(Timing.LEASE.multipliedBy(2));
        campaign.load().restart(shard);
        awaitReopened(campaign);
        return "%s, its devices at %s meanwhile".formatted(shard, other);
    }

    private static String deploy(Campaign campaign, Random random) throws InterruptedException {
        for (String shard : campaign.load().holdingShards()) {
            Duration away = Faults.between(random, 500, Timing.SHARD_RESUME.toMillis());
            campaign.load().silence(shard, away);
            campaign.sleep(away);
            campaign.load().restart(shard);
            campaign.sleep(Faults.between(random, 500, 3_000));
        }
        awaitReopened(campaign);
        return "%d of them".formatted(campaign.load().holdingShards().size());
    }

    private static String cutOff(Campaign campaign, Random random) throws InterruptedException {
        String shard = any(campaign, random);
        int partition = random.nextInt(SpecialUsers.SPARSE_PARTITION);
        Duration time = Faults.between(
                random, Timing.SHARD_LEASE.toMillis(), SILENCE.plusSeconds(6).toMillis());
        campaign.load().cutOff(shard, partition, time);
        campaign.sleep(time);
        return "%s from partition %d for %.1f s".formatted(shard, partition, time.toMillis() / 1e3);
    }

    private static void awaitReopened(Campaign campaign) throws InterruptedException {
        campaign.sleep(Timing.LEASE.plusSeconds(1));
    }

    private static String any(Campaign campaign, Random random) {
        List<String> shards = campaign.load().holdingShards();
        return shards.get(random.nextInt(shards.size()));
    }

    private static String anyOther(Campaign campaign, Random random, String shard) {
        List<String> others = campaign.load().holdingShards().stream()
                .filter(other -> !other.equals(shard))
                .toList();
        return others.get(random.nextInt(others.size()));
    }
}
