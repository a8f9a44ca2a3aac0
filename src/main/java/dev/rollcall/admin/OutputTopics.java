package dev.rollcall.admin;

import dev.rollcall.config.ConfigException;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.topology.OutputLimits;
import dev.rollcall.topology.OutputLimits.Limit;
import dev.rollcall.topology.PresenceTopology;
import dev.rollcall.wire.TopicNames;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.streams.StreamsConfig;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the limits of the topics that the processor writes to, once at start: how large a record may be, and how far its
 * timestamp may be from the broker's clock.
 */
public final class OutputTopics {
    private static final Logger LOG = LoggerFactory.getLogger(OutputTopics.class);

    /** How large a shard's row can become: 64 sessions of 255 bytes and their numbers, with room to spare. */
    private static final int MAX_SHARD_BYTES = 64 << 10;

    /** A broker's defaults, for topics whose settings may not be read. */
    private static final int DEFAULT_MAX_MESSAGE_BYTES = 1_048_588;

    private static final long DEFAULT_AFTER_MAX_MS = 3_600_000;

    private static final int DEFAULT_MAX_REQUEST_BYTES = 1 << 20;

    private final Admin admin;
    private final RollcallConfig config;
    private final Answers answers;
    private final List<String> changelogs;
    private final int producerBytes;

    /**
     * @param admin connected to the cluster of the topics
     * @param streams the processor's settings of Kafka Streams, with those of its producer
     * @throws ConfigException if Kafka refuses the settings
     */
    public OutputTopics(Admin admin, RollcallConfig config, Properties streams) {
        this.admin = admin;
        this.config = config;
        this.answers = new Answers(config.kafka());
        this.changelogs = PresenceTopology.changelogs(streams.getProperty(StreamsConfig.APPLICATION_ID_CONFIG));
        this.producerBytes = producerBytes(streams);
    }

    /**
     * Reads the limits. Also lifts those on timestamps from the changelogs: Kafka Streams gives a record there the timestamp
     * of the input that caused it, so it cannot be made to fit.
     *
     * @throws ConfigException if the largest record about one user would not fit on a topic
     */
    public OutputLimits read() {
        Map<String, Limit> limits = new HashMap<>();
        TopicNames names = config.topics();
        List<String> all = new ArrayList<>(List.of(
                names.deviceHeartbeat(), names.status(), names.appearOffline(), names.presence(), names.deadLetters()));
        if (config.rules().routing()) {
            all.add(names.routing());
        }
        int userBytes = config.rules().maxUserBytes();
        for (String topic : all) {
            Limit limit = limit(settings(topic));
            boolean listsDevices = topic.equals(names.routing());
            requireRoom(topic, limit, listsDevices ? userBytes : OutputLimits.MIN_RECORD_BYTES);
            limits.put(topic, limit);
        }
        for (String changelog : changelogs) {
            Map<String, String> settings = settings(changelog);
            requireRoom(changelog, limit(settings), Math.max(userBytes, MAX_SHARD_BYTES));
            if (!settings.isEmpty() && isBounded(limit(settings))) {
                takeAnyTimestamp(changelog);
            }
        }
        return new OutputLimits(limits);
    }

    private static int producerBytes(Properties streams) {
        try {
            Map<String, Object> producer = new StreamsConfig(streams).getProducerConfigs("limits");
            long request = number(producer.get(ProducerConfig.MAX_REQUEST_SIZE_CONFIG), DEFAULT_MAX_REQUEST_BYTES);
            long memory = number(producer.get(ProducerConfig.BUFFER_MEMORY_CONFIG), Integer.MAX_VALUE);
            return (int) Math.min(request, memory);
        } catch (org.apache.kafka.common.config.ConfigException | NumberFormatException e) {
            throw new ConfigException("kafka.*: " + e.getMessage());
        }
    }

    private static long number(@Nullable Object setting, long otherwise) {
        return setting == null ? otherwise : Long.parseLong(setting.toString().strip());
    }

    /** The topic's effective settings; empty if they cannot be read or there is no such topic. */
    private Map<String, String> settings(String topic) {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        Map<String, String> settings = new HashMap<>();
        try {
            for (Config of : answers.await(
                            admin.describeConfigs(List.of(resource)).all())
                    .values()) {
                of.entries().stream()
                        .filter(entry -> entry.value() != null)
                        .forEach(entry -> settings.put(entry.name(), entry.value()));
            }
        } catch (ExecutionException e) {
            if (!(e.getCause() instanceof UnknownTopicOrPartitionException)) {
                LOG.warn(
                        "cannot read the settings of the topic {}, assuming Kafka's defaults: {}",
                        topic,
                        String.valueOf(e.getCause()));
            }
        }
        return settings;
    }

    private Limit limit(Map<String, String> topic) {
        long topicBytes = number(topic.get(TopicConfig.MAX_MESSAGE_BYTES_CONFIG), DEFAULT_MAX_MESSAGE_BYTES);
        boolean isCompacted =
                topic.getOrDefault(TopicConfig.CLEANUP_POLICY_CONFIG, "").contains(TopicConfig.CLEANUP_POLICY_COMPACT);
        boolean isStampedByBroker = "LogAppendTime"
                .equals(topic.get(TopicConfig.MESSAGE_TIMESTAMP_TYPE_CONFIG)); // the broker ignores the record's own
        return Limit.of(
                (int) Math.min(producerBytes, topicBytes),
                isCompacted,
                isStampedByBroker
                        ? Long.MAX_VALUE
                        : number(topic.get(TopicConfig.MESSAGE_TIMESTAMP_BEFORE_MAX_MS_CONFIG), Long.MAX_VALUE),
                isStampedByBroker
                        ? Long.MAX_VALUE
                        : number(topic.get(TopicConfig.MESSAGE_TIMESTAMP_AFTER_MAX_MS_CONFIG), DEFAULT_AFTER_MAX_MS));
    }

    private static boolean isBounded(Limit limit) {
        return limit.beforeMaxMs() != Long.MAX_VALUE || limit.afterMaxMs() != Long.MAX_VALUE;
    }

    private void requireRoom(String topic, Limit limit, int bytes) {
        if (limit.recordBytes() < bytes) {
            throw new ConfigException(
                    "records of up to %d bytes have to fit on the topic %s, and only %d do: raise its max.message.bytes, or"
                                    .formatted(bytes, topic, limit.recordBytes())
                            + " kafka.max.request.size and kafka.buffer.memory, or lower max.devices.per.user");
        }
    }

    private void takeAnyTimestamp(String topic) {
        Collection<AlterConfigOp> changes = OutputLimits.ANY_TIMESTAMP.entrySet().stream()
                .map(setting -> new AlterConfigOp(
                        new ConfigEntry(setting.getKey(), setting.getValue()), AlterConfigOp.OpType.SET))
                .toList();
        try {
            answers.await(
                    admin.incrementalAlterConfigs(Map.of(new ConfigResource(ConfigResource.Type.TOPIC, topic), changes))
                            .all());
            LOG.info("the topic {} accepts any timestamp from now on", topic);
        } catch (ExecutionException e) {
            LOG.warn(
                    "the topic {} bounds timestamps, and the processor ends if a broker's clock is further off than that."
                            + " Set {} on it: {}",
                    topic,
                    OutputLimits.ANY_TIMESTAMP,
                    String.valueOf(e.getCause()));
        }
    }
}
