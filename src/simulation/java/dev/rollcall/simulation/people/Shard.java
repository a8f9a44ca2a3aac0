package dev.rollcall.simulation.people;

import dev.rollcall.simulation.kafka.Cluster;
import dev.rollcall.simulation.kafka.Producer;
import dev.rollcall.simulation.plan.Plan;
import dev.rollcall.simulation.time.Chance;
import dev.rollcall.simulation.time.EventQueue;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** A homeserver shard: its devices with connections are in its session, the others have leases. */
public final class Shard {
    /** Of so many clients one does not come back when its shard has gone. */
    private static final int USUALLY_GONE_ONE_IN = 10;

    private final EventQueue time;
    private final Plan plan;
    private final Cluster cluster;
    private final Chance chance;
    private final Writer writer;
    private final int number;
    private final long leaseMs;
    private final long resumeMs;
    private final long clockOffsetMs;
    private final Set<Device> open = new LinkedHashSet<>();
    private int life;
    private long startedAt;
    private ShardProcess process;
    private boolean isPaused;
    private boolean isRunning;
    private boolean isStopped;
    private boolean isCalm;

    /** When it was last in trouble. */
    private long troubledAt;

    /** A partition whose heartbeats it cannot write; -1: there is none. */
    private int silentOn = -1;

    Shard(EventQueue time, Plan plan, Cluster cluster, Writer writer, int number, Chance chance) {
        this.time = time;
        this.plan = plan;
        this.cluster = cluster;
        this.chance = chance;
        this.writer = writer;
        this.number = number;
        long usual = plan.setting("shard.lease.ms");
        leaseMs = chance.oneIn(3) ? Math.min(3_600_000, usual * chance.between(1, 4)) : usual;
        resumeMs = plan.setting("shard.resume.ms");
        clockOffsetMs = chance.between(-5_000, 5_000);
        process = nextLife();
    }

    String name() {
        return "shard-" + number;
    }

    /** For what no process of it would write. */
    Writer writer() {
        return writer;
    }

    /** The one that runs, or ran last. */
    ShardProcess process() {
        return process;
    }

    int silentOn() {
        return silentOn;
    }

    /** Whether there is a process that hears what it is told, now or when it goes on. */
    boolean isRunning() {
        return isRunning;
    }

    /** Whether it can do anything now. */
    boolean isServing() {
        return isRunning && !isPaused;
    }

    /** Sparse ones are silent while they hold nobody. */
    boolean isBeating() {
        return !isPaused && !(plan.isSparse() && open.isEmpty());
    }

    /** Whether it has served for so long, and could write all that it had to. */
    boolean isWellFor(long ms) {
        return isServing() && silentOn < 0 && time.millis() - troubledAt >= ms;
    }

    private void begin() {
        if (!isStopped) {
            process = nextLife();
        }
    }

    private ShardProcess nextLife() {
        isRunning = true;
        life++;
        startedAt = Math.max(startedAt + 1, time.millis() + clockOffsetMs);
        troubledAt = time.millis();
        if (!plan.hasPublisher(number)) {
            return ByHand.start(time, this, writer, name() + "/" + life, startedAt, leaseMs);
        }
        Chance its = Chance.of(plan.seed(), "publisher of " + name(), life);
        Producer producer = new Producer(time, its, its.magnitude(500, 20_000), its.oneOf(0, 50, 1_000));
        if (isCalm) {
            producer.calm();
        }
        return new WithPublisher(time, cluster, producer, this, startedAt, leaseMs, plan.unitMs(), its.oneIn(2));
    }

    /** Nothing more goes wrong by chance. */
    void calm() {
        isCalm = true;
        process.calm();
    }

    void opened(Device device) {
        open.add(device);
    }

    void closed(Device device) {
        open.remove(device);
    }

    /** Its process is gone for good. */
    void stop() {
        isRunning = false;
        isStopped = true;
        process.vanish();
    }

    // ---- faults ----

    public void pause(long ms) {
        isPaused = true;
        ShardProcess paused = process;
        paused.pause();
        time.afterMillis(ms, () -> {
            isPaused = false;
            troubledAt = time.millis();
            paused.goOn();
        });
    }

    public void silence(long ms) {
        reach(chance.below(writer.partitions()));
        time.afterMillis(ms, () -> reach(-1));
    }

    private void reach(int allButOne) {
        silentOn = allButOne;
        troubledAt = time.millis();
        process.reachabilityChanged();
    }

    /** It ends without a word, and is back after a while in a new session; most clients come back to it. */
    public void restart(long downMs) {
        restart(downMs, USUALLY_GONE_ONE_IN);
    }

    /** @param goneOneIn of so many one has gone meanwhile */
    private void restart(long downMs, int goneOneIn) {
        if (!isRunning) {
            return;
        }
        process.vanish();
        replaceAfter(downMs, goneOneIn);
    }

    private void replaceAfter(long ms, int goneOneIn) {
        isRunning = false;
        List<Device> before = new ArrayList<>(open);
        open.clear();
        time.afterMillis(ms, () -> {
            begin();
            comeBack(before, this, goneOneIn);
        });
    }

    /** In good order; the clients go to another shard, and it begins anew later. */
    public void end(Shard other, long downMs) {
        if (!isRunning) {
            return;
        }
        process.end();
        isRunning = false;
        List<Device> before = new ArrayList<>(open);
        open.clear();
        comeBack(before, other, USUALLY_GONE_ONE_IN);
        time.afterMillis(downMs, this::begin);
    }

    /**
     * Paused, taken for dead, and replaced; then the first process goes on beside the second, in half of all cases while what it
     * had held may still come back.
     *
     * @return in how many ms it goes on
     */
    public long leaveZombie(long atTheLatestMs) {
        if (!isRunning) {
            return atTheLatestMs;
        }
        ShardProcess old = process;
        List<Device> before = new ArrayList<>(open);
        long downMs = chance.magnitude(1, 2 * leaseMs);
        replaceAfter(downMs, chance.oneOf(USUALLY_GONE_ONE_IN, 2));
        long ms = chance.oneIn(2) ? atTheLatestMs : downMs + chance.between(1, Math.max(1, resumeMs));
        old.goOnAsZombie(ms, 2 * leaseMs);
        for (Device device : before) {
            if (chance.oneIn(5)) {
                time.afterMillis(chance.between(ms, ms + leaseMs), () -> old.speakAsZombie(device, chance.oneIn(2)));
            }
        }
        return ms;
    }

    private void comeBack(List<Device> devices, Shard to, int goneOneIn) {
        for (Device device : devices) {
            if (chance.oneIn(goneOneIn)) {
                continue; // its user is gone
            }
            long when = chance.oneIn(8)
                    ? chance.between(0, 3 * resumeMs)
                    : chance.between(0, Math.max(1, resumeMs - resumeMs / 4));
            int lost = device.connection();
            time.afterMillis(when, () -> device.moveTo(to, lost));
        }
    }
}
