package dev.rollcall.http;

import dev.rollcall.config.HttpSettings;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.UserId;
import dev.rollcall.gateway.SinceToken;
import dev.rollcall.gateway.UnavailableException;
import dev.rollcall.http.EventStream.Format;
import dev.rollcall.http.Route.Access;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The event stream: who has it open is here, and hears who else is. */
final class EventRoutes {
    private static final long POLL_MS = 30_000;

    private final Supplier<Backend> backend;
    private final EventStreams streams;
    private final long mostMs;

    EventRoutes(Supplier<Backend> backend, EventStreams streams, HttpSettings settings) {
        this.backend = backend;
        this.streams = streams;
        this.mostMs = settings.streamMaxMs();
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
        Format format = format(call);
        PresenceState state =
                call.parameter("presence").map(PresenceRoutes::state).orElse(PresenceState.ONLINE);
        Set<UserId> users = users(call);
        SinceToken since = since(call);
        long timeoutMs = Math.min(
                mostMs, call.number("timeout", 0, Long.MAX_VALUE, format == Format.LONG_POLL ? POLL_MS : mostMs));
        Backend present = backend.get();
        if (!present.feed().isCaughtUp()) {
            throw new UnavailableException("still reading who is here");
        }
        EventStream stream = streams.reserve(present, user, device, users, since, format, timeoutMs);
        return present.writer()
                .opened(user, device, state)
                .thenApply(done -> stream.opened())
                .whenComplete((done, failure) -> {
                    if (failure != null) {
                        streams.release(stream);
                    }
                });
    }

    /** JSON where that is asked for and an event stream is not. */
    private static Format format(Call call) {
        String accept = call.header("Accept").orElse("");
        return accept.contains(Reply.JSON) && !accept.contains(EventStream.EVENT_STREAM)
                ? Format.LONG_POLL
                : Format.EVENT_STREAM;
    }

    /** Null: everybody. */
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

    /** What a browser that comes back says by itself wins over the address, which it repeats as it was. */
    private static @Nullable SinceToken since(Call call) {
        String text =
                call.header("Last-Event-ID").or(() -> call.parameter("since")).orElse("");
        if (text.isEmpty()) {
            return null;
        }
        try {
            return SinceToken.parse(text);
        } catch (IllegalArgumentException e) {
            throw ApiException.invalid("since is not a token that was given out here");
        }
    }
}
