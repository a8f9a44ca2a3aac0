package dev.rollcall.chaos;

import dev.rollcall.chaos.network.Network;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.Random;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** Three brokers, each a process: what can be done to them, and what they report. */
final class Brokers implements AutoCloseable {
    static final String CONTROLLER_LISTENER = "CONTROLLER";
    static final List<Integer> IDS = List.of(1, 2, 3);

    private static final Duration UP_WITHIN = Duration.ofSeconds(90);
    private static final Duration STOPS_WITHIN = Duration.ofSeconds(30);
    private static final Duration ANSWER_WITHIN = Duration.ofSeconds(20);
    private static final int HEAP_MB = 448;

    /** Below the ports that the system hands out, so that no other program takes the one of a broker that is away. */
    private static final int FIRST_PORT = 20_000;

    private static final int PORTS = 10_000;

    private final Path directory;
    private final Map<Integer, Integer> clientPorts = new HashMap<>();
    private final Map<Integer, Integer> controllerPorts = new HashMap<>();
    private final SortedMap<Integer, Child> processes = new TreeMap<>();
    private final Map<String, String> overrides;
    private final Clocks clocks;
    private final Network network;
    private final @Nullable Proxies proxies;
    private final Admin admin;
    private int starts;

    /** Starts all three on the loopback interface, and waits until they are up. */
    Brokers(Path directory, Map<String, String> overrides, Clocks clocks) throws InterruptedException {
        this(directory, overrides, clocks, Network.LOOPBACK, null);
    }

    /**
     * Starts all three, and waits until they are up.
     *
     * @param proxies what their clients, and they among each other, connect to instead; null: nothing
     */
    Brokers(Path directory, Map<String, String> overrides, Clocks clocks, Network network, @Nullable Proxies proxies)
            throws InterruptedException {
        this.directory = directory;
        this.overrides = overrides;
        this.clocks = clocks;
        this.network = network;
        this.proxies = proxies;
        Random random = new Random(); // the campaign does not depend on the ports
        for (int id : IDS) {
            clientPorts.put(id, freePort(random));
            controllerPorts.put(id, freePort(random));
            if (proxies != null) {
                proxies.add(id, new InetSocketAddress("localhost", port(clientPorts, id)));
            }
        }
        admin = Admin.create(Map.of(
                AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG,
                bootstrapServers(),
                AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG,
                3_000,
                AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG,
                (int) ANSWER_WITHIN.toMillis(),
                AdminClientConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG,
                250));
        startAll();
    }

    String bootstrapServers() {
        return IDS.stream().map(this::advertised).collect(Collectors.joining(","));
    }

    /** The name of the node, and of the clock, that it has for itself. */
    static String node(int id) {
        return "broker-" + id;
    }

    private String advertised(int id) {
        return proxies == null ? network.host(node(id)) + ":" + clientPorts.get(id) : "localhost:" + proxies.port(id);
    }

    private static int port(Map<Integer, Integer> ports, int id) {
        return Objects.requireNonNull(ports.get(id));
    }

    Admin admin() {
        return admin;
    }

    Child process(int id) {
        Child process = processes.get(id);
        if (process == null) {
            throw new IllegalStateException("no broker " + id);
        }
        return process;
    }

    Collection<Child> processes() {
        return processes.values();
    }

    /** Starts a broker that is not running; returns at once. */
    void start(int id) {
        Path settings = writeSettings(id);
        starts++;
        processes.put(
                id,
                Child.start(
                        "broker " + id,
                        network.enter(node(id)),
                        directory.resolve("broker-%d-%d.log".formatted(id, starts)),
                        HEAP_MB,
                        clocks.environment(node(id)),
                        List.of(),
                        BrokerNode.class,
                        List.of(settings.toString())));
    }

    void awaitUp(int id) throws InterruptedException {
        process(id).awaitPrinted(BrokerNode.UP, UP_WITHIN);
    }

    void startAll() throws InterruptedException {
        IDS.forEach(this::start);
        for (int id : IDS) {
            awaitUp(id);
        }
    }

    /** Ends it in good order, and starts it again. */
    void restart(int id) throws InterruptedException {
        process(id).end(STOPS_WITHIN);
        start(id);
        awaitUp(id);
        awaitWhole();
    }

    int leaderOf(String topic, int partition) throws InterruptedException {
        return answer(admin.describeTopics(List.of(topic)).allTopicNames())
                .values()
                .iterator()
                .next()
                .partitions()
                .get(partition)
                .leader()
                .id();
    }

    int coordinatorOf(String group) throws InterruptedException {
        return answer(admin.describeConsumerGroups(List.of(group)).all())
                .values()
                .iterator()
                .next()
                .coordinator()
                .id();
    }

    /** Waits until every partition of every topic has all its replicas in sync. */
    void awaitWhole() throws InterruptedException {
        Timeout timeout = new Timeout("all replicas are in sync", Duration.ofMinutes(2));
        while (!isWhole()) {
            timeout.sleepOrFail(200);
        }
    }

    private boolean isWhole() throws InterruptedException {
        try {
            return topics().stream()
                    .flatMap(topic -> topic.partitions().stream())
                    .allMatch(partition -> partition.leader() != null
                            && partition.isr().size() == partition.replicas().size());
        } catch (IllegalStateException e) {
            return false; // no broker answers yet
        }
    }

    /** All topics, internal ones too. */
    Collection<TopicDescription> topics() throws InterruptedException {
        Set<String> names = answer(
                admin.listTopics(new ListTopicsOptions().listInternal(true)).names());
        return answer(admin.describeTopics(names).allTopicNames()).values();
    }

    /** Where these partitions end now. */
    Map<TopicPartition, Long> ends(Collection<TopicPartition> partitions) throws InterruptedException {
        Map<TopicPartition, Long> ends = new HashMap<>();
        answer(admin.listOffsets(partitions.stream()
                                .collect(Collectors.toMap(partition -> partition, any -> OffsetSpec.latest())))
                        .all())
                .forEach((partition, end) -> ends.put(partition, end.offset()));
        return ends;
    }

    /** Where the group will go on. */
    Map<TopicPartition, Long> committed(String group) throws InterruptedException {
        Map<TopicPartition, Long> committed = new HashMap<>();
        answer(admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata())
                .forEach((partition, offset) -> {
                    if (offset != null) {
                        committed.put(partition, offset.offset());
                    }
                });
        return committed;
    }

    /** The answer, or an {@link IllegalStateException} that names what came instead. */
    static <T> T answer(KafkaFuture<T> future) throws InterruptedException {
        try {
            return future.get(ANSWER_WITHIN.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw new IllegalStateException("the brokers answered: " + e.getCause(), e);
        } catch (TimeoutException e) {
            throw new IllegalStateException("the brokers do not answer", e);
        }
    }

    @Override
    public void close() {
        processes.values().forEach(Child::kill);
        admin.close(Duration.ZERO);
    }

    private Path writeSettings(int id) {
        Properties settings = new Properties();
        settings.put("process.roles", "broker,controller");
        settings.put("node.id", String.valueOf(id));
        settings.put("log.dirs", directory.resolve("broker-" + id).toString());
        settings.put(
                "controller.quorum.voters",
                IDS.stream()
                        .map(voter -> voter + "@" + network.host(node(voter)) + ":" + controllerPorts.get(voter))
                        .collect(Collectors.joining(",")));
        settings.put("controller.listener.names", CONTROLLER_LISTENER);
        settings.put("inter.broker.listener.name", "PLAINTEXT");
        settings.put(
                "listeners",
                "PLAINTEXT://%s:%d,%s://%s:%d"
                        .formatted(
                                network.host(node(id)),
                                clientPorts.get(id),
                                CONTROLLER_LISTENER,
                                network.host(node(id)),
                                controllerPorts.get(id)));
        settings.put("advertised.listeners", "PLAINTEXT://" + advertised(id));
        settings.put("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT," + CONTROLLER_LISTENER + ":PLAINTEXT");
        settings.put("auto.create.topics.enable", "false");
        settings.put("default.replication.factor", "3");
        settings.put("min.insync.replicas", "2");
        settings.put("offsets.topic.replication.factor", "3");
        settings.put("offsets.topic.num.partitions", "3");
        settings.put("transaction.state.log.replication.factor", "3");
        settings.put("transaction.state.log.min.isr", "2");
        settings.put("transaction.state.log.num.partitions", "3");
        settings.put("group.initial.rebalance.delay.ms", "0");
        settings.put("group.min.session.timeout.ms", "1000");
        settings.put("broker.session.timeout.ms", String.valueOf(Timing.BROKER_SESSION.toMillis()));
        settings.put("broker.heartbeat.interval.ms", "1000");
        settings.put("replica.lag.time.max.ms", String.valueOf(Timing.BROKER_SESSION.toMillis()));
        // A transaction whose producer is gone holds up its readers: to be found soon after its time-out.
        settings.put("transaction.abort.timed.out.transaction.cleanup.interval.ms", "1000");
        settings.put("log.cleaner.dedupe.buffer.size", "16777216");
        settings.put("num.network.threads", "2");
        settings.put("num.io.threads", "4");
        settings.putAll(overrides);
        Path file = directory.resolve("broker-%d.properties".formatted(id));
        try {
            Files.createDirectories(directory);
            try (Writer out = Files.newBufferedWriter(file)) {
                settings.store(out, null);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return file;
    }

    private static int freePort(Random random) {
        List<String> refused = new ArrayList<>();
        while (refused.size() < 100) {
            int port = FIRST_PORT + random.nextInt(PORTS);
            try (ServerSocket socket = new ServerSocket()) {
                socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
                return port;
            } catch (IOException e) {
                refused.add(port + ": " + e.getMessage());
            }
        }
        throw new IllegalStateException("no free port: " + refused);
    }
}
