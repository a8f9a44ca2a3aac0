package dev.rollcall.bench;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.UserId;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What the preloaded log contains, as values: every user has one device, which beats every ten seconds at a phase of its
 * own. In the first ten seconds all users arrive; what comes after that is measured. The same numbers give the same log.
 */
final class LogPlan {
    static final long PERIOD_MS = 10_000;
    static final long TICK_MS = 1_000;
    private static final long AHEAD_MS = 86_400_000;
    private static final int SHARDS = 8;

    /** Which states the heartbeats carry. */
    enum Kind {
        /** None, so nothing ever changes. */
        STEADY,

        /** Two beats ONLINE, two beats IDLE: after the arrivals, half of all records are transitions. */
        CHURN
    }

    /** Takes the records in the order of the log. Times are in ms since the epoch. */
    interface Log {
        void heartbeat(int user, @Nullable PresenceState state, long at);

        void tick(long at);
    }

    private final Kind kind;
    private final int users;
    private final long measured;
    private final long start;

    /** By user, in ms. */
    private final int[] phases;

    /** The users as they beat within a period. */
    private final int[] order;

    /**
     * @param measured how many heartbeats follow the arrivals
     * @param start the first instant of the log, in ms since the epoch
     */
    LogPlan(Kind kind, int users, long measured, long start) {
        this.kind = kind;
        this.users = users;
        this.measured = measured;
        this.start = start;
        phases = IntStream.range(0, users)
                .map(user -> (int) Math.floorMod(mix(user), PERIOD_MS))
                .toArray();
        order = IntStream.range(0, users)
                .boxed()
                .sorted((a, b) ->
                        phases[a] != phases[b] ? Integer.compare(phases[a], phases[b]) : Long.compare(mix(~a), mix(~b)))
                .mapToInt(Integer::intValue)
                .toArray();
    }

    /**
     * Where to lay a log: a day ahead of the machine's clock, on a whole second. So no clock tick that Rollcall itself writes
     * behind the log ends a lease; {@link BrokerFixture#settingsOfPlannedLog} keeps them out of it.
     */
    static long startOfLog() {
        return (System.currentTimeMillis() + AHEAD_MS) / 1_000 * 1_000;
    }

    int users() {
        return users;
    }

    long measured() {
        return measured;
    }

    /** Whether no state changes after the arrivals. */
    boolean isSteadyAfterArrival() {
        return kind == Kind.STEADY;
    }

    /** When all users have arrived. */
    long arrivedAt() {
        return start + PERIOD_MS;
    }

    /** The last instant, at which a clock ticks. */
    long end() {
        long last = users + measured - 1;
        long lastBeat = start + last / users * PERIOD_MS + phases[order[(int) (last % users)]];
        return start + ((lastBeat - start) / TICK_MS + 1) * TICK_MS;
    }

    /** How many seconds of log time are in the log, which is how many clock ticks each partition has. */
    long seconds() {
        return (end() - start) / TICK_MS;
    }

    /** Writes it all. */
    void write(Log log) {
        long nextTick = start + TICK_MS;
        for (long number = 0; number < users + measured; number++) {
            long round = number / users;
            int user = order[(int) (number % users)];
            long at = start + round * PERIOD_MS + phases[user];
            for (; nextTick <= at; nextTick += TICK_MS) {
                log.tick(nextTick);
            }
            log.heartbeat(user, state(user, round), at);
        }
        log.tick(end());
    }

    /** What a contestant that knows presence has to have emitted after the whole log. */
    OutputDigest expectedOutput() {
        OutputDigest digest = new OutputDigest();
        PresenceState[] before = new PresenceState[users];
        byte[][] ids = IntStream.range(0, users).mapToObj(LogPlan::key).toArray(byte[][]::new);
        write(new Log() {
            @Override
            public void heartbeat(int user, @Nullable PresenceState state, long at) {
                PresenceState now = state != null ? state : PresenceState.ONLINE;
                if (before[user] != now) {
                    before[user] = now;
                    digest.transition(UserId.ofBytes(ids[user]), now, at);
                }
            }

            @Override
            public void tick(long at) {}
        });
        return digest;
    }

    /** The number of a user with such a key. */
    static int user(String key) {
        return Integer.parseInt(key, key.indexOf('r') + 1, key.indexOf(':'), 10);
    }

    static byte[] key(int user) {
        return String.format(Locale.ROOT, "@user%06d:example.org", user).getBytes(StandardCharsets.US_ASCII);
    }

    static Heartbeat heartbeat(int user, @Nullable PresenceState state) {
        return new Heartbeat(deviceId(user), state, false, OptionalLong.empty(), "hs-shard-" + shard(user));
    }

    private @Nullable PresenceState state(int user, long round) {
        if (kind == Kind.STEADY) {
            return null;
        }
        // Half of the users change in even rounds, the others in odd ones.
        return (round + (user & 1)) / 2 % 2 == 0 ? PresenceState.ONLINE : PresenceState.IDLE;
    }

    /** Ten capital letters, as homeservers give them out. */
    private static String deviceId(int user) {
        char[] id = new char[10];
        long bits = mix(user ^ 0x5DEECE66DL) >>> 1;
        for (int i = 0; i < id.length; i++, bits /= 26) {
            id[i] = (char) ('A' + bits % 26);
        }
        return new String(id);
    }

    private static int shard(int user) {
        return (int) Math.floorMod(mix(user + 0x9E3779B9L), (long) SHARDS);
    }

    /** SplitMix64. */
    static long mix(long value) {
        long mixed = value * 0x9E3779B97F4A7C15L + 0x632BE59BD9B4E019L;
        mixed = (mixed ^ (mixed >>> 30)) * 0xBF58476D1CE4E5B9L;
        mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
        return mixed ^ (mixed >>> 31);
    }
}
