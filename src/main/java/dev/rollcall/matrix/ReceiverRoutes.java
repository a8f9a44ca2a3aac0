package dev.rollcall.matrix;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rollcall.config.HttpLimits;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.gateway.PresenceWriter;
import dev.rollcall.http.MatrixStatus;
import dev.rollcall.http.limits.RateLimits;
import dev.rollcall.http.limits.RateLimits.Limit;
import dev.rollcall.http.server.ApiException;
import dev.rollcall.http.server.Call;
import dev.rollcall.http.server.Reply;
import dev.rollcall.http.server.Route;
import dev.rollcall.http.server.Route.Access;
import dev.rollcall.matrix.polls.MatrixDevice;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The mirror of polls, which is answered with 204 whatever it is, and Matrix's PUT of a user's presence. */
final class ReceiverRoutes {
    private static final Reply SEEN = new Reply.Whole(204, Map.of(), "");
    private static final String BEARER = "Bearer ";
    private static final int MAX_TOKEN = 4_096;
    private static final int MAX_ID = 128;

    /** MSC3026, and its name before it is in the specification: there, but not to be disturbed. */
    private static final Set<String> BUSY = Set.of("busy", "org.matrix.msc3026.busy");

    private final PollEvents events;
    private final Supplier<Optional<PresenceWriter>> writer;
    private final HttpLimits limits;
    private final RateLimits rates = new RateLimits();

    /** @param writer empty: not yet */
    ReceiverRoutes(PollEvents events, Supplier<Optional<PresenceWriter>> writer, HttpLimits limits) {
        this.events = events;
        this.writer = writer;
        this.limits = limits;
    }

    List<Route> routes() {
        List<Route> routes = new ArrayList<>();
        for (String version : List.of("v3", "r0")) {
            String client = "/_matrix/client/" + version;
            routes.add(new Route("GET", client + "/sync", Access.PUBLIC, this::sync));
            routes.add(new Route("PUT", client + "/presence/{user_id}/status", Access.PUBLIC, this::put));
        }
        routes.add(new Route(
                "POST", "/_matrix/client/{version}/org.matrix.simplified_msc3575/sync", Access.PUBLIC, this::sync));
        return routes;
    }

    private CompletionStage<Reply> sync(Call call) {
        try {
            Optional<String> token = call.isHead() ? Optional.empty() : token(call);
            token.ifPresent(present -> events.polled(new Mirrored(
                    call.header("X-Request-Id")
                            .filter(id -> id.length() <= MAX_ID)
                            .orElse(""),
                    present,
                    address(call),
                    timeout(call),
                    state(call))));
        } catch (ApiException e) {
            // The homeserver refuses such a poll, and the client is told by it.
        }
        return CompletableFuture.completedFuture(SEEN);
    }

    private CompletionStage<Reply> put(Call call) {
        UserId user = call.user();
        String token = token(call).orElseThrow(ApiException::missingToken);
        CompletableFuture<JsonNode> body = call.json(MatrixStatus.MAX_BODY);
        CompletableFuture<MatrixDevice> caller = events.caller(token, address(call));
        // The body is read to its end in any case, and a caller who may not do this is not told what is wrong with it.
        return body.handle((read, failure) -> read)
                .thenCompose(read -> caller)
                .thenCompose(device -> {
                    if (!device.user().equals(user)) {
                        throw ApiException.forbidden("this access token is another user's");
                    }
                    return body.thenCompose(read -> set(device, read));
                })
                .thenApply(done -> Reply.empty());
    }

    private CompletableFuture<Void> set(MatrixDevice device, JsonNode body) {
        String presence = MatrixStatus.presence(body);
        PresenceState state = BUSY.contains(presence) ? PresenceState.ONLINE : MatrixStatus.state(presence);
        @Nullable StatusText text = MatrixStatus.text(body).orElse(null);
        PresenceWriter present = writer.get().orElseThrow(() -> ApiException.unavailable("starting"));
        long waitMs = rates.take(
                1,
                List.of(
                        new Limit(device, "writes", limits.device().writes()),
                        new Limit(device.user(), "writes", limits.user().writes())));
        if (waitMs > 0) {
            throw ApiException.tooMany("too many writes of this device or user", waitMs);
        }
        events.stateIsSet(device, state);
        // Without a lease and a shard, so that it changes neither where a poll is open (rule 4).
        Heartbeat heartbeat = new Heartbeat(device.deviceId(), state, false, OptionalLong.empty(), null);
        return present.heartbeat(device.user(), heartbeat, text);
    }

    private static Optional<String> token(Call call) {
        Optional<String> header = call.header("Authorization")
                .filter(field -> field.regionMatches(true, 0, BEARER, 0, BEARER.length()))
                .map(field -> field.substring(BEARER.length()).strip());
        return (header.isPresent() ? header : call.parameter("access_token"))
                .filter(token -> !token.isEmpty()
                        && token.length() <= MAX_TOKEN
                        && token.chars().allMatch(c -> c > ' ' && c < 0x7f));
    }

    /** The last one that the proxy has seen: what is before it a client can write. */
    private static String address(Call call) {
        String all = call.header("X-Forwarded-For").orElse("");
        String last = all.substring(all.lastIndexOf(',') + 1).strip();
        return last.length() <= MAX_ID ? last : "";
    }

    /** 0, as Matrix has it, also for what is no number. */
    private static long timeout(Call call) {
        try {
            return call.parameter("timeout").map(Long::parseLong).orElse(0L);
        } catch (NumberFormatException e) {
            return 0;
        }
    }

    private static @Nullable PresenceState state(Call call) {
        return call.parameter("set_presence")
                .flatMap(name -> BUSY.contains(name) ? Optional.of(PresenceState.ONLINE) : MatrixStatus.known(name))
                .orElse(null);
    }
}
