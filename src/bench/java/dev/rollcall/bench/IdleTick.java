package dev.rollcall.bench;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.UserId;
import dev.rollcall.partition.PresencePartition;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;

/**
 * What one clock tick costs while nothing is due, by the number of live devices: measured on a {@link PresencePartition} that has them all,
 * as if they were on one partition.
 *
 * @param devices each of its own user
 */
record IdleTick(int devices, Mode mode) implements Job<IdleTick.Result> {
    private static final int UNMEASURED_PULSES = 120;
    private static final int CLOCK_TICKS = 300;
    private static final long START = 1_800_000_000_000L;

    /** What keeps the devices alive. */
    enum Mode {
        /** A lease of a day, so that nothing at all comes up. */
        QUIET,

        /**
         * A heartbeat of each every ten seconds with the default lease, so that with each clock tick a thirtieth of the
         * deadlines has to be put off.
         */
        BEATING,

        /** The heartbeats of their shards, every ten seconds. */
        OPEN;

        String id() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Times of one clock tick, with all that it sets off, in ms. */
    record Result(double p50_ms, double p99_ms, double max_ms) {}

    static void scenario(Options options) throws IOException {
        int many = options.users(1_000_000);
        int few = Math.max(1, many / 100);
        Map<String, Object> figures = new LinkedHashMap<>();
        List<Target> targets = new ArrayList<>();
        try (WorkerProcess worker = new WorkerProcess(options)) {
            for (Mode mode : List.of(Mode.QUIET, Mode.BEATING)) {
                String name = mode.id();
                Result ofFew = measure(worker, few, mode, figures);
                Result ofMany = measure(worker, many, mode, figures);
                targets.add(
                        Target.atMost(1, "%s: clock tick with %d live, p50, ms".formatted(name, many), ofMany.p50_ms)
                                .rounded(4));
                targets.add(
                        Target.atMost(1, "%s: clock tick with %d live, p99, ms".formatted(name, many), ofMany.p99_ms)
                                .rounded(4));
                figures.put(name + "-p50-many/few", ofMany.p50_ms / ofFew.p50_ms);
            }
        }
        Progress.print("\n" + Json.PRETTY.writeValueAsString(figures));
        Report.figures(options, Scenario.IDLE_TICK.id(), figures, targets);
    }

    private static Result measure(WorkerProcess worker, int devices, Mode mode, Map<String, Object> figures)
            throws IOException {
        Progress.print("%-12s %,d live", mode.id(), devices);
        Result result = worker.run(new IdleTick(devices, mode));
        figures.put(mode.id() + "-" + devices, result);
        return result;
    }

    @Override
    public Class<Result> resultType() {
        return Result.class;
    }

    @Override
    public Result run() {
        PresencePartition partition =
                new PresencePartition(RollcallConfig.defaults().rules(), user -> null);
        UserId[] users = new UserId[devices];
        Heartbeat[] heartbeats = new Heartbeat[devices];
        for (int user = 0; user < devices; user++) {
            users[user] = UserId.ofBytes(LogPlan.key(user));
            heartbeats[user] = heartbeat(user);
        }
        long[] nanos = new long[CLOCK_TICKS];
        for (int second = 0; second < UNMEASURED_PULSES + CLOCK_TICKS; second++) {
            long at = START + second * 1_000L;
            for (int shard = second % 10; mode == Mode.OPEN && shard < OpenLog.SHARDS; shard += 10) {
                partition.shardHeartbeat(OpenLog.shardHeartbeat(shard, 0, START), at);
            }
            if (mode == Mode.BEATING || second < 10) {
                // A tenth of all in each second, in the order of their numbers' remainders: as good as any.
                for (int user = second % 10; user < devices; user += 10) {
                    var unused = partition.heartbeat(users[user], heartbeats[user], at);
                }
            }
            long before = System.nanoTime();
            tick(partition, at + 999);
            if (second >= UNMEASURED_PULSES) {
                nanos[second - UNMEASURED_PULSES] = System.nanoTime() - before;
            }
        }
        if (partition.size() != devices) {
            throw new BenchmarkException("only %d of %d are live".formatted(partition.size(), devices));
        }
        return new Result(
                Spread.percentile(nanos, 0.5) / 1e6,
                Spread.percentile(nanos, 0.99) / 1e6,
                Spread.percentile(nanos, 1) / 1e6);
    }

    private Heartbeat heartbeat(int user) {
        Heartbeat leased = LogPlan.heartbeat(user, null);
        return switch (mode) {
            case QUIET ->
                new Heartbeat(
                        leased.deviceId(),
                        null,
                        false,
                        OptionalLong.of(Duration.ofDays(1).toMillis()),
                        leased.shard());
            case BEATING -> leased;
            case OPEN -> OpenLog.heartbeat(user, 0);
        };
    }

    private static void tick(PresencePartition partition, long at) {
        partition.tick(at);
        boolean finished = false;
        while (!finished) {
            finished = partition.sweep((user, decision) -> {
                throw new BenchmarkException("something was due for " + user);
            });
        }
    }
}
