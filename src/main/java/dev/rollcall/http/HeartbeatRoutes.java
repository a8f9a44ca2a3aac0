package dev.rollcall.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.UserId;
import dev.rollcall.gateway.PresenceWriter;
import dev.rollcall.http.server.ApiException;
import dev.rollcall.http.server.Call;
import dev.rollcall.http.server.Ids;
import dev.rollcall.http.server.Json;
import dev.rollcall.http.server.Reply;
import dev.rollcall.http.server.Route;
import dev.rollcall.http.server.Route.Access;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/** Many heartbeats in one request, for services that have no Kafka client. */
final class HeartbeatRoutes {
    private static final int MAX_HEARTBEATS = 1_000;

    /** Room for 1000 heartbeats with four ids of 255 bytes, some of them escaped. */
    private static final int MAX_BODY = 2_097_152;

    private final Supplier<Backend> backend;

    HeartbeatRoutes(Supplier<Backend> backend) {
        this.backend = backend;
    }

    List<Route> routes() {
        return List.of(new Route("POST", "/v2/heartbeats", Access.VALID_TOKEN, this::post));
    }

    private CompletionStage<Reply> post(Call call) {
        call.caller().requireAllUsers();
        return call.json(MAX_BODY).thenCompose(body -> {
            JsonNode heartbeats = body.path("heartbeats");
            if (!heartbeats.isArray()) {
                throw ApiException.badJson("heartbeats must be an array of objects");
            }
            if (heartbeats.size() > MAX_HEARTBEATS) {
                throw ApiException.invalid(
                        "heartbeats must be at most %d: they are %d".formatted(MAX_HEARTBEATS, heartbeats.size()));
            }
            call.countWrites(heartbeats.size());
            PresenceWriter writer = backend.get().writer();
            List<CompletableFuture<ObjectNode>> answers = new ArrayList<>();
            heartbeats.forEach(one -> answers.add(write(writer, one)));
            return CompletableFuture.allOf(answers.toArray(new CompletableFuture<?>[0]))
                    .thenApply(done -> reply(answers));
        });
    }

    /** The heartbeat's answer: empty, or the error that it would get in a request of its own. Never fails. */
    private static CompletableFuture<ObjectNode> write(PresenceWriter writer, JsonNode json) {
        CompletableFuture<Void> written;
        try {
            if (!json.isObject()) {
                throw ApiException.badJson("a heartbeat must be an object");
            }
            UserId user = Ids.user(Json.text(json, "user_id"));
            Heartbeat heartbeat = HeartbeatJson.read(Ids.device(Json.text(json, "device_id")), json, true);
            written = writer.heartbeat(user, heartbeat);
        } catch (RuntimeException e) {
            written = CompletableFuture.failedFuture(e);
        }
        return written.handle((done, failure) ->
                failure == null ? Json.object() : ApiException.of(failure).json());
    }

    private static Reply reply(List<CompletableFuture<ObjectNode>> answers) {
        ObjectNode reply = Json.object();
        ArrayNode results = reply.putArray("results");
        answers.forEach(answer -> results.add(answer.join()));
        return Reply.json(reply);
    }
}
