package dev.rollcall.http;

import dev.rollcall.config.HttpSettings;
import dev.rollcall.http.server.ApiException;
import dev.rollcall.http.server.Call;
import dev.rollcall.http.server.Json;
import dev.rollcall.http.server.Reply;
import dev.rollcall.http.server.Route;
import dev.rollcall.http.server.Route.Access;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/** Starts and stops simulated shards, if the settings allow it. Only for callers who may act for all users. */
final class SimulationRoutes {
    private static final int MAX_BODY = 4_096;
    private static final int MAX_USERS = 20_000;

    private final Supplier<Backend> backend;
    private final boolean enabled;

    SimulationRoutes(Supplier<Backend> backend, HttpSettings settings) {
        this.backend = backend;
        this.enabled = settings.simulation();
    }

    List<Route> routes() {
        String path = "/v2/simulation";
        return List.of(
                new Route("GET", path, Access.VALID_TOKEN, ifEnabled(this::get)),
                new Route("PUT", path, Access.VALID_TOKEN, ifEnabled(this::put)),
                new Route("DELETE", path, Access.VALID_TOKEN, ifEnabled(this::delete)));
    }

    /** Its users are written like real ones, so nobody must start it by accident where there are real ones. */
    private Route.Action ifEnabled(Route.Action action) {
        return call -> {
            if (!enabled) {
                throw ApiException.forbidden("simulated users would be written into this cluster like real ones:"
                        + " set http.simulation.enabled=true if that is what you want");
            }
            return action.answer(call);
        };
    }

    private CompletionStage<Reply> get(Call call) {
        Simulation.State state = backend.get().simulation().state();
        return CompletableFuture.completedFuture(
                Reply.json(Json.object().put("users", state.users()).put("heartbeats", state.heartbeats())));
    }

    private CompletionStage<Reply> put(Call call) {
        call.caller().requireAllUsers();
        return call.json(MAX_BODY).thenApply(body -> {
            long users = Json.optionalNumber(body, "users", 1, MAX_USERS)
                    .orElseThrow(() -> ApiException.badJson("users is missing"));
            backend.get().simulation().start((int) users);
            return Reply.empty();
        });
    }

    private CompletionStage<Reply> delete(Call call) {
        call.caller().requireAllUsers();
        call.requireNoBody();
        backend.get().simulation().stop();
        return CompletableFuture.completedFuture(Reply.empty());
    }
}
