package dev.rollcall.http.server;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rollcall.domain.UserId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Request;
import org.jspecify.annotations.Nullable;

/** One request, with its route and its caller. */
public final class Call {
    private final Request request;
    private final Route route;
    private final List<String> segments;
    private final Caller caller;
    private final CallerLimits limits;

    Call(Request request, Route route, List<String> segments, Caller caller, CallerLimits limits) {
        this.request = request;
        this.route = route;
        this.segments = segments;
        this.caller = caller;
        this.limits = limits;
    }

    public Caller caller() {
        return caller;
    }

    /** Counts records that this is to write. Refuses the call with 429 if that is more than its caller may. */
    public void countWrites(int records) {
        limits.writes(caller, records);
    }

    /** Counts users whose presence is asked for. Refuses the call with 429 if that is more than its caller may. */
    public void countIds(int users) {
        limits.ids(caller, users);
    }

    /** Whether only the head of the response is asked for. */
    public boolean isHead() {
        return request.getMethod().equals("HEAD");
    }

    /** Whether the client wants the one media type more than the other. */
    public boolean prefers(String type, String other) {
        List<String> fields = request.getHeaders().getValuesList(HttpHeader.ACCEPT);
        return Accept.quality(fields, type) > Accept.quality(fields, other);
    }

    /** The path's {@code {user_id}}. */
    public UserId user() {
        return Ids.user(variable("user_id"));
    }

    /** The path's {@code {device_id}}. */
    public String device() {
        return Ids.device(variable("device_id"));
    }

    /** The path's {@code {stream_id}}. */
    public String stream() {
        return variable("stream_id");
    }

    private String variable(String name) {
        return Ids.decode(segments.get(route.indexOf(name)));
    }

    public Optional<String> header(String name) {
        return Optional.ofNullable(request.getHeaders().get(name));
    }

    /** A query parameter. Refused if it is there more than once. */
    public Optional<String> parameter(String name) {
        List<String> all = rawParameters(name);
        if (all.size() > 1) {
            throw ApiException.invalid("%s is there more than once".formatted(name));
        }
        return all.stream().findFirst().map(Ids::decode);
    }

    /** All values of a query parameter that may be repeated, and may have several values between commas. */
    public List<String> list(String name) {
        List<String> values = new ArrayList<>();
        for (String raw : rawParameters(name)) {
            for (String one : raw.split(",", -1)) {
                if (!one.isEmpty()) {
                    values.add(Ids.decode(one));
                }
            }
        }
        return values;
    }

    /** Whether the query has this parameter. */
    public boolean has(String name) {
        return !rawParameters(name).isEmpty();
    }

    /** A query parameter that is a whole number from {@code min} to {@code max}. */
    public long number(String name, long min, long max, long defaultValue) {
        Optional<String> text = parameter(name);
        if (text.isEmpty()) {
            return defaultValue;
        }
        try {
            long number = Long.parseLong(text.get());
            if (number >= min && number <= max) {
                return number;
            }
        } catch (NumberFormatException e) {
            // refused below
        }
        throw ApiException.invalid("%s must be a whole number from %d to %d".formatted(name, min, max));
    }

    private List<String> rawParameters(String name) {
        @Nullable String query = request.getHttpURI().getQuery();
        List<String> values = new ArrayList<>();
        if (query != null) {
            for (String pair : query.split("&", -1)) {
                int equals = pair.indexOf('=');
                String key = equals < 0 ? pair : pair.substring(0, equals);
                if (key.equals(name)) {
                    values.add(equals < 0 ? "" : pair.substring(equals + 1));
                }
            }
        }
        return values;
    }

    /** The body as a JSON object. Fails with an {@link ApiException} if it is none, or longer than {@code maxBytes}. */
    public CompletableFuture<JsonNode> json(int maxBytes) {
        if (request.getLength() > maxBytes) {
            throw ApiException.tooLarge(maxBytes);
        }
        return Body.read(request, maxBytes).handle((body, failure) -> {
            if (failure != null) {
                throw ApiException.of(failure);
            }
            return Json.read(body);
        });
    }

    /** Refuses a request that has a body. */
    public void requireNoBody() {
        HttpFields headers = request.getHeaders();
        if (headers.getLongField("Content-Length") > 0 || headers.contains("Transfer-Encoding")) {
            throw ApiException.invalid("there must be no body");
        }
    }
}
