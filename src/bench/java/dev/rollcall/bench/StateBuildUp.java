package dev.rollcall.bench;

import dev.rollcall.config.RollcallConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/**
 * Starts Rollcall, waits until all users are in memory, measures, and stops, leaving its state behind.
 *
 * @param settings over {@code config/rollcall.properties}
 * @param ends up to where all has to be committed before it is measured, by partition
 * @param logEnd the last instant of the log, in ms since the epoch
 * @param users how many have to be in memory
 * @param staysUp whether it goes on when it has been measured, until its JVM is killed
 */
record StateBuildUp(Map<String, String> settings, Map<Integer, Long> ends, long logEnd, int users, boolean staysUp)
        implements Job<StateBuildUp.Result> {
    private static final long TIMEOUT_NANOS = TimeUnit.MINUTES.toNanos(10);

    /**
     * What was measured.
     *
     * @param readyMs from the start until all users were in memory, in ms
     * @param joinedMs how much of that went by before the group had given the partitions out, in ms
     * @param heapBytes what was in use on the heap after a garbage collection
     * @param stateBytes what is left in the state directory
     */
    record Result(double readyMs, double joinedMs, long heapBytes, long stateBytes) {}

    @Override
    public Class<Result> resultType() {
        return Result.class;
    }

    @Override
    public Result run() {
        RollcallConfig config = RollcallConfig.of(settings);
        long begin = System.nanoTime();
        StreamsRun run = new StreamsRun(Contestant.ROLLCALL, config, logEnd);
        long joined = await(run, run::hasPartitions);
        long ready = await(run, () -> run.usersInMemory() >= users);
        await(run, () -> run.isDoneWith(ends));
        long heap = usedHeap();
        if (!staysUp) {
            run.close();
        }
        return new Result((ready - begin) / 1e6, (joined - begin) / 1e6, heap, size(config.dataDir()));
    }

    /** Returns when that was so, as {@link System#nanoTime} has it. */
    private static long await(StreamsRun run, BooleanSupplier isSo) {
        long giveUpAt = System.nanoTime() + TIMEOUT_NANOS;
        while (!isSo.getAsBoolean()) {
            run.check();
            if (System.nanoTime() > giveUpAt) {
                throw new BenchmarkException("only %d users are in memory".formatted(run.usersInMemory()));
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(2));
        }
        return System.nanoTime();
    }

    private static long usedHeap() {
        long least = Long.MAX_VALUE;
        for (int attempt = 0; attempt < 3; attempt++) {
            System.gc();
            least = Math.min(
                    least,
                    ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
        }
        return least;
    }

    private static long size(Path directory) {
        try (Stream<Path> all = Files.walk(directory)) {
            long sum = 0;
            for (Path file : all.filter(Files::isRegularFile).toList()) {
                sum += Files.size(file);
            }
            return sum;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
