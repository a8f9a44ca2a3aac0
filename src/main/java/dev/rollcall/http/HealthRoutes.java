package dev.rollcall.http;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/** For whoever runs this: whether it lives, and whether it can be sent clients. */
final class HealthRoutes {
    private final Supplier<Optional<Backend>> backend;

    HealthRoutes(Supplier<Optional<Backend>> backend) {
        this.backend = backend;
    }

    List<Route> routes() {
        return List.of(
                new Route("GET", "/health/live", Route.Access.ANYBODY, this::live),
                new Route("GET", "/health/ready", Route.Access.ANYBODY, this::ready));
    }

    private CompletionStage<Reply> live(Call call) {
        return CompletableFuture.completedFuture(Reply.json(Json.object().put("status", "live")));
    }

    private CompletionStage<Reply> ready(Call call) {
        List<String> waitsFor =
                backend.get().map(HealthRoutes::waitsFor).orElseGet(() -> List.of("Kafka and the topics"));
        ObjectNode body = Json.object();
        if (waitsFor.isEmpty()) {
            return CompletableFuture.completedFuture(Reply.json(body.put("status", "ready")));
        }
        ArrayNode array = body.put("errcode", "M_UNAVAILABLE")
                .put("error", "waits for " + String.join(", ", waitsFor))
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
