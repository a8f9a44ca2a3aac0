package dev.rollcall.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.http.events.EventStreams;
import dev.rollcall.http.events.PresenceJson;
import dev.rollcall.http.server.ApiException;
import dev.rollcall.http.server.Call;
import dev.rollcall.http.server.Ids;
import dev.rollcall.http.server.Json;
import dev.rollcall.http.server.Reply;
import dev.rollcall.http.server.Route;
import dev.rollcall.http.server.Route.Access;
import java.time.InstantSource;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Sets the state of devices, the text and flag of users, and reads presence. */
final class PresenceRoutes {
    static final int MAX_USERS = 1_000;
    private static final int MAX_STATE_BODY = 4_096;

    /** Room for a text of 1024 bytes, each of them escaped. */
    private static final int MAX_STATUS_BODY = 16_384;

    /** Room for 1000 ids of 255 bytes. */
    static final int MAX_QUERY_BODY = 524_288;

    private static final int MAX_TEXT_BYTES = 1_024;
    private static final long MAX_TEXT_MS = 10L * 365 * 86_400_000;

    private final Supplier<Backend> backend;
    private final EventStreams streams;
    private final InstantSource clock;

    PresenceRoutes(Supplier<Backend> backend, EventStreams streams, InstantSource clock) {
        this.backend = backend;
        this.streams = streams;
        this.clock = clock;
    }

    List<Route> routes() {
        String device = "/v2/users/{user_id}/devices/{device_id}/presence";
        return List.of(
                new Route("PUT", device, Access.VALID_TOKEN, this::putState),
                new Route("DELETE", device, Access.VALID_TOKEN, this::deleteState),
                new Route("PUT", "/v2/users/{user_id}/status", Access.VALID_TOKEN, this::putStatus),
                new Route("PUT", "/v2/users/{user_id}/appear-offline", Access.VALID_TOKEN, this::putAppearOffline),
                new Route("GET", "/v2/users/{user_id}/presence", Access.VALID_TOKEN, this::getPresence),
                new Route("POST", "/v2/presence/query", Access.VALID_TOKEN, this::query));
    }

    private CompletionStage<Reply> putState(Call call) {
        UserId user = call.user();
        String device = call.device();
        call.caller().requireDevice(user, device);
        return call.json(MAX_STATE_BODY)
                .thenCompose(body -> {
                    Heartbeat heartbeat = HeartbeatJson.read(device, body, false);
                    if (heartbeat.shard() != null) {
                        call.caller().requireAllUsers(); // it counts as a word from the shard (rule 13)
                    }
                    call.countWrites(1);
                    return backend.get().writer().heartbeat(user, heartbeat);
                })
                .thenApply(done -> Reply.empty());
    }

    private CompletionStage<Reply> deleteState(Call call) {
        UserId user = call.user();
        String device = call.device();
        call.caller().requireDevice(user, device);
        call.requireNoBody();
        call.countWrites(1);
        streams.end(user, device);
        return backend.get().writer().ended(user, device).thenApply(done -> Reply.empty());
    }

    private CompletionStage<Reply> putStatus(Call call) {
        UserId user = call.user();
        call.caller().requireUser(user);
        return call.json(MAX_STATUS_BODY)
                .thenCompose(body -> {
                    StatusText text = statusText(body);
                    call.countWrites(1);
                    return backend.get().writer().status(user, text);
                })
                .thenApply(done -> Reply.empty());
    }

    private CompletionStage<Reply> putAppearOffline(Call call) {
        UserId user = call.user();
        call.caller().requireUser(user);
        return call.json(MAX_STATE_BODY)
                .thenCompose(body -> {
                    boolean appearOffline = Json.flag(body, "appear_offline");
                    call.countWrites(1);
                    return backend.get().writer().appearOffline(user, appearOffline);
                })
                .thenApply(done -> Reply.empty());
    }

    private CompletionStage<Reply> getPresence(Call call) {
        UserId user = call.user();
        call.countIds(1);
        return CompletableFuture.completedFuture(Reply.rendered(presence(user)));
    }

    private CompletionStage<Reply> query(Call call) {
        return call.json(MAX_QUERY_BODY).thenApply(body -> {
            Set<UserId> users = userIds(body);
            call.countIds(users.size());
            return Reply.rendered(
                    users.stream().map(this::presence).collect(Collectors.joining(",", "{\"presences\":[", "]}")));
        });
    }

    private String presence(UserId user) {
        return PresenceJson.render(user, backend.get().feed().presence(user).orElse(null));
    }

    private StatusText statusText(JsonNode body) {
        if (!body.has("text")) {
            throw ApiException.badJson("text is missing");
        }
        return statusText(
                Json.optionalText(body, "text").orElse(null),
                Json.optionalNumber(body, "expires_in_ms", 1, MAX_TEXT_MS),
                clock);
    }

    static StatusText statusText(@Nullable String text, OptionalLong expiresInMs, InstantSource clock) {
        if (text != null && text.getBytes(UTF_8).length > MAX_TEXT_BYTES) {
            throw ApiException.invalid("the text must be at most %d bytes of UTF-8".formatted(MAX_TEXT_BYTES));
        }
        return new StatusText(text, expiresInMs.isEmpty() ? null : (Long) (clock.millis() + expiresInMs.getAsLong()));
    }

    static PresenceState state(String name) {
        return switch (name) {
            case "online" -> PresenceState.ONLINE;
            case "idle" -> PresenceState.IDLE;
            case "offline" -> PresenceState.OFFLINE;
            default -> throw ApiException.invalid("the state must be online, idle or offline");
        };
    }

    /** The body's {@code user_ids}. */
    static Set<UserId> userIds(JsonNode body) {
        JsonNode ids = body.path("user_ids");
        if (!ids.isArray()) {
            throw ApiException.badJson("user_ids must be an array of strings");
        }
        if (ids.size() > MAX_USERS) {
            throw ApiException.invalid("user_ids must be at most %d: they are %d".formatted(MAX_USERS, ids.size()));
        }
        Set<UserId> users = new LinkedHashSet<>();
        for (JsonNode id : ids) {
            if (!id.isTextual()) {
                throw ApiException.badJson("user_ids must be an array of strings");
            }
            users.add(Ids.user(id.textValue()));
        }
        return users;
    }
}
