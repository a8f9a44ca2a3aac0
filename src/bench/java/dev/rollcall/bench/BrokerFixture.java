package dev.rollcall.bench;

import dev.rollcall.domain.PresenceState;
import dev.rollcall.embedded.EmbeddedBroker;
import dev.rollcall.wire.Inbound;
import dev.rollcall.wire.Topics;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;

/** An embedded broker on a directory of its own, with what the orchestrating side does on it. */
final class BrokerFixture implements AutoCloseable {
    static final int PARTITIONS = 4;
    static final Map<String, String> STAMPED_BY_BROKER = Map.of("message.timestamp.type", "LogAppendTime");
    private static final Topics CONTRACT = Topics.ofContract();

    /** The preloaded log bears the stamps of its own time, which may be ahead of the machine's. */
    private static final Map<String, String> BROKER = Map.of(
            "log.message.timestamp.after.max.ms",
            Long.toString(Long.MAX_VALUE),
            "log.message.timestamp.before.max.ms",
            Long.toString(Long.MAX_VALUE),
            "log.segment.delete.delay.ms",
            "1000");

    private final Path directory;
    private final EmbeddedBroker broker;
    private final Admin admin;

    /** What was in a changelog after an instant: records, and the bytes of their keys and values. */
    record Changelog(long records, long bytes) {
        Changelog minus(Changelog other) {
            return new Changelog(records - other.records, bytes - other.bytes);
        }
    }

    BrokerFixture(Path directory) {
        this.directory = directory;
        deleteTree(directory);
        broker = EmbeddedBroker.start(directory.resolve("kafka"), 0, BROKER, reason -> {
            System.err.println("the broker has died: " + reason);
        });
        admin = Admin.create(Map.of("bootstrap.servers", bootstrapServers()));
        createTopic(CONTRACT.statuses().name(), STAMPED_BY_BROKER);
        createTopic(CONTRACT.appearOffline().name(), STAMPED_BY_BROKER);
    }

    String bootstrapServers() {
        return broker.bootstrapServers();
    }

    /** A directory for local state, that is not shared. */
    Path stateDirectory(String applicationId) {
        return directory.resolve("state").resolve(applicationId);
    }

    /** What the contestants are set to, over {@code config/rollcall.properties}: all alike, each with outputs of its own. */
    /**
     * Of an application that reads a log of the future ({@link LogPlan#startOfLog}), with clock ticks of its own. One of today
     * among them would be a step back, and the next record a gap, over which every lease is extended: the first comes after a
     * minute.
     */
    Map<String, String> settingsOfPlannedLog(Options options, String applicationId, String heartbeats) {
        Map<String, String> settings = settings(options, applicationId, heartbeats);
        settings.put("pulse.interval.ms", "60000");
        return settings;
    }

    Map<String, String> settings(Options options, String applicationId, String heartbeats) {
        Map<String, String> settings = new HashMap<>(options.settings);
        settings.putAll(Map.of(
                "bootstrap.servers",
                bootstrapServers(),
                "application.id",
                applicationId,
                "data.dir",
                stateDirectory(applicationId).toString(),
                "topic.partitions",
                Integer.toString(PARTITIONS),
                "topic.device-heartbeat",
                heartbeats,
                "topic.status",
                CONTRACT.statuses().name(),
                "topic.appear-offline",
                CONTRACT.appearOffline().name(),
                "topic.presence",
                presence(applicationId),
                "topic.presence-dead-letters",
                deadLetters(applicationId)));
        return settings;
    }

    static String presence(String applicationId) {
        return applicationId + "-presence";
    }

    static String deadLetters(String applicationId) {
        return applicationId + "-dead-letters";
    }

    void createTopic(String name, Map<String, String> settings) {
        get(admin.createTopics(List.of(new NewTopic(name, PARTITIONS, (short) 1).configs(settings)))
                .all());
    }

    /** A topic of heartbeats that keeps their producer's stamps. */
    void createLog(String name) {
        createTopic(name, Map.of("message.timestamp.type", "CreateTime", "retention.ms", "-1"));
        ends(name); // answered when it can be written to: a first batch that is refused would come behind the second
        // for good
    }

    /** From now on the records of such a log have the broker's stamps. */
    void stampByBroker(String log) {
        ConfigEntry type = new ConfigEntry("message.timestamp.type", "LogAppendTime");
        get(admin.incrementalAlterConfigs(Map.of(
                        new ConfigResource(ConfigResource.Type.TOPIC, log),
                        List.of(new AlterConfigOp(type, AlterConfigOp.OpType.SET))))
                .all());
    }

    /** The topics to which an application writes. */
    void createOutputs(String applicationId) {
        createTopic(presence(applicationId), Map.of());
        createTopic(deadLetters(applicationId), Map.of());
    }

    /** Deletes every topic whose name begins so. */
    void deleteTopics(String prefix) {
        List<String> doomed = get(admin.listTopics().names()).stream()
                .filter(name -> name.startsWith(prefix))
                .toList();
        get(admin.deleteTopics(doomed).all());
    }

    /**
     * Writes the plan's log to a topic of that name, with the log's own stamps.
     *
     * @return by partition, the offset before which all users arrive
     */
    Map<Integer, Long> preload(LogPlan plan, String topic) {
        createLog(topic);
        byte[][] keys = IntStream.range(0, plan.users()).mapToObj(LogPlan::key).toArray(byte[][]::new);
        Values values = new Values(plan.users());
        Map<Integer, Long> arrived = new HashMap<>();
        try (HeartbeatWriter writer = new HeartbeatWriter(bootstrapServers(), topic, 5)) {
            plan.write(new LogPlan.Log() {
                @Override
                public void heartbeat(int user, @Nullable PresenceState state, long at) {
                    int partition = partition(keys[user]);
                    writer.send(partition, at, keys[user], values.of(user, state));
                    if (at < plan.arrivedAt()) {
                        arrived.merge(partition, 1L, Long::sum);
                    }
                }

                @Override
                public void tick(long at) {
                    writer.tick(at);
                    for (int partition = 0; at < plan.arrivedAt() && partition < PARTITIONS; partition++) {
                        arrived.merge(partition, 1L, Long::sum);
                    }
                }
            });
            writer.flush();
        }
        return arrived;
    }

    /** Where each partition ends. */
    Map<Integer, Long> ends(String topic) {
        try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
            return consumer.endOffsets(partitions(topic)).entrySet().stream()
                    .collect(Collectors.toMap(entry -> entry.getKey().partition(), Map.Entry::getValue));
        }
    }

    /** What was emitted on a presence topic, up to now. */
    OutputDigest digest(String topic) {
        OutputDigest digest = new OutputDigest();
        read(topic, record -> {
            var user = CONTRACT.presence().keys().deserializer().deserialize(topic, record.key());
            var emitted = CONTRACT.presence().values().deserializer().deserialize(topic, record.value());
            digest.transition(user, emitted.state(), record.timestamp());
        });
        return digest;
    }

    /** How many records a reader of committed data finds, up to now. */
    long count(String topic) {
        long[] count = {0};
        read(topic, record -> count[0]++);
        return count[0];
    }

    /** Waits until a reader of committed data could find so many records. */
    void awaitRecords(String topic, long records, Duration atMost, BooleanSupplier goesOn) {
        long giveUpAt = System.nanoTime() + atMost.toNanos();
        long seen = 0;
        try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
            Collection<TopicPartition> partitions = partitions(topic);
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            while (seen < records) {
                seen += consumer.poll(Duration.ofMillis(100)).count();
                if (!goesOn.getAsBoolean() || System.nanoTime() > giveUpAt) {
                    throw new BenchmarkException("only %d of %d records are on %s".formatted(seen, records, topic));
                }
            }
        }
    }

    /** Hands on what a reader of committed data gets, from the beginning of the topic for as long as it goes on. */
    void follow(String topic, BooleanSupplier goesOn, Consumer<ConsumerRecord<byte[], byte[]>> reader) {
        try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
            Collection<TopicPartition> partitions = partitions(topic);
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            while (goesOn.getAsBoolean()) {
                consumer.poll(Duration.ofMillis(100)).forEach(reader);
            }
        }
    }

    /** What the broker's log files of an application's changelogs take. */
    long changelogBytesOnDisk(String applicationId) {
        return bytesOnDisk(Pattern.quote(applicationId) + "-[^/]*-changelog");
    }

    /** What the broker's log files of the topics take whose names match. */
    long bytesOnDisk(String topics) {
        Pattern files = Pattern.compile("/" + topics + "-\\d+/\\d+\\.log$");
        try (Stream<Path> all = Files.walk(directory.resolve("kafka"))) {
            long sum = 0;
            for (Path file : all.toList()) {
                if (files.matcher(file.toString()).find()) {
                    sum += Files.size(file);
                }
            }
            return sum;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What the changelogs of an application got that bears the stamp of this instant or a later one. */
    Changelog changelogs(String applicationId, long from) {
        long[] sums = {0, 0};
        for (String name : get(admin.listTopics().names())) {
            if (name.startsWith(applicationId + "-") && name.endsWith("-changelog")) {
                read(name, record -> {
                    if (record.timestamp() >= from) {
                        sums[0]++;
                        sums[1] += Math.max(0, record.serializedKeySize()) + Math.max(0, record.serializedValueSize());
                    }
                });
            }
        }
        return new Changelog(sums[0], sums[1]);
    }

    @Override
    public void close() {
        admin.close(Duration.ofSeconds(5));
        broker.close();
        deleteTree(directory);
    }

    /** As the Java client's default partitioner does it. */
    static int partition(byte[] key) {
        return Utils.toPositive(Utils.murmur2(key)) % PARTITIONS;
    }

    static void deleteTree(Path directory) {
        if (!Files.exists(directory)) {
            return;
        }
        try (Stream<Path> all = Files.walk(directory)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Hands on what a reader of committed data finds, up to now. */
    void read(String topic, Consumer<ConsumerRecord<byte[], byte[]>> reader) {
        try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
            Collection<TopicPartition> partitions = partitions(topic);
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
                consumer.poll(Duration.ofMillis(100)).forEach(reader);
            }
        }
    }

    /** The values of the heartbeats: a user's repeat themselves, so each is encoded once. */
    private static final class Values {
        private final byte[][] withoutState;
        private final Map<PresenceState, byte[][]> withState = new EnumMap<>(PresenceState.class);

        private Values(int users) {
            withoutState = new byte[users][];
        }

        private byte[] of(int user, @Nullable PresenceState state) {
            byte[][] known = state == null
                    ? withoutState
                    : withState.computeIfAbsent(state, any -> new byte[withoutState.length][]);
            if (known[user] == null) {
                known[user] = HeartbeatWriter.value(new Inbound.Beat(LogPlan.heartbeat(user, state)));
            }
            return known[user];
        }
    }

    private KafkaConsumer<byte[], byte[]> consumer() {
        Map<String, Object> settings = new HashMap<>();
        settings.put("bootstrap.servers", bootstrapServers());
        settings.put("isolation.level", "read_committed");
        settings.put("enable.auto.commit", false);
        return new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    private static List<TopicPartition> partitions(String topic) {
        return IntStream.range(0, PARTITIONS)
                .mapToObj(partition -> new TopicPartition(topic, partition))
                .toList();
    }

    private static <T> T get(KafkaFuture<T> future) {
        try {
            return future.get();
        } catch (ExecutionException e) {
            throw new BenchmarkException("the broker refused: " + e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BenchmarkException("interrupted");
        }
    }
}
