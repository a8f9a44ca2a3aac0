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
    private final long stallMs;

    /**
     * @param startWaitsFor what is waited for until there is a backend, in words
     * @param draining whether the instance is stopping
     * @param stallMs how long the feed may not move, in ms
     */
    HealthRoutes(
            Supplier<Optional<Backend>> backend,
            Supplier<List<String>> startWaitsFor,
            BooleanSupplier draining,
            long stallMs) {
        this.backend = backend;
        this.startWaitsFor = startWaitsFor;
        this.draining = draining;
        this.stallMs = stallMs;
    }

    List<Route> routes() {
        return List.of(
                new Route("GET", "/health/live", Route.Access.PUBLIC, this::live),
                new Route("GET", "/health/ready", Route.Access.PUBLIC, this::ready));
    }

    private CompletionStage<Reply> live(Call call) {
        Optional<String> stuck = backend.get().flatMap(opened -> opened.health().stuck());
        return CompletableFuture.completedFuture(
                stuck.isEmpty()
                        ? Reply.json(Json.object().put("status", "live"))
                        : Reply.json(503, unavailable(Json.object(), stuck.get())));
    }

    private CompletionStage<Reply> ready(Call call) {
        Optional<Backend> present = backend.get();
        List<String> waitsFor = draining.getAsBoolean()
                ? List.of("the next start: this instance is stopping")
                : present.map(this::waitsFor).orElseGet(startWaitsFor);
        ObjectNode body = Json.object();
        present.map(opened -> opened.feed().progress())
                .ifPresent(progress -> body.putObject("feed")
                        .put("read", progress.read())
                        .put("total", progress.total())
                        .put("behind", progress.behind()));
        present.flatMap(opened -> opened.health().status()).ifPresent(status -> put(status, body));
        if (waitsFor.isEmpty()) {
            return CompletableFuture.completedFuture(Reply.json(body.put("status", "ready")));
        }
        ArrayNode array =
                unavailable(body, "waits for " + String.join(", ", waitsFor)).putArray("waits_for");
        waitsFor.forEach(array::add);
        return CompletableFuture.completedFuture(Reply.json(503, body));
    }

    private static ObjectNode unavailable(ObjectNode body, String why) {
        return body.put("errcode", "M_UNAVAILABLE").put("error", why).put("retry_after_ms", RETRY_MS);
    }

    private static void put(Health.Status status, ObjectNode body) {
        ObjectNode processor = body.putObject("processor")
                .put("state", status.state())
                .put("commit_age_ms", status.commitAgeMs())
                .put("clock_lag_ms", status.clockLagMs());
        status.restoring().ifPresent(restoring -> {
            ObjectNode restored = processor
                    .putObject("restore")
                    .put("remaining", restoring.remaining())
                    .put("total", restoring.total())
                    .put("percent", restoring.percent())
                    .put("per_second", restoring.perSecond());
            if (restoring.secondsLeft() >= 0) {
                restored.put("seconds_left", restoring.secondsLeft());
            }
        });
    }

    private List<String> waitsFor(Backend backend) {
        List<String> all = new ArrayList<>(backend.health().waitsFor());
        backend.feed().waitsFor().ifPresent(all::add);
        long stalledMs = backend.feed().progress().stalledMs();
        if (stalledMs > stallMs) {
            all.add("a broker of the topic of presence, which has not answered for %d s".formatted(stalledMs / 1_000));
        }
        return all;
    }
}
