package dev.rollcall.bench;

import dev.rollcall.config.RollcallConfig;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.flink.api.common.JobExecutionResult;
import org.apache.flink.core.execution.JobClient;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** A Flink job that is running in this JVM, cluster and all. */
final class FlinkRun implements Run {
    private static final int CLOSE_SECONDS = 60;

    /** What the job's functions report to. Flink makes them from their serialized form, so they find it here. One job runs at a time. */
    private static volatile Seen current = new Seen();

    private final Seen seen;
    private final Contestant contestant;
    private final RollcallConfig config;
    private final Admin admin;
    private final JobClient job;
    private final CompletableFuture<JobExecutionResult> result;

    FlinkRun(Contestant contestant, RollcallConfig config) {
        this.contestant = contestant;
        this.config = config;
        seen = begin();
        admin = Admin.create(Map.of("bootstrap.servers", config.bootstrapServers()));
        try {
            job = FlinkJob.describe(contestant, config).executeAsync(config.applicationId());
            result = job.getJobExecutionResult();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** What one job has done. */
    private static final class Seen {
        private final LongAdder processed = new LongAdder();
        private final OutputDigest digest = new OutputDigest();
        private volatile long thread;
    }

    private static Seen begin() {
        current = new Seen();
        return current;
    }

    /** One more record of the log is done. */
    static void count() {
        current.processed.increment();
    }

    /** The calling thread is the one with the state. */
    static void processesHere() {
        current.thread = Thread.currentThread().getId();
    }

    static OutputDigest digestHere() {
        return current.digest;
    }

    @Override
    public long processed() {
        return seen.processed.sum();
    }

    /** Offsets are committed when a checkpoint is complete, and the output's transactions in the same moments: both are asked for. */
    @Override
    public boolean isDoneWith(Map<Integer, Long> ends) {
        try {
            Map<TopicPartition, OffsetAndMetadata> committed = admin.listConsumerGroupOffsets(config.applicationId())
                    .partitionsToOffsetAndMetadata()
                    .get();
            boolean isCheckpointed = ends.entrySet().stream().allMatch(end -> {
                OffsetAndMetadata offset =
                        committed.get(new TopicPartition(config.topics().deviceHeartbeat(), end.getKey()));
                return offset != null && offset.offset() >= end.getValue();
            });
            return isCheckpointed
                    && outputEnds(IsolationLevel.READ_COMMITTED).equals(outputEnds(IsolationLevel.READ_UNCOMMITTED));
        } catch (ExecutionException e) {
            throw new BenchmarkException("the broker does not say what is committed: " + e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BenchmarkException("interrupted");
        }
    }

    private Map<TopicPartition, Long> outputEnds(IsolationLevel level) throws ExecutionException, InterruptedException {
        Map<TopicPartition, OffsetSpec> latest = IntStream.range(0, config.topicPartitions())
                .boxed()
                .collect(Collectors.toMap(
                        partition -> new TopicPartition(config.topics().presence(), partition),
                        partition -> OffsetSpec.latest()));
        return admin.listOffsets(latest, new ListOffsetsOptions(level)).all().get().entrySet().stream()
                .collect(Collectors.toMap(
                        Map.Entry::getKey, end -> end.getValue().offset()));
    }

    @Override
    public long threadId() {
        return seen.thread;
    }

    @Override
    public OutputDigest.@Nullable Figures digest() {
        return contestant == Contestant.FLINK_HEAP_DISCARD ? seen.digest.figures() : null;
    }

    @Override
    public void check() {
        if (result.isCompletedExceptionally()) {
            result.handle((none, problem) -> {
                        throw new IllegalStateException("the job has failed", problem);
                    })
                    .join();
        }
    }

    @Override
    public void close() {
        try {
            if (!result.isDone()) {
                job.cancel().get(CLOSE_SECONDS, TimeUnit.SECONDS);
                result.handle((none, cancelled) -> none).get(CLOSE_SECONDS, TimeUnit.SECONDS);
            }
        } catch (ExecutionException | TimeoutException e) {
            throw new BenchmarkException("the job did not stop: " + e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            admin.close();
        }
    }
}
