package dev.rollcall.app.repair;

import dev.rollcall.admin.Answers;
import dev.rollcall.admin.ClusterException;
import dev.rollcall.admin.Refusal;
import dev.rollcall.app.operator.Program;
import dev.rollcall.config.ConfigException;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.registry.Registry;
import dev.rollcall.topology.PresenceTopology;
import dev.rollcall.wire.Topics;
import dev.rollcall.wire.registry.RegistryUnavailableException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.function.ToIntFunction;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/** The clients of one run of a command, and what the commands ask the cluster with them. */
public final class Clients implements AutoCloseable {
    private final Program program;
    private final RollcallConfig config;
    private final Answers answers;
    private final Deque<AutoCloseable> open = new ArrayDeque<>();
    private @Nullable Admin admin;
    private @Nullable Topics topics;
    private @Nullable TopicScan committed;
    private @Nullable KafkaProducer<byte[], byte[]> writer;

    private Clients(Program program) {
        this.program = program;
        this.config = program.config();
        this.answers = new Answers(config.kafka());
    }

    /** Runs a command, and says of what the brokers refuse who lacks which right, of all else that they answer what it is. */
    public static int with(Program program, ToIntFunction<Clients> command) {
        try (Clients clients = new Clients(program)) {
            return command.applyAsInt(clients);
        } catch (RegistryUnavailableException e) {
            throw e; // not the cluster's
        } catch (ApiException e) {
            throw translated(e, program.config());
        }
    }

    private static RuntimeException translated(Throwable failure, RollcallConfig config) {
        @Nullable ConfigException refusal = Refusal.among(failure, config).orElse(null);
        return refusal == null ? new ClusterException("the cluster: " + failure.getMessage()) : refusal;
    }

    public RollcallConfig config() {
        return config;
    }

    public Topics topics() {
        Topics all = topics;
        if (all == null) {
            all = Registry.topics(config);
            topics = all;
        }
        return all;
    }

    /** Of the users' store. */
    public String usersChangelog() {
        return PresenceTopology.changelogs(config.applicationId()).get(0);
    }

    /** Of the shards' store. */
    public String shardsChangelog() {
        return PresenceTopology.changelogs(config.applicationId()).get(1);
    }

    public String bootstrapServers() {
        return program.bootstrapServers(config);
    }

    public Admin admin() {
        Admin one = admin;
        if (one == null) {
            one = Admin.create(program.admin(config));
            admin = one;
            Admin made = one;
            open.push(() -> made.close(Duration.ZERO));
        }
        return one;
    }

    /** Reads what is committed. */
    public TopicScan scan() {
        TopicScan one = committed;
        if (one == null) {
            one = new TopicScan(program.consumer(config), true);
            committed = one;
            open.push(one);
        }
        return one;
    }

    /** Reads what is there, committed or not. */
    public TopicScan scanUncommitted() {
        TopicScan one = new TopicScan(program.consumer(config), false);
        open.push(one);
        return one;
    }

    /**
     * One that waits for all replicas.
     *
     * @param more settings beside those of the configuration
     */
    public KafkaProducer<byte[], byte[]> producer(Map<String, Object> more) {
        Map<String, Object> all = new HashMap<>(program.producer(config));
        all.put(ProducerConfig.ACKS_CONFIG, "all");
        all.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
        all.putAll(more);
        KafkaProducer<byte[], byte[]> one =
                new KafkaProducer<>(all, new ByteArraySerializer(), new ByteArraySerializer());
        open.push(() -> one.close(Duration.ZERO)); // what had to be written was awaited
        return one;
    }

    /** Writes records, and waits until the brokers have all of them. */
    public void write(List<ProducerRecord<byte[], byte[]>> records) {
        if (records.isEmpty()) {
            return;
        }
        KafkaProducer<byte[], byte[]> producer = writer;
        if (producer == null) {
            producer = producer(Map.of());
            writer = producer;
        }
        var sent = records.stream().map(producer::send).toList();
        producer.flush();
        sent.forEach(this::await);
    }

    // ---- the processor's group ----

    /** How many members the processor's group has: instances (threads of them) that run, or were killed seconds ago. */
    public int members() {
        String id = config.applicationId();
        List<String> group = List.of(id);
        return count(Objects.requireNonNull(admin().describeConsumerGroups(group)
                                .describedGroups()
                                .get(id))
                        .thenApply(one -> one.members().size()))
                + count(Objects.requireNonNull(admin().describeStreamsGroups(group)
                                .describedGroups()
                                .get(id))
                        .thenApply(one -> one.members().size()));
    }

    private int count(KafkaFuture<Integer> members) {
        try {
            return answers.await(members);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof GroupIdNotFoundException) { // there is none, or not of that protocol
                return 0;
            }
            throw translated(e.getCause() == null ? e : e.getCause(), config);
        }
    }

    /**
     * Makes sure that no instance runs.
     *
     * @throws ConfigException if one does; {@code why} completes "stop all instances first: …"
     */
    public void requireStopped(String why) {
        int members = members();
        if (members > 0) {
            throw new ConfigException(
                    "the group %s has %d members: stop all instances first (one that was killed counts for some seconds more): %s"
                            .formatted(config.applicationId(), members, why));
        }
    }

    /** How far the inputs were read. */
    public Map<TopicPartition, Long> offsets() {
        Map<TopicPartition, Long> offsets = new HashMap<>();
        try {
            Map<TopicPartition, @Nullable OffsetAndMetadata> all = answers.await(
                    admin().listConsumerGroupOffsets(config.applicationId()).partitionsToOffsetAndMetadata());
            all.forEach((partition, offset) -> {
                if (offset != null) {
                    offsets.put(partition, offset.offset());
                }
            });
        } catch (ExecutionException e) {
            if (!(e.getCause() instanceof GroupIdNotFoundException)) {
                throw translated(e.getCause() == null ? e : e.getCause(), config);
            }
        }
        return offsets;
    }

    /** The group as somebody sees it who is no member. */
    public ConsumerGroupMetadata group() {
        Map<String, Object> settings = new HashMap<>(program.consumer(config));
        settings.put(ConsumerConfig.GROUP_ID_CONFIG, config.applicationId());
        settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            return consumer.groupMetadata();
        }
    }

    // ---- topics ----

    /** A topic's settings, defaults included; empty: they may not be read, or there is no such topic. */
    public Map<String, String> settings(String topic) {
        Map<String, String> settings = new HashMap<>();
        try {
            answers.await(admin().describeConfigs(List.of(new ConfigResource(ConfigResource.Type.TOPIC, topic)))
                            .all())
                    .values()
                    .forEach(all -> all.entries().forEach(entry -> {
                        if (entry.value() != null) {
                            settings.put(entry.name(), entry.value());
                        }
                    }));
        } catch (ExecutionException e) {
            return Map.of();
        }
        return settings;
    }

    public boolean exists(String topic) {
        try {
            answers.await(admin().describeTopics(List.of(topic)).allTopicNames());
            return true;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof UnknownTopicOrPartitionException) {
                return false;
            }
            throw translated(e.getCause() == null ? e : e.getCause(), config);
        }
    }

    /** Waits for an answer. */
    public <T> T await(Future<T> future) {
        try {
            return answers.await(future);
        } catch (ExecutionException e) {
            throw translated(e.getCause() == null ? e : e.getCause(), config);
        }
    }

    @Override
    public void close() {
        while (!open.isEmpty()) {
            try {
                open.pop().close();
            } catch (Exception e) {
                throw new ClusterException("a client did not close: " + e.getMessage());
            }
        }
    }
}
