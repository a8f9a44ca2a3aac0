package dev.rollcall.matrix;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rollcall.config.ConfigException;
import dev.rollcall.config.HttpLimits;
import dev.rollcall.config.HttpSettings;
import dev.rollcall.config.MatrixSettings;
import dev.rollcall.gateway.PresenceWriter;
import dev.rollcall.http.server.Call;
import dev.rollcall.http.server.HttpServer;
import dev.rollcall.http.server.Json;
import dev.rollcall.http.server.Reply;
import dev.rollcall.http.server.Route;
import dev.rollcall.http.server.Route.Access;
import dev.rollcall.metrics.Meters;
import dev.rollcall.metrics.RequestMeters;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** The receiver: HTTP for the mirror, UDP for the access log, and what they come to. Writes nothing until it is opened. */
public final class MatrixReceiver implements AutoCloseable {
    private static final long RETRY_MS = 1_000;

    private final Meters meters;
    private final HttpServer server;
    private final PollEvents events;
    private final AccessLog log;
    private volatile @Nullable PresenceWriter writer;
    private volatile List<String> waitsFor = List.of("Kafka and the topics");

    /**
     * Starts listening.
     *
     * @throws ConfigException if it cannot
     */
    public MatrixReceiver(MatrixSettings settings, HttpSettings http, Meters meters) {
        this.meters = meters;
        server = new HttpServer(ofReceiver(settings, http), settings.port(), "matrix");
        events = new PollEvents(
                new Homeserver(settings.homeserver()),
                settings.shard(),
                settings.lookups(),
                new ReceiverMeters(meters));
        server.serve(routes(http.limits()), new RequestMeters(meters));
        try {
            server.listen();
            log = new AccessLog(settings, http.limits().proxies(), events::ended);
        } catch (RuntimeException e) {
            server.close();
            events.close();
            throw e;
        }
    }

    /** Pages of any site may call, as with every homeserver: who may do something is said by the access token alone. */
    private static HttpSettings ofReceiver(MatrixSettings settings, HttpSettings http) {
        HttpLimits limits = http.limits();
        return new HttpSettings(
                settings.host(),
                OptionalInt.of(settings.port()),
                true,
                http.tokens(),
                Set.of("*"),
                false,
                http.maxStreams(),
                http.maxStreamsPerUser(),
                http.streamMaxMs(),
                new HttpLimits(
                        limits.connectionsPerAddress(),
                        limits.proxies(),
                        limits.headersMs(),
                        OptionalInt.empty(),
                        limits.drainMs(),
                        limits.device(),
                        limits.user(),
                        limits.service()),
                http.health());
    }

    /** Says what {@link #open} waits for, in words, to be shown at {@code /health/ready}. */
    public void waitsFor(List<String> what) {
        waitsFor = what;
    }

    /** Lets heartbeats be written. Closes the writer in the end. */
    public void open(PresenceWriter newWriter) {
        writer = newWriter;
        events.open(newWriter);
    }

    /** The address of the mirror. */
    public String url() {
        return server.url();
    }

    /** The UDP port of the access log. */
    public int logPort() {
        return log.port();
    }

    /** Stops listening, and sends what there is. Ends no device: its polls, or its lease, go on. */
    @Override
    public void close() {
        server.close();
        log.close();
        events.close();
        PresenceWriter present = writer;
        if (present != null) {
            present.close();
        }
    }

    private List<Route> routes(HttpLimits limits) {
        List<Route> all =
                new ArrayList<>(new ReceiverRoutes(events, () -> Optional.ofNullable(writer), limits).routes());
        all.add(new Route("GET", "/health/live", Access.PUBLIC, this::live));
        all.add(new Route("GET", "/health/ready", Access.PUBLIC, this::ready));
        all.add(new Route("GET", "/metrics", Access.VALID_TOKEN, this::metrics));
        return all;
    }

    private CompletionStage<Reply> live(Call call) {
        return CompletableFuture.completedFuture(Reply.json(Json.object().put("status", "live")));
    }

    private CompletionStage<Reply> ready(Call call) {
        if (writer != null) {
            return CompletableFuture.completedFuture(Reply.json(Json.object().put("status", "ready")));
        }
        ObjectNode body = Json.object()
                .put("errcode", "M_UNAVAILABLE")
                .put("error", "waits for " + String.join(", ", waitsFor))
                .put("retry_after_ms", RETRY_MS);
        ArrayNode array = body.putArray("waits_for");
        waitsFor.forEach(array::add);
        return CompletableFuture.completedFuture(Reply.json(503, body));
    }

    private CompletionStage<Reply> metrics(Call call) {
        call.caller().requireAllUsers();
        return CompletableFuture.completedFuture(
                new Reply.Whole(200, Map.of("Content-Type", Meters.CONTENT_TYPE), meters.text()));
    }
}
