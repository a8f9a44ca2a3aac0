package dev.rollcall.http;

import dev.rollcall.config.HttpSettings;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.UserId;
import dev.rollcall.gateway.BatchToken;
import dev.rollcall.gateway.UnavailableException;
import dev.rollcall.http.events.EventStream;
import dev.rollcall.http.events.EventStreams;
import dev.rollcall.http.events.StreamFormat;
import dev.rollcall.http.events.StreamRequest;
import dev.rollcall.http.server.ApiException;
import dev.rollcall.http.server.Call;
import dev.rollcall.http.server.Ids;
import dev.rollcall.http.server.Reply;
import dev.rollcall.http.server.Route;
import dev.rollcall.http.server.Route.Access;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The event stream: it keeps the device online, and delivers presence to the client. */
final class EventRoutes {
    private static final long DEFAULT_POLL_MS = 30_000;

    private final Supplier<Backend> backend;
    private final EventStreams streams;
    private final InstantSource clock;
    private final long maxMs;

    EventRoutes(Supplier<Backend> backend, EventStreams streams, InstantSource clock, HttpSettings settings) {
        this.backend = backend;
        this.streams = streams;
        this.clock = clock;
        this.maxMs = settings.streamMaxMs();
    }

    List<Route> routes() {
        return List.of(
                new Route("GET", "/v2/users/{user_id}/devices/{device_id}/events", Access.VALID_TOKEN, this::events));
    }

    private CompletionStage<Reply> events(Call call) {
        UserId user = call.user();
        String device = call.device();
        call.caller().requireDevice(user, device);
        call.requireNoBody();
        StreamFormat format = format(call);
        if (call.isHead()) { // opens no stream
            return CompletableFuture.completedFuture(
                    new Reply.Whole(200, Map.of("Content-Type", format.contentType()), ""));
        }
        PresenceState state =
                call.parameter("presence").map(PresenceRoutes::state).orElse(PresenceState.ONLINE);
        long timeoutMs = Math.min(
                maxMs,
                call.number("timeout", 0, Long.MAX_VALUE, format == StreamFormat.LONG_POLL ? DEFAULT_POLL_MS : maxMs));
        call.countWrites(1);
        long tokenMs = call.caller()
                .tokenEnd()
                .map(end -> Math.max(1, clock.instant().until(end, ChronoUnit.MILLIS)))
                .orElse(Long.MAX_VALUE);
        StreamRequest request = new StreamRequest(
                user, device, users(call), token(call), format, Math.min(timeoutMs, tokenMs), tokenMs < timeoutMs);
        Set<UserId> asked = request.users();
        call.countIds(asked != null ? asked.size() : request.from() == null ? PresenceRoutes.MAX_USERS : 1);
        Backend present = backend.get();
        if (!present.feed().isCaughtUp()) {
            throw new UnavailableException("the presence topic is still being read");
        }
        EventStream stream = streams.reserve(present.feed(), present.writer(), request);
        return present.writer()
                .opened(user, device, state)
                .thenApply(done -> stream.subscribe())
                .whenComplete((done, failure) -> {
                    if (failure != null) {
                        streams.release(stream);
                    }
                });
    }

    /** A long poll if the client wants JSON more than an event stream. */
    private static StreamFormat format(Call call) {
        String poll = StreamFormat.LONG_POLL.contentType();
        String stream = StreamFormat.EVENT_STREAM.contentType();
        return call.prefers(poll, stream) ? StreamFormat.LONG_POLL : StreamFormat.EVENT_STREAM;
    }

    /** Null stands for all users. */
    private static @Nullable Set<UserId> users(Call call) {
        if (!call.has("users")) {
            return null;
        }
        List<String> ids = call.list("users");
        if (ids.size() > PresenceRoutes.MAX_USERS) {
            throw ApiException.invalid("users must be at most %d".formatted(PresenceRoutes.MAX_USERS));
        }
        Set<UserId> users = new HashSet<>();
        ids.forEach(id -> users.add(Ids.user(id)));
        return users;
    }

    /** Where to go on. Last-Event-ID wins: a browser that reconnects repeats the URL, whose token is older. */
    private static @Nullable BatchToken token(Call call) {
        String text = call.header("Last-Event-ID")
                .or(() -> call.parameter("next_batch"))
                .or(() -> call.parameter("since")) // Matrix's name for it
                .orElse("");
        if (text.isEmpty()) {
            return null;
        }
        try {
            return BatchToken.parse(text);
        } catch (IllegalArgumentException e) {
            throw ApiException.invalid("next_batch is not a token from an event stream");
        }
    }
}
