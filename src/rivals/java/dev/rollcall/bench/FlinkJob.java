package dev.rollcall.bench;

import dev.rollcall.config.RollcallConfig;
import java.time.Duration;
import java.util.Properties;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.core.execution.CheckpointingMode;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;

/** The job as one would write it, in a cluster within this JVM. */
final class FlinkJob {
    /** As often as a program may that shall not fall behind by more in a crash. */
    private static final Duration CHECKPOINT_EVERY = Duration.ofSeconds(1);

    /** Below the broker's limit, and far above the time between two checkpoints. */
    private static final Duration TRANSACTION_TIMEOUT = Duration.ofMinutes(5);

    private FlinkJob() {}

    static StreamExecutionEnvironment describe(Contestant contestant, RollcallConfig config) {
        StreamExecutionEnvironment environment =
                StreamExecutionEnvironment.createLocalEnvironment(1, settings(contestant, config));
        environment
                .fromSource(source(config), WatermarkStrategy.forMonotonousTimestamps(), "heartbeats")
                .uid("heartbeats")
                .keyBy(beat -> beat.user)
                .process(new FlinkPresence())
                .uid("presence")
                .sinkTo(sink(contestant, config))
                .uid("output");
        return environment;
    }

    private static Configuration settings(Contestant contestant, RollcallConfig config) {
        Configuration settings = new Configuration();
        settings.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, CHECKPOINT_EVERY);
        settings.set(CheckpointingOptions.CHECKPOINTING_CONSISTENCY_MODE, CheckpointingMode.EXACTLY_ONCE);
        settings.set(CheckpointingOptions.CHECKPOINT_STORAGE, "filesystem");
        settings.set(
                CheckpointingOptions.CHECKPOINTS_DIRECTORY,
                config.dataDir().resolve("checkpoints").toAbsolutePath().toUri().toString());
        settings.set(CheckpointingOptions.INCREMENTAL_CHECKPOINTS, true);
        settings.set(StateBackendOptions.STATE_BACKEND, contestant == Contestant.FLINK_ROCKSDB ? "rocksdb" : "hashmap");
        settings.set(PipelineOptions.OBJECT_REUSE, true);
        settings.set(RestartStrategyOptions.RESTART_STRATEGY, "none"); // a failure ends the round
        return settings;
    }

    private static KafkaSource<FlinkBeat> source(RollcallConfig config) {
        Properties settings = new Properties();
        ConsumerRun.settings(config).forEach((name, value) -> {
            if (value != null) {
                settings.put(name, value);
            }
        });
        // Flink sets these itself.
        settings.remove(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG);
        settings.remove(ConsumerConfig.CLIENT_ID_CONFIG);
        settings.remove(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG);
        return KafkaSource.<FlinkBeat>builder()
                .setProperties(settings)
                .setBootstrapServers(config.bootstrapServers())
                .setTopics(config.topics().deviceHeartbeat())
                .setGroupId(config.applicationId())
                .setStartingOffsets(OffsetsInitializer.earliest())
                .setDeserializer(new FlinkHeartbeats(config.rules().leaseMs()))
                .build();
    }

    private static Sink<FlinkChange> sink(Contestant contestant, RollcallConfig config) {
        if (contestant == Contestant.FLINK_HEAP_DISCARD) {
            return new FlinkDigest();
        }
        Properties settings = new Properties();
        settings.putAll(ProducerSettings.ofRollcall(config));
        settings.put(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG, (int) TRANSACTION_TIMEOUT.toMillis());
        return KafkaSink.<FlinkChange>builder()
                .setKafkaProducerConfig(settings)
                .setBootstrapServers(config.bootstrapServers())
                .setDeliveryGuarantee(DeliveryGuarantee.EXACTLY_ONCE)
                .setTransactionalIdPrefix(config.applicationId())
                .setRecordSerializer(new FlinkOutput(config.topics().presence()))
                .build();
    }
}
