package dev.rollcall.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.UserId;
import dev.rollcall.gateway.PresenceWriter;
import dev.rollcall.http.events.PresenceJson;
import dev.rollcall.http.server.ApiException;
import dev.rollcall.http.server.Call;
import dev.rollcall.http.server.Json;
import dev.rollcall.http.server.Reply;
import dev.rollcall.http.server.Route;
import dev.rollcall.http.server.Route.Access;
import java.time.InstantSource;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** The presence of the Matrix Client-Server API (v1.11, section 13.7), for unmodified Matrix clients. */
final class MatrixRoutes {
    /** The device id for a caller that is no single device. */
    private static final String DEVICE = "matrix";

    private final Supplier<Backend> backend;
    private final InstantSource clock;

    MatrixRoutes(Supplier<Backend> backend, InstantSource clock) {
        this.backend = backend;
        this.clock = clock;
    }

    List<Route> routes() {
        return Stream.of("v3", "r0") // the same in both
                .map(version -> "/_matrix/client/" + version + "/presence/{user_id}/status")
                .flatMap(path -> Stream.of(
                        new Route("PUT", path, Access.VALID_TOKEN, this::put),
                        new Route("GET", path, Access.VALID_TOKEN, this::get)))
                .toList();
    }

    private CompletionStage<Reply> put(Call call) {
        UserId user = call.user();
        call.caller().requireUser(user);
        String device = call.caller().ownDevice().orElse(DEVICE);
        return call.json(MatrixStatus.MAX_BODY).thenCompose(body -> {
            PresenceState state = MatrixStatus.state(MatrixStatus.presence(body));
            Heartbeat heartbeat = new Heartbeat(device, state, false, OptionalLong.empty(), null);
            PresenceWriter writer = backend.get().writer();
            call.countWrites(1);
            return writer.heartbeat(user, heartbeat, MatrixStatus.text(body).orElse(null))
                    .thenApply(done -> Reply.empty());
        });
    }

    private CompletionStage<Reply> get(Call call) {
        call.countIds(1);
        Presence presence = backend.get()
                .feed()
                .presence(call.user())
                .orElseThrow(() -> ApiException.notFound("nothing is known of this user's presence"));
        return CompletableFuture.completedFuture(Reply.json(toMatrix(presence)));
    }

    private ObjectNode toMatrix(Presence presence) {
        PresenceState state = presence.state();
        ObjectNode matrix = Json.object()
                .put("presence", state == PresenceState.IDLE ? "unavailable" : PresenceJson.name(state))
                .put("currently_active", state == PresenceState.ONLINE);
        if (presence.status() != null) {
            matrix.put("status_msg", presence.status());
        }
        Long lastActive = presence.lastActive();
        if (lastActive != null) {
            matrix.put("last_active_ago", Math.max(0, clock.millis() - lastActive));
        }
        return matrix;
    }
}
