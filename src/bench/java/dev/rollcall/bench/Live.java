package dev.rollcall.bench;

import dev.rollcall.config.RollcallConfig;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A contestant keeps up with a log that is being written, for as long as it is given.
 *
 * @param settings over {@code config/rollcall.properties}
 * @param clock where its clock stands, in ms since the epoch
 * @param ms how long, in ms
 */
record Live(String contestant, Map<String, String> settings, long clock, long ms) implements Job<Live.Result> {
    /** How many records it has processed. */
    record Result(long processed) {}

    @Override
    public Class<Result> resultType() {
        return Result.class;
    }

    @Override
    public Result run() {
        RollcallConfig config = RollcallConfig.of(settings);
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(ms);
        try (StreamsRun run = new StreamsRun(Contestant.ofId(contestant), config, clock)) {
            while (System.nanoTime() < end) {
                run.check();
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
            }
            return new Result(run.processed());
        }
    }
}
