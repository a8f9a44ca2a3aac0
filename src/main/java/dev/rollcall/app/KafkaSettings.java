package dev.rollcall.app;

import dev.rollcall.config.KafkaKeys;
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

/** The settings of Kafka's clients and of Kafka Streams: Rollcall's own, overridden by the keys {@code kafka.*}. */
public final class KafkaSettings {
    /** The constant in {@link StreamsConfig} is deprecated already. */
    private static final String GLOBAL_HANDLER = "processing.exception.handler.global.enabled";

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
        all.remove(ConsumerConfig.GROUP_PROTOCOL_CONFIG); // for the processor only; a consumer knows no "streams"
        return all;
    }

    /** For Kafka Streams. Tests use these too, so that they test what users get. */
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
        // There are no global stores. Unset, Streams 4.3 warns at each start that this default will change. The
        // partition assignor makes settings of its own from the consumer's, so the consumer needs it too.
        all.put(GLOBAL_HANDLER, true);
        all.put(StreamsConfig.mainConsumerPrefix(GLOBAL_HANDLER), true);
        // Wait for an unavailable broker without a limit: time stands still until it is back.
        all.put(StreamsConfig.TASK_TIMEOUT_MS_CONFIG, Long.MAX_VALUE);
        all.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, (int) config.topicReplicationFactor());
        if (!"streams".equals(config.kafka().get("group.protocol"))) { // that protocol's timeouts are set on the broker
            // How long the partitions of a killed member have no owner. Kafka's default of 45 s avoids needless
            // take-overs from a slow member, but here a take-over is cheap, and never expires a user early.
            putDefault(
                    all, config, StreamsConfig.CONSUMER_PREFIX, CommonClientConfigs.SESSION_TIMEOUT_MS_CONFIG, 10_000);
            if (config.bootstrapServers().isEmpty()) {
                // A static member: after a crash it gets its partitions back at once, not after its session ended.
                all.put(CommonClientConfigs.GROUP_INSTANCE_ID_CONFIG, config.applicationId());
            }
        }
        // Records are bundles of up to 256 heartbeats: some 10 000 are buffered, where Kafka's default of 1000 records
        // would be 256 000.
        all.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, 40);
        // What is written between two commits goes to few partitions, and is read after the commit: large batches delay
        // nothing. Room for some hundred partitions' batches.
        putDefault(all, config, StreamsConfig.PRODUCER_PREFIX, ProducerConfig.BATCH_SIZE_CONFIG, 128 << 10);
        putDefault(all, config, StreamsConfig.PRODUCER_PREFIX, ProducerConfig.BUFFER_MEMORY_CONFIG, 64L << 20);
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

    /** With a prefix it would hide what the operator sets without one. */
    private static void putDefault(Properties all, RollcallConfig config, String prefix, String key, Object value) {
        if (!config.kafka().containsKey(key)) {
            all.put(prefix + key, value);
        }
    }

    private static Map<String, Object> client(RollcallConfig config, String bootstrapServers, Set<String> known) {
        Map<String, Object> all = new HashMap<>();
        all.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers);
        config.kafka().forEach((key, value) -> {
            if (known.contains(key) || !KafkaKeys.isKnown(key)) { // an interceptor's, or a login module's
                all.put(key, value);
            }
        });
        return all;
    }
}
