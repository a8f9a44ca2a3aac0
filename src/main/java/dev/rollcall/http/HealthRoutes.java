package dev.rollcall.http;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rollcall.http.server.Call;
import dev.rollcall.http.server.Json;
import dev.rollcall.http.server.Reply;
import dev.rollcall.http.server.Route;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** For the operator's probes: whether the process lives, and whether it is ready for clients. */
final class HealthRoutes {
    private static final long RETRY_MS = 1_000;

    private final Supplier<Optional<Backend>> backend;
    private final Supplier<List<String>> startWaitsFor;
    private final BooleanSupplier draining;

    /**
     * @param startWaitsFor what is waited for until there is a backend, in words
     * @param draining whether the instance is stopping
     */
    HealthRoutes(Supplier<Optional<Backend>> backend, Supplier<List<String>> startWaitsFor, BooleanSupplier draining) {
        this.backend = backend;
        this.startWaitsFor = startWaitsFor;
        this.draining = draining;
    }

    List<Route> routes() {
        return List.of(
                new Route("GET", "/health/live", Route.Access.PUBLIC, this::live),
                new Route("GET", "/health/ready", Route.Access.PUBLIC, this::ready));
    }

    private CompletionStage<Reply> live(Call call) {
        return CompletableFuture.completedFuture(Reply.json(Json.object().put("status", "live")));
    }

    private CompletionStage<Reply> ready(Call call) {
        Optional<Backend> present = backend.get();
        List<String> waitsFor = draining.getAsBoolean()
                ? List.of("the next start: this instance is stopping")
                : present.map(HealthRoutes::waitsFor).orElseGet(startWaitsFor);
        ObjectNode body = Json.object();
        present.map(opened -> opened.feed().progress())
                .ifPresent(progress -> body.putObject("feed")
                        .put("read", progress.read())
                        .put("total", progress.total())
                        .put("behind", progress.behind()));
        if (waitsFor.isEmpty()) {
            return CompletableFuture.completedFuture(Reply.json(body.put("status", "ready")));
        }
        ArrayNode array = body.put("errcode", "M_UNAVAILABLE")
                .put("error", "waits for " + String.join(", ", waitsFor))
                .put("retry_after_ms", RETRY_MS)
                .putArray("waits_for");
        waitsFor.forEach(array::add);
        return CompletableFuture.completedFuture(Reply.json(503, body));
    }

    private static List<String> waitsFor(Backend backend) {
        List<String> all = new ArrayList<>(backend.waitsFor().get());
        backend.feed().waitsFor().ifPresent(all::add);
        return all;
    }
}
