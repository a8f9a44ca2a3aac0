package dev.rollcall.simulation.people;

import dev.rollcall.session.ShardHeartbeat;
import dev.rollcall.simulation.plan.Plan;
import dev.rollcall.simulation.time.Chance;
import dev.rollcall.simulation.time.EventQueue;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;

/** A homeserver shard: its devices with connections are in its session, the others have leases. */
public final class Shard {
    /** Of so many clients one does not come back when its shard has gone. */
    private static final int USUALLY_GONE_ONE_IN = 10;

    private final EventQueue time;
    private final Chance chance;
    private final Writer writer;
    private final String name;
    private final long leaseMs;
    private final long resumeMs;
    private final long clockOffsetMs;
    private final boolean isSparse;
    private final Set<Device> open = new LinkedHashSet<>();
    private int life;
    private long startedAt;
    private boolean isPaused;
    private boolean isRunning;
    private boolean isStopped;

    /** A partition that it cannot reach; -1: there is none. */
    private int silentOn = -1;

    Shard(EventQueue time, Plan plan, Writer writer, int number, Chance chance) {
        this.time = time;
        this.chance = chance;
        this.writer = writer;
        name = "shard-" + number;
        long usual = plan.setting("shard.lease.ms");
        leaseMs = chance.oneIn(3) ? Math.min(3_600_000, usual * chance.between(1, 4)) : usual;
        resumeMs = plan.setting("shard.resume.ms");
        isSparse = plan.isSparse();
        clockOffsetMs = chance.between(-5_000, 5_000);
        begin();
    }

    String name() {
        return name;
    }

    Writer writer() {
        return writer;
    }

    String session() {
        return name + "/" + life;
    }

    /** Whether it can do anything now. */
    boolean isServing() {
        return isRunning && !isPaused;
    }

    private void begin() {
        if (isStopped) {
            return;
        }
        isRunning = true;
        life++;
        startedAt = Math.max(startedAt + 1, time.millis() + clockOffsetMs);
        int mine = life;
        beat(mine, new ShardHeartbeat(name, session(), startedAt, OptionalLong.of(leaseMs), false));
    }

    private void beat(int ofLife, ShardHeartbeat heartbeat) {
        if (life != ofLife || !isRunning) {
            return;
        }
        if (!isPaused && !(isSparse && open.isEmpty())) {
            tell(heartbeat);
        }
        time.afterMillis(leaseMs / 3, () -> beat(ofLife, heartbeat));
    }

    private void tell(ShardHeartbeat heartbeat) {
        for (int partition = 0; partition < writer.partitions(); partition++) {
            if (partition != silentOn) {
                writer.shardHeartbeat(partition, heartbeat);
            }
        }
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
    }

    // ---- faults ----

    public void pause(long ms) {
        isPaused = true;
        time.afterMillis(ms, () -> isPaused = false);
    }

    public void silence(long ms) {
        silentOn = chance.below(writer.partitions());
        time.afterMillis(ms, () -> silentOn = -1);
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
        isRunning = false;
        List<Device> before = new ArrayList<>(open);
        open.clear();
        time.afterMillis(downMs, () -> {
            begin();
            comeBack(before, this, goneOneIn);
        });
    }

    /** In good order; the clients go to another shard, and it begins anew later. */
    public void end(Shard other, long downMs) {
        if (!isRunning) {
            return;
        }
        tell(new ShardHeartbeat(name, session(), startedAt, OptionalLong.of(leaseMs), true));
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
        ShardHeartbeat old = new ShardHeartbeat(name, session(), startedAt, OptionalLong.of(leaseMs), false);
        List<Device> before = new ArrayList<>(open);
        long downMs = chance.magnitude(1, 2 * leaseMs);
        restart(downMs, chance.oneOf(USUALLY_GONE_ONE_IN, 2));
        long ms = chance.oneIn(2) ? atTheLatestMs : downMs + chance.between(1, Math.max(1, resumeMs));
        for (long at = ms; at < ms + 2 * leaseMs; at += leaseMs / 3) {
            time.afterMillis(at, () -> tell(old));
        }
        for (Device device : before) {
            if (chance.oneIn(5)) {
                time.afterMillis(
                        chance.between(ms, ms + leaseMs), () -> device.speakAs(old.session(), chance.oneIn(2)));
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
            time.afterMillis(when, () -> device.moveTo(to));
        }
    }
}
