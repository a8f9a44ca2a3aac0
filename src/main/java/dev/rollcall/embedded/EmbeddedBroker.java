package dev.rollcall.embedded;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import kafka.server.BrokerServer;
import kafka.server.ControllerServer;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import kafka.server.Server;
import kafka.server.SharedServer;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.server.fault.FaultHandler;
import org.apache.kafka.server.fault.LoggingFaultHandler;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A single-node Kafka in this process: broker and controller in one, on the loopback interface, its data kept between
 * runs.
 *
 * <p>It is put together as {@link KafkaRaftServer} does it, from the same parts, because that class has no way in for
 * three things: sockets that are bound before anything else happens (so that a port in use is known at once, and any
 * free port will do for the controller), fault handlers that tell the caller instead of halting the JVM, and a bound on
 * the time it takes to stop.
 */
public final class EmbeddedBroker implements AutoCloseable {
    static final String CONTROLLER_LISTENER = "CONTROLLER";

    private static final Logger log = LoggerFactory.getLogger(EmbeddedBroker.class);

    private static final String CLIENT_LISTENER = "PLAINTEXT";
    private static final Duration READY_WITHIN = Duration.ofSeconds(10);
    private static final Duration CONTROLLED_SHUTDOWN_WITHIN = Duration.ofSeconds(3);
    private static final Duration CLOSED_WITHIN = Duration.ofSeconds(20);

    /** Defaults for a single node that shares its JVM; overrides replace them. */
    private static final Map<String, String> DEFAULTS = Map.ofEntries(
            Map.entry("auto.create.topics.enable", "false"),
            Map.entry("default.replication.factor", "1"),
            // By default a group's offsets are forgotten a week after it was last there. A processor that was away for
            // longer would read all texts and flags again, the old ones too, and others would see them.
            Map.entry("offsets.retention.minutes", String.valueOf(Integer.MAX_VALUE)),
            Map.entry("min.insync.replicas", "1"),
            Map.entry("offsets.topic.replication.factor", "1"),
            Map.entry("transaction.state.log.replication.factor", "1"),
            Map.entry("transaction.state.log.min.isr", "1"),
            Map.entry("share.coordinator.state.topic.replication.factor", "1"),
            Map.entry("share.coordinator.state.topic.min.isr", "1"),
            // The default of 50 spreads the coordinators' work over many brokers and threads. Here fewer are
            // better: they are created on first use, while the first client waits.
            Map.entry("offsets.topic.num.partitions", "4"),
            Map.entry("transaction.state.log.num.partitions", "4"),
            Map.entry("share.coordinator.state.topic.num.partitions", "4"),
            // No other members are about to join, so a rebalance need not wait for them. One key for the classic
            // protocol, one for the streams protocol.
            Map.entry("group.initial.rebalance.delay.ms", "0"),
            Map.entry("group.streams.initial.rebalance.delay.ms", "0"),
            // The default allocates 128 MB of heap; 16 MB are still enough for 600 000 keys in a pass.
            Map.entry("log.cleaner.dedupe.buffer.size", "16777216"),
            // After a crash, the broker can register only when its previous session has expired, 9 seconds by default.
            // With less than 3 seconds, a long pause of the JVM would fence the broker.
            Map.entry("broker.session.timeout.ms", "3000"),
            Map.entry("broker.heartbeat.interval.ms", "500"),
            // No limit by default. Two minutes are enough to recover the logs after a crash.
            Map.entry("server.max.startup.time.ms", "120000"));

    private enum Phase {
        STARTING,
        RUNNING,
        CLOSED
    }

    private final Consumer<String> onFatal;
    private final Consumer<String> deathListener = this::died;

    /** Resources to release, last in, first out. */
    private final Deque<AutoCloseable> taken = new ArrayDeque<>();

    private Phase phase = Phase.STARTING;
    private @Nullable String death;
    private volatile @Nullable BrokerServer starting;
    private int port;

    private EmbeddedBroker(Consumer<String> onFatal) {
        this.onFatal = onFatal;
    }

    /** As {@link #start(Path, int, Map, Consumer)}, without overrides; a fatal fault is only logged. */
    public static EmbeddedBroker start(Path dataDir, int port) {
        return start(
                dataDir,
                port,
                Map.of(),
                what -> log.error("The embedded broker died: {}. Nothing is served until it is started again.", what));
    }

    /**
     * Starts a broker and returns when clients can use it.
     *
     * @param dataDir a directory for this broker alone; made and formatted when it is new
     * @param port the port on localhost, or 0 for any that is free
     * @param overrides broker settings that replace the defaults; those of the broker's identity, listeners and directories
     *     have no effect
     * @param onFatal called once, on a thread of its own, if the running broker has a fault that would end a Kafka process;
     *     the broker should then be closed
     * @throws EmbeddedBrokerException if it cannot start; then nothing of it keeps running
     */
    public static EmbeddedBroker start(
            Path dataDir, int port, Map<String, String> overrides, Consumer<String> onFatal) {
        EmbeddedBroker broker = new EmbeddedBroker(onFatal);
        try {
            broker.start(dataDir, port, overrides);
            return broker;
        } catch (Throwable e) {
            broker.close();
            throw broker.asStartFailure(e, dataDir);
        }
    }

    /** The address for clients, as {@code localhost:PORT}. */
    public String bootstrapServers() {
        return "localhost:" + port;
    }

    public int port() {
        return port;
    }

    /** Stops the broker and waits until it has, up to 20 seconds. Closing again does nothing. */
    @Override
    public void close() {
        synchronized (this) {
            if (phase == Phase.CLOSED) {
                return;
            }
            phase = Phase.CLOSED;
        }
        // Not on the caller's thread: an interrupt would close the very log files that are being flushed.
        Thread closer = new Thread(this::releaseAll, "embedded-broker-close");
        closer.start();
        if (!joined(closer)) {
            log.error("The embedded broker has not stopped within {}; it goes on trying", CLOSED_WITHIN);
        }
    }

    private void start(Path dataDir, int wantedPort, Map<String, String> overrides) throws Exception {
        DataDirectory directory = DataDirectory.take(dataDir);
        taken.push(directory);
        ServerSocketChannel clients = bind(wantedPort);
        taken.push(clients);
        ServerSocketChannel controllers = bind(0);
        taken.push(controllers);
        port = clients.socket().getLocalPort();
        ExitProcedures.divertTo(deathListener);
        taken.push(() -> ExitProcedures.restoreFrom(deathListener));

        int controllerPort = controllers.socket().getLocalPort();
        KafkaConfig config = configure(settings(directory, controllerPort, overrides));
        var prepared = KafkaRaftServer.initializeLogDirs(config, log, "");
        Metrics metrics = Server.initializeMetrics(config, Time.SYSTEM, DataDirectory.CLUSTER_ID);
        taken.push(metrics);
        SharedServer shared = new SharedServer(
                config,
                prepared._1(),
                Time.SYSTEM,
                metrics,
                CompletableFuture.completedFuture(
                        Map.of(DataDirectory.NODE_ID, new InetSocketAddress("localhost", controllerPort))),
                List.of(),
                this::faultHandler,
                (listener, address, backlog, bufferSize) ->
                        listener.equals(CONTROLLER_LISTENER) ? controllers : clients);
        ControllerServer controller = new ControllerServer(shared, KafkaRaftServer.configSchema(), prepared._2());
        BrokerServer broker = new BrokerServer(shared);

        taken.push(controller::shutdown);
        controller.startup();
        taken.push(() -> broker.shutdown(CONTROLLED_SHUTDOWN_WITHIN));
        starting = broker;
        throwIfDead();
        broker.startup();
        awaitReady(broker);
        synchronized (this) {
            throwIfDead();
            phase = Phase.RUNNING;
        }
    }

    private static ServerSocketChannel bind(int port) throws IOException {
        ServerSocketChannel channel = ServerSocketChannel.open();
        try {
            channel.configureBlocking(false);
            channel.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            return channel;
        } catch (IOException e) {
            channel.close();
            throw new EmbeddedBrokerException(
                    "The embedded broker cannot have port " + port + " on localhost: " + e.getMessage()
                            + "; stop what listens there, or set embedded.kafka.port to another port, or to 0 for any"
                            + " that is free",
                    e);
        }
    }

    private Map<String, String> settings(DataDirectory directory, int controllerPort, Map<String, String> overrides) {
        Map<String, String> settings = new HashMap<>(DEFAULTS);
        settings.putAll(overrides);
        settings.put("process.roles", "broker,controller");
        settings.put("node.id", String.valueOf(DataDirectory.NODE_ID));
        settings.put("log.dirs", directory.path().toString());
        settings.put("controller.quorum.voters", DataDirectory.NODE_ID + "@localhost:" + controllerPort);
        settings.put("controller.listener.names", CONTROLLER_LISTENER);
        settings.put("inter.broker.listener.name", CLIENT_LISTENER);
        settings.put(
                "listeners",
                CLIENT_LISTENER + "://" + bootstrapServers() + "," + CONTROLLER_LISTENER + "://localhost:"
                        + controllerPort);
        settings.put(
                "listener.security.protocol.map", CLIENT_LISTENER + ":PLAINTEXT," + CONTROLLER_LISTENER + ":PLAINTEXT");
        return settings;
    }

    private static KafkaConfig configure(Map<String, String> settings) {
        try {
            return new KafkaConfig(settings, false);
        } catch (ConfigException e) {
            throw new EmbeddedBrokerException("The embedded broker cannot use a setting: " + e.getMessage(), e);
        }
    }

    /** Waits until the broker knows itself. It is unfenced already, but its metadata cache may lag behind. */
    private static void awaitReady(BrokerServer broker) throws InterruptedException {
        long deadline = System.nanoTime() + READY_WITHIN.toNanos();
        while (!broker.metadataCache().hasAliveBroker(DataDirectory.NODE_ID)) {
            if (System.nanoTime() - deadline > 0) {
                throw new IllegalStateException("its metadata cache does not list itself after " + READY_WITHIN);
            }
            Thread.sleep(5);
        }
    }

    /**
     * A fault handler that reports fatal faults instead of halting the JVM. Kafka's callers either throw what it returns, or
     * go on, which does no harm to a broker that is about to be closed.
     */
    private FaultHandler faultHandler(String name, boolean fatal, Runnable action) {
        FaultHandler logging = new LoggingFaultHandler(name, action);
        if (!fatal) {
            return logging;
        }
        return (failure, cause) -> {
            RuntimeException fault = logging.handleFault(failure, cause);
            died(name + ": " + failure + (cause == null ? "" : " (" + cause + ")"));
            return fault;
        };
    }

    private void died(String what) {
        synchronized (this) {
            if (phase == Phase.CLOSED || death != null) {
                return;
            }
            death = what;
            if (phase == Phase.RUNNING) {
                // On a thread of its own: closing the broker waits for the current one.
                new Thread(() -> onFatal.accept(what), "embedded-broker-fatal").start();
                return;
            }
        }
        BrokerServer waiting = starting;
        if (waiting != null && waiting.lifecycleManager() != null) {
            // Ends the wait for a controller that does not answer any more.
            waiting.lifecycleManager().beginShutdown();
        }
    }

    private synchronized void throwIfDead() {
        if (death != null) {
            throw new IllegalStateException(death);
        }
    }

    private EmbeddedBrokerException asStartFailure(Throwable e, Path dataDir) {
        if (e instanceof EmbeddedBrokerException known) {
            return known;
        }
        String found;
        synchronized (this) {
            found = death == null ? String.valueOf(e) : death;
        }
        return new EmbeddedBrokerException(
                "The embedded broker could not start: " + found + "; Kafka's log lines above say more. Should its data"
                        + " in " + dataDir + " be damaged, delete that directory to start empty, or set data.dir to"
                        + " another one",
                e);
    }

    /** Waits in spite of interrupts, and restores them: an interrupt here usually means that the process is ending. */
    private static boolean joined(Thread closer) {
        long deadline = System.nanoTime() + CLOSED_WITHIN.toNanos();
        boolean interrupted = false;
        while (closer.isAlive() && deadline - System.nanoTime() > 0) {
            try {
                TimeUnit.NANOSECONDS.timedJoin(closer, deadline - System.nanoTime());
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return !closer.isAlive();
    }

    private void releaseAll() {
        while (!taken.isEmpty()) {
            try {
                taken.pop().close();
            } catch (Throwable e) {
                // Release the rest all the same; the lock on the directory is the last.
                log.warn("A part of the embedded broker did not stop cleanly", e);
            }
        }
    }
}
