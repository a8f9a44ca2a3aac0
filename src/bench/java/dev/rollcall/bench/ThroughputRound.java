package dev.rollcall.bench;

import com.sun.management.OperatingSystemMXBean;
import dev.rollcall.config.RollcallConfig;
import java.lang.management.ManagementFactory;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * One contestant reads the preloaded log from its beginning, as an application of its own.
 *
 * @param settings over {@code config/rollcall.properties}
 * @param from after how many records the measuring begins
 * @param to after how many records it ends
 * @param ends up to where all has to be committed before the round is over, by partition
 * @param logEnd the last instant of the log, in ms since the epoch
 * @param recording where to write a flight recording of the measured time to; null: none
 */
record ThroughputRound(
        String contestant,
        Map<String, String> settings,
        long from,
        long to,
        Map<Integer, Long> ends,
        long logEnd,
        @Nullable String recording)
        implements Job<ThroughputRound.Result> {
    private static final long LOOK_EVERY_NANOS = TimeUnit.MILLISECONDS.toNanos(2);
    private static final long TIMEOUT_NANOS = TimeUnit.MINUTES.toNanos(15);
    private static final long COMMIT_TIMEOUT_NANOS = TimeUnit.MINUTES.toNanos(1);

    /**
     * What was seen.
     *
     * @param records how many were processed in the measured time
     * @param processed how many were processed from the beginning of the log to the end of the round
     * @param threadCpuNanos what the processing thread used of the processor in that time
     * @param processCpuNanos what the whole JVM used, with the servers that it has of its own; broker not included
     * @param digest what was emitted, if that is not on the output topic
     */
    record Result(
            long records,
            long nanos,
            long threadCpuNanos,
            long processCpuNanos,
            long processed,
            OutputDigest.@Nullable Figures digest) {
        private Result with(OutputDigest.@Nullable Figures emitted) {
            return new Result(records, nanos, threadCpuNanos, processCpuNanos, processed, emitted);
        }

        double recordsPerSecond() {
            return records * 1e9 / nanos;
        }

        /** In ns. */
        double threadCpuPerRecord() {
            return (double) threadCpuNanos / records;
        }

        /** In ns. */
        double processCpuPerRecord() {
            return (double) processCpuNanos / records;
        }
    }

    @Override
    public Class<Result> resultType() {
        return Result.class;
    }

    @Override
    public Result run() throws Exception {
        RollcallConfig config = RollcallConfig.of(settings);
        Contestant who = Contestant.ofId(contestant);
        Run run = start(who, config);
        Result result;
        try (run) {
            result = measure(run);
        } finally {
            BrokerFixture.deleteTree(config.dataDir());
        }
        return result.with(run.digest());
    }

    private Run start(Contestant who, RollcallConfig config) {
        if (Contestant.RIVALS.contains(who)) {
            return Rivals.start(who, config);
        }
        return who == Contestant.CONSUMER ? new ConsumerRun(config) : new StreamsRun(who, config, logEnd);
    }

    private Result measure(Run run) throws Exception {
        long giveUpAt = System.nanoTime() + TIMEOUT_NANOS;
        Sample begin = awaitProcessed(run, from, giveUpAt);
        Sample end;
        try (FlightRecording flight = FlightRecording.to(recording)) {
            end = awaitProcessed(run, to, giveUpAt);
            flight.stop();
        }
        awaitCommitted(run);
        return new Result(
                end.processed - begin.processed,
                end.nanos - begin.nanos,
                end.threadCpuNanos - begin.threadCpuNanos,
                end.processCpuNanos - begin.processCpuNanos,
                run.processed(),
                null);
    }

    private static Sample awaitProcessed(Run run, long records, long giveUpAt) {
        while (true) {
            long processed = run.processed();
            if (processed >= records) {
                return Sample.at(run, processed);
            }
            run.check();
            if (System.nanoTime() > giveUpAt) {
                throw new BenchmarkException("only %d of %d records were processed".formatted(processed, records));
            }
            LockSupport.parkNanos(LOOK_EVERY_NANOS);
        }
    }

    private void awaitCommitted(Run run) {
        long giveUpAt = System.nanoTime() + COMMIT_TIMEOUT_NANOS;
        while (!run.isDoneWith(ends)) {
            run.check();
            if (System.nanoTime() > giveUpAt) {
                throw new BenchmarkException("the end of the log was not committed");
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
        }
    }

    private record Sample(long processed, long nanos, long threadCpuNanos, long processCpuNanos) {
        private static Sample at(Run run, long processed) {
            long nanos = System.nanoTime();
            return new Sample(
                    processed,
                    nanos,
                    ManagementFactory.getThreadMXBean().getThreadCpuTime(run.threadId()),
                    ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class)
                                    .getProcessCpuTime()
                            + run.otherCpuNanos());
        }
    }
}
