package dev.rollcall.app;

import dev.rollcall.admin.LocalState;
import dev.rollcall.admin.OutputTopics;
import dev.rollcall.admin.Refusal;
import dev.rollcall.admin.TopicSetup;
import dev.rollcall.admin.TopicWatch;
import dev.rollcall.admin.TopicsWait;
import dev.rollcall.config.ConfigException;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.consumer.HeldPartitions;
import dev.rollcall.consumer.ReadBarrierConsumer;
import dev.rollcall.embedded.EmbeddedBroker;
import dev.rollcall.embedded.EmbeddedJars;
import dev.rollcall.gateway.OwnState;
import dev.rollcall.gateway.PresenceFeed;
import dev.rollcall.gateway.PresenceWriter;
import dev.rollcall.gateway.TopicReader;
import dev.rollcall.health.ProcessorHealth;
import dev.rollcall.health.RestartPolicy;
import dev.rollcall.health.RestartPolicy.Verdict;
import dev.rollcall.health.Restoration;
import dev.rollcall.health.StreamsMeters;
import dev.rollcall.health.StreamsThreads;
import dev.rollcall.http.Backend;
import dev.rollcall.http.Health;
import dev.rollcall.http.HttpEdge;
import dev.rollcall.metrics.Meters;
import dev.rollcall.registry.Registry;
import dev.rollcall.topology.OutputLimits;
import dev.rollcall.topology.PresenceTopology;
import dev.rollcall.topology.meters.ProcessorMeters;
import dev.rollcall.wire.Registered;
import dev.rollcall.wire.TopicNames;
import dev.rollcall.wire.Topics;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KafkaStreams.State;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsException;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A running Rollcall: the embedded broker unless another is configured, the topics, the processor, and the HTTP edge. */
public final class Rollcall implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Rollcall.class);
    private static final Duration PROCESSOR_CLOSE_TIMEOUT = Duration.ofSeconds(5);

    /** A wrong change is noticed within a minute. */
    private static final Duration BETWEEN_TOPIC_CHECKS = Duration.ofSeconds(30);

    /** What has to be closed, last in, first out. */
    private final Deque<AutoCloseable> parts = new ArrayDeque<>();

    private final CompletableFuture<Void> ready = new CompletableFuture<>();
    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    private final String bootstrapServers;
    private final Meters meters = Meters.ofThisProcess(Main.version());
    private final @Nullable HttpEdge edge;

    /** Whether the broker ends with this instance: then no other one is there for its clients. */
    private boolean ownsBroker;

    private volatile boolean drains;

    /**
     * Starts everything. The processor may not have its partitions yet on return: see {@link #awaitReady}.
     *
     * @throws RuntimeException with a message for the operator if something cannot start; then nothing keeps running
     */
    public static Rollcall start(RollcallConfig config) {
        return start(config, BETWEEN_TOPIC_CHECKS);
    }

    /** For tests, with another interval between the checks of the topics. */
    static Rollcall start(RollcallConfig config, Duration betweenTopicChecks) {
        return new Rollcall(config, betweenTopicChecks);
    }

    /**
     * Starts the HTTP edge alone, without a processor. It creates nothing, and waits for brokers and topics: on return it may
     * serve health only, which says what it waits for.
     *
     * @throws ConfigException if it cannot listen
     */
    public static Rollcall startEdge(RollcallConfig config) {
        return new Rollcall(config);
    }

    private Rollcall(RollcallConfig config) {
        int port = config.http()
                .port()
                .orElseThrow(() -> new ConfigException("http.port is empty, and an edge is nothing but HTTP"));
        bootstrapServers = Main.clientServers(config);
        HttpEdge alone = HttpEdge.start(config.http(), port, meters);
        edge = alone;
        parts.push(alone);
        TopicNames topics = config.topics();
        try {
            parts.push(new TopicsWait(
                    KafkaSettings.admin(config, bootstrapServers),
                    config.kafka(),
                    List.of(topics.deviceHeartbeat(), topics.status(), topics.appearOffline(), topics.presence()),
                    alone::waitsFor,
                    () -> serveAlone(config, alone)));
        } catch (RuntimeException e) {
            close();
            throw e;
        }
        ready.complete(null);
    }

    private synchronized void serveAlone(RollcallConfig config, HttpEdge alone) {
        if (!ended.isDone()) {
            try {
                startServing(config, Registry.topics(config), alone, Health.NO_PROCESSOR);
            } catch (RuntimeException e) {
                ended.completeExceptionally(e);
            }
        }
    }

    private Rollcall(RollcallConfig config, Duration betweenTopicChecks) {
        try {
            // HTTP first: it answers health checks during the start, and the processor needs its port.
            edge = config.http().port().isPresent()
                    ? HttpEdge.start(config.http(), config.http().port().getAsInt(), meters)
                    : null;
            if (edge != null) {
                parts.push(edge);
            }
            bootstrapServers = config.bootstrapServers().isEmpty() ? startBroker(config) : Main.clientServers(config);
            Admin admin = Admin.create(KafkaSettings.admin(config, bootstrapServers));
            parts.push(() -> admin.close(Duration.ZERO));
            LocalState state =
                    new LocalState(config.dataDir().resolve(config.applicationId() + ".changelogs"), Clock.systemUTC());
            TopicSetup topics = new TopicSetup(admin, config, bootstrapServers)
                    .reading(KafkaSettings.consumer(config, bootstrapServers))
                    .with(state);
            int partitions = topics.ensure();
            topics.show(meters);
            startProcessor(config, admin, partitions, state);
            parts.push(new TopicWatch(
                    topics,
                    partitions,
                    betweenTopicChecks,
                    reason -> ended.completeExceptionally(new ConfigException(reason))));
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    public String bootstrapServers() {
        return bootstrapServers;
    }

    /** The HTTP edge's base URL; empty: it is off. */
    public Optional<String> httpUrl() {
        return Optional.ofNullable(edge).map(HttpEdge::url);
    }

    /** The base URL for health alone; empty: there is none. */
    public Optional<String> healthUrl() {
        return Optional.ofNullable(edge).flatMap(HttpEdge::healthUrl);
    }

    /** Waits until the processor has its partitions and their state; for an edge alone, not at all. */
    public void awaitReady() throws InterruptedException, ExecutionException {
        CompletableFuture.anyOf(ready, ended).get();
    }

    /**
     * Waits until this is closed.
     *
     * @throws ExecutionException with the reason, if it ended by itself
     */
    public void awaitEnd() throws InterruptedException, ExecutionException {
        ended.get();
    }

    /** Stops everything, in less than 10 s after {@code http.drain.ms}. */
    @Override
    public synchronized void close() {
        if (drains && edge != null && !ended.isDone()) {
            drains = false;
            edge.drain();
        }
        while (!parts.isEmpty()) {
            try {
                parts.pop().close();
            } catch (Exception e) {
                LOG.warn("something did not close cleanly", e);
            }
        }
        ended.complete(null);
    }

    private String startBroker(RollcallConfig config) {
        if (!EmbeddedJars.areThere()) {
            throw new ConfigException(
                    "bootstrap.servers is empty, and the embedded broker is not installed: set it to a"
                            + " Kafka cluster, or put the directory lib/embedded of the distribution back");
        }
        EmbeddedBroker broker = EmbeddedBroker.start(
                config.dataDir().resolve("kafka"),
                config.embeddedKafkaPort(),
                Map.of(),
                reason -> ended.completeExceptionally(new IllegalStateException(reason)));
        parts.push(broker);
        ownsBroker = true;
        return broker.bootstrapServers();
    }

    private void startProcessor(RollcallConfig config, Admin admin, int partitions, LocalState state) {
        Properties settings = KafkaSettings.streams(config, bootstrapServers);
        OutputLimits limits = new OutputTopics(admin, config, settings).read();
        ProcessorMeters counts = new ProcessorMeters(meters);
        Optional<Registered> registered = Registry.of(config.registry());
        Topics topics = Registry.topics(config, registered);
        Topology topology =
                PresenceTopology.build(config, topics, Clock.systemUTC(), partitions, instanceName(), limits, counts);
        HeldPartitions held = new HeldPartitions(
                value -> registered.map(one -> one.waitsFor(value)).orElse(null));
        if (registered.isPresent()) {
            ReadBarrierConsumer.configure(settings, held);
        }
        KafkaStreams streams = ProcessorStreams.create(topology, settings, state);
        RestartPolicy restarts = new RestartPolicy();
        streams.setUncaughtExceptionHandler(failure -> {
            Verdict verdict = restarts.judge(failure, monotonicMs());
            String thread = Thread.currentThread().getName();
            if (verdict == Verdict.RESTART) {
                LOG.warn("the thread {} has failed: {}", thread, verdict.reason(), failure);
                return StreamThreadExceptionResponse.REPLACE_THREAD;
            }
            Optional<ConfigException> refusal = Refusal.among(failure, config);
            if (refusal.isPresent()) { // all threads meet it; RunCommand prints it
                ended.completeExceptionally(refusal.get());
                return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
            }
            LOG.error("the thread {} has failed, and {}: the processor ends", thread, verdict.reason(), failure);
            ended.completeExceptionally(failure);
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        streams.setStateListener((now, before) -> {
            LOG.info("the processor is {}, and was {}", now, before);
            restarts.changed(now, monotonicMs());
            if (now == State.RUNNING) {
                ready.complete(null);
            } else if (now == State.ERROR) {
                ended.completeExceptionally(new StreamsException("the processor has stopped after an error"));
            }
        });
        // Leave the group, or the partitions would have no owner until the session times out: 10 s by default.
        CloseOptions leaving = CloseOptions.timeout(PROCESSOR_CLOSE_TIMEOUT)
                .withGroupMembershipOperation(CloseOptions.GroupMembershipOperation.LEAVE_GROUP);
        parts.push(() -> streams.close(leaving));
        Restoration restoration = new Restoration();
        streams.setGlobalStateRestoreListener(restoration);
        streams.start();
        if (edge != null) {
            ProcessorHealth health = new ProcessorHealth(
                    streams::state,
                    new StreamsThreads(streams::metrics, streams::metadataForLocalThreads),
                    restarts,
                    counts.clockTicks(),
                    restoration,
                    held::waitsFor,
                    config.http().health(),
                    Rollcall::monotonicMs);
            parts.push(health.watch());
            health.show(meters);
            meters.gauge(
                    "rollcall.held.partitions",
                    "Partitions of inputs that wait for the schema registry",
                    "",
                    held::size);
            StreamsMeters.show(meters, streams::metrics);
            startServing(config, topics, edge, health);
        }
    }

    private void startServing(RollcallConfig config, Topics topics, HttpEdge edge, Health health) {
        // The same after a restart, which then takes over the devices; and not that of an instance on another machine.
        String shard = "http-%s:%d".formatted(hostName(), edge.port());
        PresenceWriter writer = new PresenceWriter(topics, KafkaSettings.producer(config, bootstrapServers), shard);
        PresenceFeed feed = new PresenceFeed();
        Consumer<Throwable> onDead = failure -> {
            Optional<ConfigException> refusal = Refusal.among(failure, config);
            ended.completeExceptionally(refusal.isPresent() ? refusal.get() : failure);
        };
        parts.push(new TopicReader(topics.presence(), KafkaSettings.consumer(config, bootstrapServers), feed, onDead));
        OwnState ownState = new OwnState(
                topics,
                KafkaSettings.consumer(config, bootstrapServers),
                config.rules().routing(),
                onDead);
        parts.push(ownState);
        PageSimulation simulation = new PageSimulation(topics, KafkaSettings.producer(config, bootstrapServers));
        parts.push(simulation);
        edge.open(new Backend(writer, feed, ownState, simulation, health));
        parts.push(edge); // again, to be closed while what it serves from is open
        parts.push(writer); // before the edge: what is written while the edge ends would be lost
        drains = !ownsBroker;
    }

    private static long monotonicMs() {
        return System.nanoTime() / 1_000_000;
    }

    private static String instanceName() {
        return hostName() + "-" + ProcessHandle.current().pid();
    }

    private static String hostName() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "unknown-host";
        }
    }
}
