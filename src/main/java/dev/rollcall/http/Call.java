package dev.rollcall.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rollcall.domain.UserId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.server.Request;
import org.jspecify.annotations.Nullable;

/** One request on its route, of a known caller. */
final class Call {
    private final Request request;
    private final Route route;
    private final List<String> segments;
    private final Caller caller;

    Call(Request request, Route route, List<String> segments, Caller caller) {
        this.request = request;
        this.route = route;
        this.segments = segments;
        this.caller = caller;
    }

    Request request() {
        return request;
    }

    Caller caller() {
        return caller;
    }

    /** The path's {@code {user_id}}. */
    UserId user() {
        return Ids.user(variable("user_id"));
    }

    /** The path's {@code {device_id}}. */
    String device() {
        return Ids.device(variable("device_id"));
    }

    private String variable(String name) {
        return Ids.decode(segments.get(route.indexOf(name)));
    }

    Optional<String> header(String name) {
        return Optional.ofNullable(request.getHeaders().get(name));
    }

    /** A parameter of the query. */
    Optional<String> parameter(String name) {
        List<String> all = rawParameters(name);
        if (all.size() > 1) {
            throw ApiException.invalid("%s is there more than once".formatted(name));
        }
        return all.stream().findFirst().map(Ids::decode);
    }

    /** A list: the parameter may be there several times, and each may have several values between commas. */
    List<String> list(String name) {
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

    boolean has(String name) {
        return !rawParameters(name).isEmpty();
    }

    /** A whole number. */
    long number(String name, long least, long most, long otherwise) {
        Optional<String> text = parameter(name);
        if (text.isEmpty()) {
            return otherwise;
        }
        try {
            long number = Long.parseLong(text.get());
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException e) {
            // said below
        }
        throw ApiException.invalid("%s must be a whole number from %d to %d".formatted(name, least, most));
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

    /** The body as a JSON object, so many bytes at most. */
    CompletableFuture<JsonNode> json(int mostBytes) {
        if (request.getLength() > mostBytes) {
            throw ApiException.tooLarge(mostBytes);
        }
        return Body.read(request, mostBytes).handle((body, failure) -> {
            if (failure != null) {
                throw ApiException.of(failure);
            }
            return Json.read(body);
        });
    }

    /** Refuses a body where none belongs. */
    void requireNoBody() {
        HttpFields headers = request.getHeaders();
        if (headers.getLongField("Content-Length") > 0 || headers.contains("Transfer-Encoding")) {
            throw ApiException.invalid("there must be no body");
        }
    }
}
