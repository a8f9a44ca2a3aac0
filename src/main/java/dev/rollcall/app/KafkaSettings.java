package dev.rollcall.app;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.consumer.HeartbeatBundles;
import dev.rollcall.consumer.ReadBarrierConsumer;
import dev.rollcall.topology.BoundedRocksDb;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.streams.StreamsConfig;

/** The settings of Kafka's clients and of Streams: Rollcall's own, and over them whatever {@code kafka.*} says. */
public final class KafkaSettings {
    private KafkaSettings() {}

    static Map<String, Object> admin(RollcallConfig config, String bootstrapServers) {
        return client(config, bootstrapServers, AdminClientConfig.configNames());
    }

    static Map<String, Object> producer(RollcallConfig config, String bootstrapServers) {
        return client(config, bootstrapServers, ProducerConfig.configNames());
    }

    /** For a consumer without a group. */
    static Map<String, Object> consumer(RollcallConfig config, String bootstrapServers) {
        Map<String, Object> all = client(config, bootstrapServers, ConsumerConfig.configNames());
        all.remove(ConsumerConfig.GROUP_PROTOCOL_CONFIG); // the processors', and "streams" is no consumer's
        return all;
    }

    /** Kafka Streams' settings: the defaults that users get are the ones that are tested. */
    public static Properties streams(RollcallConfig config, String bootstrapServers) {
        Properties all = new Properties();
        all.put(StreamsConfig.APPLICATION_ID_CONFIG, config.applicationId());
        all.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers);
        all.put(
                StreamsConfig.STATE_DIR_CONFIG,
                config.dataDir().resolve("streams").toAbsolutePath().toString());
        // With at-least-once, a crash between the changelog's append and the output's loses a transition for good.
        all.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        all.put(StreamsConfig.ENSURE_EXPLICIT_INTERNAL_RESOURCE_NAMING_CONFIG, true);
        all.put(StreamsConfig.ROCKSDB_CONFIG_SETTER_CLASS_CONFIG, BoundedRocksDb.class);
        // A broker that is away is waited for, however long: time stands still until it is back.
        all.put(StreamsConfig.TASK_TIMEOUT_MS_CONFIG, Long.MAX_VALUE);
        all.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, (int) config.topicReplicationFactor());
        if (!"streams".equals(config.kafka().get("group.protocol"))) { // which sets these on the broker
            // So long nobody speaks for the users of a member that was killed. Kafka's 45 s spare a slow member a wrong
            // suspicion, but a take-over costs little here, and never makes anybody go offline early.
            all.put(StreamsConfig.consumerPrefix(CommonClientConfigs.SESSION_TIMEOUT_MS_CONFIG), 10_000);
            if (config.bootstrapServers().isEmpty()) {
                // One member always runs beside this broker: after a crash it takes its own place again at once.
                all.put(CommonClientConfigs.GROUP_INSTANCE_ID_CONFIG, config.applicationId());
            }
        }
        // In bundles, ten thousand heartbeats of a partition may wait in memory, where Kafka's 1000 would be 256 000.
        all.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, 40);
        all.putAll(config.kafka());
        HeartbeatBundles.configure(all, config.topics().deviceHeartbeat());
        ReadBarrierConsumer.configure(
                all,
                List.of(
                        config.topics().deviceHeartbeat(),
                        config.topics().status(),
                        config.topics().appearOffline()));
        return all;
    }

    private static Map<String, Object> client(RollcallConfig config, String bootstrapServers, Set<String> known) {
        Map<String, Object> all = new HashMap<>();
        all.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers);
        config.kafka().forEach((key, value) -> {
            if (known.contains(key)) {
                all.put(key, value);
            }
        });
        return all;
    }
}
