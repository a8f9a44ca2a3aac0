package dev.rollcall.bench;

import dev.rollcall.app.KafkaSettings;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.consumer.ReadBarrierConsumer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.processor.internals.DefaultKafkaClientSupplier;
import org.jspecify.annotations.Nullable;

/** A topology that is running, with the settings that the program itself uses. */
final class StreamsRun implements Run {
    private final String heartbeats;
    private final Contestant contestant;
    private final KafkaStreams streams;
    private final int partitions;
    private List<? extends Metric> processed = List.of();
    private List<? extends Metric> emitted = List.of();
    private volatile @Nullable Throwable failure;

    StreamsRun(Contestant contestant, RollcallConfig config, long logEnd) {
        this.contestant = contestant;
        this.heartbeats = config.topics().deviceHeartbeat();
        this.partitions = config.topicPartitions();
        Properties settings = KafkaSettings.streams(config, config.bootstrapServers());
        if (contestant != Contestant.ROLLCALL) {
            // The bounds of Rollcall's store and its bundles are its own; the rivals get Kafka Streams' defaults.
            settings.remove(StreamsConfig.ROCKSDB_CONFIG_SETTER_CLASS_CONFIG);
            settings.remove(StreamsConfig.mainConsumerPrefix(ConsumerConfig.INTERCEPTOR_CLASSES_CONFIG));
        }
        if (contestant != Contestant.ROLLCALL && contestant != Contestant.EVERY_SECOND_TUNED) {
            settings.keySet()
                    .removeIf(key -> key.toString().startsWith(StreamsConfig.PRODUCER_PREFIX)
                            && !config.kafka().containsKey(key.toString()));
        }
        streams = new KafkaStreams(
                Topologies.of(contestant, config, logEnd),
                settings,
                contestant == Contestant.ROLLCALL ? ReadBarrierConsumer.supplier() : new DefaultKafkaClientSupplier());
        streams.setUncaughtExceptionHandler(problem -> {
            failure = problem;
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        streams.start();
    }

    @Override
    public long processed() {
        boolean inBundles = contestant == Contestant.ROLLCALL;
        if (processed.size() < (inBundles ? partitions : 1)) {
            processed = inBundles
                    ? find("stream-rollcall-metrics", "record-total")
                    : find("stream-thread-metrics", "process-total");
        }
        return sum(processed);
    }

    /** How many records Rollcall has emitted, all tasks together. */
    long emitted() {
        if (emitted.size() < partitions) {
            emitted = find("stream-rollcall-metrics", "presence-update-total");
        }
        return sum(emitted);
    }

    /** How many users Rollcall has in memory, all tasks together. */
    long usersInMemory() {
        return sum(find("stream-rollcall-metrics", "users-in-memory"));
    }

    /** Whether the group has given it all partitions. */
    boolean hasPartitions() {
        return streams.metadataForLocalThreads().stream()
                        .mapToInt(thread -> thread.activeTasks().size())
                        .sum()
                == partitions;
    }

    private List<? extends Metric> find(String group, String name) {
        return streams.metrics().values().stream()
                .filter(one -> one.metricName().group().equals(group)
                        && one.metricName().name().equals(name))
                .toList();
    }

    private static long sum(List<? extends Metric> metrics) {
        long sum = 0;
        for (Metric metric : metrics) {
            sum += ((Double) metric.metricValue()).longValue();
        }
        return sum;
    }

    @Override
    public boolean isDoneWith(Map<Integer, Long> ends) {
        return ends.entrySet().stream().allMatch(end -> committed(end.getKey()) >= end.getValue());
    }

    private long committed(int partition) {
        return streams.metadataForLocalThreads().stream()
                .flatMap(thread -> thread.activeTasks().stream())
                .map(task -> task.committedOffsets().get(new TopicPartition(heartbeats, partition)))
                .mapToLong(offset -> offset == null ? 0 : offset)
                .sum();
    }

    @Override
    public long threadId() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().endsWith("-StreamThread-1"))
                .mapToLong(Thread::getId)
                .findFirst()
                .orElse(0);
    }

    @Override
    public void check() {
        Throwable problem = failure;
        if (problem != null) {
            throw new BenchmarkException("the topology cannot go on: " + problem);
        }
    }

    @Override
    public void close() {
        boolean closed = streams.close(CloseOptions.timeout(Duration.ofSeconds(60))
                .withGroupMembershipOperation(CloseOptions.GroupMembershipOperation.LEAVE_GROUP));
        if (!closed) {
            throw new BenchmarkException("the topology did not stop");
        }
    }
}
