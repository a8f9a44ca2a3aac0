package dev.rollcall.bench;

import com.sun.management.OperatingSystemMXBean;
import dev.rollcall.config.RollcallConfig;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A contestant keeps up with a log that is being written, for as long as it is given. What it uses is looked at all along.
 *
 * @param settings over {@code config/rollcall.properties}
 * @param clock where its clock stands, in ms since the epoch
 * @param ms how long at most, in ms
 * @param end it ends before when there is such a file; null: not
 */
record Live(
        String contestant,
        Map<String, String> settings,
        long clock,
        long ms,
        @Nullable String end) implements Job<Live.Result> {
    private static final long LOOK_EVERY_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    /**
     * What had been used at an instant, in ms since the epoch.
     *
     * @param processed how many records had been
     * @param threadCpu by the processing thread, in ns
     * @param processCpu by the whole JVM, broker not included, in ns
     */
    record Sample(long at, long processed, long threadCpu, long processCpu) {}

    /** What was used in some time; percent are of one core. */
    record Usage(long ms, double threadPercent, double processPercent) {
        private static Usage between(Sample from, Sample to) {
            double percent = 100.0 / TimeUnit.MILLISECONDS.toNanos(to.at - from.at);
            return new Usage(
                    to.at - from.at,
                    (to.threadCpu - from.threadCpu) * percent,
                    (to.processCpu - from.processCpu) * percent);
        }
    }

    /** What was seen, in the order of time. */
    record Result(List<Sample> samples) {
        /** Between these instants, in ms since the epoch. */
        Usage usage(long from, long to) {
            return Usage.between(first(sample -> sample.at >= from), first(sample -> sample.at >= to));
        }

        /** When so many records had been processed from an instant on. */
        long processed(long from, long records) {
            long before = first(sample -> sample.at >= from).processed;
            return first(sample -> sample.processed >= before + records).at;
        }

        private Sample first(Predicate<Sample> isIt) {
            return samples.stream()
                    .filter(isIt)
                    .findFirst()
                    .orElseThrow(() -> new BenchmarkException("it had ended before"));
        }
    }

    @Override
    public Class<Result> resultType() {
        return Result.class;
    }

    @Override
    public Result run() {
        RollcallConfig config = RollcallConfig.of(settings);
        long timeUp = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(ms);
        List<Sample> samples = new ArrayList<>();
        try (StreamsRun run = new StreamsRun(Contestant.ofId(contestant), config, clock)) {
            long thread = run.threadId();
            while (System.nanoTime() < timeUp && (end == null || !Files.exists(Path.of(end)))) {
                run.check();
                samples.add(sample(run, thread));
                LockSupport.parkNanos(LOOK_EVERY_NANOS);
            }
        }
        return new Result(samples);
    }

    private static Sample sample(StreamsRun run, long thread) {
        return new Sample(
                System.currentTimeMillis(),
                run.processed(),
                Math.max(0, ManagementFactory.getThreadMXBean().getThreadCpuTime(thread)),
                ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getProcessCpuTime());
    }
}
