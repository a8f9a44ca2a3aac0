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
import dev.rollcall.http.events.StreamRequest.Device;
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
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Event streams, which deliver presence: a device's, which keeps it online, and a service's, which stands for no device. A
 * client may change whom it watches while its stream is open, at the instance that has the stream.
 */
final class EventRoutes {
    private static final long DEFAULT_POLL_MS = 30_000;

    /** Shorter than what a proxy takes for a dead connection. */
    private static final long MAX_WINDOW_MS = 10_000;

    private static final String WATCHED = "/{stream_id}/users";

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
        String ofDevice = "/v2/users/{user_id}/devices/{device_id}/events";
        String ofService = "/v2/presence/events";
        return List.of(
                new Route("GET", ofDevice, Access.VALID_TOKEN, this::ofDevice),
                new Route("GET", ofService, Access.VALID_TOKEN, this::ofService),
                new Route("PUT", ofDevice + WATCHED, Access.VALID_TOKEN, call -> watch(call, device(call))),
                new Route("PUT", ofService + WATCHED, Access.VALID_TOKEN, call -> watch(call, service(call))));
    }

    private CompletionStage<Reply> ofDevice(Call call) {
        Device device = device(call);
        if (!call.isHead()) {
            call.countWrites(1);
        }
        PresenceState state =
                call.parameter("presence").map(PresenceRoutes::state).orElse(PresenceState.ONLINE);
        return open(call, device, present -> present.writer().opened(device.user(), device.id(), state));
    }

    private CompletionStage<Reply> ofService(Call call) {
        return open(call, service(call), present -> CompletableFuture.completedFuture(null));
    }

    private CompletionStage<Reply> open(
            Call call, @Nullable Device device, Function<Backend, CompletableFuture<Void>> opening) {
        call.requireNoBody();
        StreamFormat format = format(call);
        if (call.isHead()) { // opens no stream
            return CompletableFuture.completedFuture(
                    new Reply.Whole(200, Map.of("Content-Type", format.contentType()), ""));
        }
        long timeoutMs = Math.min(
                maxMs,
                call.number("timeout", 0, Long.MAX_VALUE, format == StreamFormat.LONG_POLL ? DEFAULT_POLL_MS : maxMs));
        long windowMs = call.number("window", 0, MAX_WINDOW_MS, 0);
        Set<UserId> users = users(call);
        BatchToken from = token(call);
        call.countIds(users != null ? users.size() : from == null ? PresenceRoutes.MAX_USERS : 1);
        long tokenMs = call.caller()
                .tokenEnd()
                .map(end -> Math.max(1, clock.instant().until(end, ChronoUnit.MILLIS)))
                .orElse(Long.MAX_VALUE);
        Backend present = backend.get();
        if (!present.feed().isCaughtUp()) {
            throw new UnavailableException("the presence topic is still being read");
        }
        EventStream stream = streams.reserve(
                present.feed(),
                present.writer(),
                new StreamRequest(device, format, Math.min(timeoutMs, tokenMs), windowMs, tokenMs < timeoutMs));
        return opening.apply(present)
                .thenApply(done -> stream.subscribe(users, from))
                .whenComplete((done, failure) -> {
                    if (failure != null) {
                        streams.release(stream);
                    }
                });
    }

    private CompletionStage<Reply> watch(Call call, @Nullable Device device) {
        EventStream stream = streams.get(call.stream(), device);
        return call.json(PresenceRoutes.MAX_QUERY_BODY).thenApply(body -> {
            Set<UserId> users = PresenceRoutes.userIds(body);
            call.countIds(users.size());
            if (!stream.watch(users)) {
                throw ApiException.invalid("this stream is of all users: open one with users= to change them");
            }
            return Reply.empty();
        });
    }

    private static Device device(Call call) {
        Device device = new Device(call.user(), call.device());
        call.caller().requireDevice(device.user(), device.id());
        return device;
    }

    /** Stands for no device. */
    private static @Nullable Device service(Call call) {
        call.caller().requireAllUsers();
        return null;
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
