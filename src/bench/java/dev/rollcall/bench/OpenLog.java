package dev.rollcall.bench;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.UserId;
import dev.rollcall.session.ShardHeartbeat;
import java.util.Map;
import java.util.OptionalLong;

/**
 * A log of open connections (rule 14), written as its time goes on: a hundred shards, each of which sends a heartbeat into every
 * partition each ten seconds, at a phase of its own; and users with one device, all of which are opened once in the first ten
 * seconds. Times are in ms since the epoch.
 */
final class OpenLog implements AutoCloseable {
    static final int SHARDS = 100;

    /** So many shards, the first ones, have a tenth of all users each; the others share the rest. */
    static final int LARGE = 6;

    static final long PERIOD_MS = 10_000;
    static final long LEASE_MS = 30_000;
    private static final String NAME = "hs-shard-";
    private static final long STEP_MS = PERIOD_MS / SHARDS;

    private final HeartbeatWriter writer;
    private final int users;
    private final long start;
    private final long lastTick;
    private final int[] lives = new int[SHARDS];
    private final boolean[] isSilent = new boolean[SHARDS];
    private long next;
    private long shardRecords;

    /** @param lastTick until then there is a clock tick each second; after that a processor writes them */
    OpenLog(HeartbeatWriter writer, int users, long start, long lastTick) {
        this.writer = writer;
        this.users = users;
        this.start = start;
        this.lastTick = lastTick;
        next = start;
    }

    /** Goes on to that time; nothing is older in the log afterwards. */
    void writeTo(long time) {
        for (; next <= time; next += STEP_MS) {
            int step = (int) ((next - start) / STEP_MS);
            if (step == 0) {
                for (int shard = 0; shard < SHARDS; shard++) {
                    beat(shard, next);
                }
            } else if (!isSilent[step % SHARDS]) {
                beat(step % SHARDS, next);
            }
            for (long user = firstOpenedIn(step); user < firstOpenedIn(step + 1); user++) {
                writer.deviceHeartbeat((int) user, heartbeat((int) user, lives[shard((int) user)]), next);
            }
            if (next <= lastTick && (next - start) % LogPlan.TICK_MS == 0) {
                writer.tick(next);
            }
        }
        writer.flush();
    }

    /** The shard is not heard from again. */
    void silence(int shard) {
        isSilent[shard] = true;
    }

    /** The shard begins another session, and its devices are opened again. Returns how many records that are. */
    int restart(int shard) {
        long at = next - STEP_MS;
        lives[shard]++;
        beat(shard, at);
        int records = BrokerFixture.PARTITIONS;
        for (int user = 0; user < users; user++) {
            if (shard(user) == shard) {
                writer.deviceHeartbeat(user, heartbeat(user, lives[shard]), at);
                records++;
            }
        }
        writer.flush();
        return records;
    }

    /** How many heartbeats of shards were written, in all partitions. */
    long shardRecords() {
        return shardRecords;
    }

    /**
     * What is emitted in all.
     *
     * @param ends by shard and partition, when a session that has ended did
     */
    OutputDigest.Figures expectedOutput(Map<Integer, long[]> ends) {
        OutputDigest digest = new OutputDigest();
        for (int step = 0; step <= SHARDS; step++) {
            for (long user = firstOpenedIn(step); user < firstOpenedIn(step + 1); user++) {
                byte[] key = LogPlan.key((int) user);
                digest.transition(UserId.ofBytes(key), PresenceState.ONLINE, start + step * STEP_MS);
                long[] ended = ends.get(shard((int) user));
                if (ended != null) {
                    long at = ended[BrokerFixture.partition(key)];
                    digest.transition(UserId.ofBytes(key), PresenceState.OFFLINE, at);
                }
            }
        }
        return digest.figures();
    }

    @Override
    public void close() {
        writer.close();
    }

    static int shard(int user) {
        int digit = user % 10;
        return digit < LARGE ? digit : LARGE + (user / 10 * (10 - LARGE) + digit - LARGE) % (SHARDS - LARGE);
    }

    static int shard(ShardHeartbeat heartbeat) {
        return Integer.parseInt(heartbeat.shard().substring(NAME.length()));
    }

    static ShardHeartbeat shardHeartbeat(int shard, int life, long startedAt) {
        return new ShardHeartbeat(name(shard), session(shard, life), startedAt, OptionalLong.of(LEASE_MS), false);
    }

    static Heartbeat heartbeat(int user, int life) {
        int shard = shard(user);
        String deviceId = LogPlan.heartbeat(user, null).deviceId();
        return new Heartbeat(deviceId, null, false, OptionalLong.empty(), name(shard), session(shard, life));
    }

    private void beat(int shard, long at) {
        writer.shardHeartbeat(shardHeartbeat(shard, lives[shard], start + lives[shard]), at);
        shardRecords += BrokerFixture.PARTITIONS;
    }

    /** The first step only has the shards. */
    private long firstOpenedIn(int step) {
        return Math.min(users, Math.max(0, step - 1) * (long) users / SHARDS);
    }

    private static String name(int shard) {
        return NAME + shard;
    }

    /** Sixteen hexadecimal digits or fewer, as one would draw them at a shard's start. */
    private static String session(int shard, int life) {
        return Long.toHexString(LogPlan.mix(shard * 1_000L + life));
    }
}
