package dev.rollcall.http;

import dev.rollcall.config.ConfigException;
import dev.rollcall.config.HttpSettings;
import dev.rollcall.gateway.PresenceFeed;
import dev.rollcall.http.events.EventStreams;
import dev.rollcall.http.server.ApiException;
import dev.rollcall.http.server.Call;
import dev.rollcall.http.server.HttpServer;
import dev.rollcall.http.server.Reply;
import dev.rollcall.http.server.Route;
import dev.rollcall.metrics.Meters;
import dev.rollcall.metrics.RequestMeters;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The HTTP edge. It serves health from the start; the other routes answer with 503 until {@link #open} is called. */
public final class HttpEdge implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(HttpEdge.class);

    private final HttpSettings settings;
    private final Meters meters;
    private final HttpServer server;
    private final EventStreams streams;
    private volatile @Nullable Backend backend;
    private volatile boolean draining;
    private volatile List<String> startWaitsFor = List.of("Kafka and the topics");

    /**
     * Starts listening.
     *
     * @param port 0: any free one
     * @param meters what {@code /metrics} shows, to which those of HTTP are added
     * @throws ConfigException if the settings do not allow it, or the port is taken
     */
    public static HttpEdge start(HttpSettings settings, int port, Meters meters) {
        HttpEdge edge = new HttpEdge(settings, port, meters);
        try {
            edge.server.listen();
            if (!settings.tokens().areRequired()) {
                LOG.info(
                        "http.jwt.key is empty: HTTP is for this machine alone, and whoever is on it may do everything");
            }
        } catch (RuntimeException e) {
            edge.close();
            throw e;
        }
        return edge;
    }

    HttpEdge(HttpSettings settings, int port, Meters meters) {
        this.settings = settings;
        this.meters = meters;
        server = new HttpServer(settings, port, "http");
        if (!settings.tokens().areRequired()) {
            server.requireThisMachine();
        }
        streams = new EventStreams(settings, server.executor());
        meters.gauge("rollcall.http.streams", "Event streams and waiting long polls that are open", "", streams::open);
        server.serve(routes(), new RequestMeters(meters));
    }

    /** Says what {@link #open} waits for, in words, to be shown at {@code /health/ready}. */
    public void waitsFor(List<String> what) {
        startWaitsFor = what;
    }

    /** Lets all routes answer. */
    public void open(Backend newBackend) {
        backend = newBackend;
        PresenceFeed feed = newBackend.feed();
        meters.gauge("rollcall.feed.up", "1 while reads are answered", "", () -> feed.isCaughtUp() ? 1 : 0);
        meters.gauge(
                "rollcall.feed.lag",
                "Offsets that are not read yet",
                "",
                () -> feed.progress().behind());
        meters.gauge(
                "rollcall.feed.stalled",
                "How long a broker of the topic of presence has not answered",
                "seconds",
                () -> feed.progress().stalledMs() / 1_000.0);
    }

    /** The port that it listens on. */
    public int port() {
        return server.port();
    }

    /** The address for a browser on this machine. */
    public String url() {
        return server.url();
    }

    /** The address for health alone; empty: there is none. */
    public Optional<String> healthUrl() {
        return server.healthUrl();
    }

    /**
     * Lets clients go to other instances, over {@code http.drain.ms}: is not ready from now on, and in the second half hands over
     * the event streams, and ends each connection with its next response. Everything else is served as before.
     */
    public void drain() {
        draining = true;
        long halfMs = settings.limits().drainMs() / 2;
        try {
            TimeUnit.MILLISECONDS.sleep(halfMs);
            long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(halfMs);
            server.closeConnections();
            streams.handOver(halfMs);
            TimeUnit.NANOSECONDS.sleep(end - System.nanoTime());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Ends all event streams, and stops listening. May be called again. */
    @Override
    public void close() {
        draining = true;
        streams.close();
        server.close();
    }

    /** For Prometheus, with a service's token; on {@code http.health.port} without one. */
    private CompletionStage<Reply> metrics(Call call) {
        call.caller().requireAllUsers();
        return CompletableFuture.completedFuture(
                new Reply.Whole(200, Map.of("Content-Type", Meters.CONTENT_TYPE), meters.text()));
    }

    List<Route> routes() {
        InstantSource clock = InstantSource.system();
        Supplier<Backend> opened =
                () -> Optional.ofNullable(backend).orElseThrow(() -> ApiException.unavailable("starting"));
        List<Route> all = new ArrayList<>();
        all.addAll(new HealthRoutes(
                        () -> Optional.ofNullable(backend),
                        () -> startWaitsFor,
                        () -> draining,
                        settings.health().stallMs())
                .routes());
        all.add(new Route("GET", "/metrics", Route.Access.VALID_TOKEN, this::metrics));
        all.addAll(new PresenceRoutes(opened, streams, clock).routes());
        all.addAll(new HeartbeatRoutes(opened).routes());
        all.addAll(new OwnStateRoutes(opened).routes());
        all.addAll(new EventRoutes(opened, streams, clock, settings).routes());
        all.addAll(new MatrixRoutes(opened, clock).routes());
        all.addAll(new SimulationRoutes(opened, settings).routes());
        all.addAll(new StaticRoutes().routes());
        return all;
    }
}
