package dev.rollcall.http.server;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.LinkedHashMap;
import java.util.Map;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/** A response. */
public sealed interface Reply {
    String JSON = "application/json";

    /** A response whose body is known, written in UTF-8. */
    record Whole(int status, Map<String, String> headers, String body) implements Reply {}

    /** A response that is written bit by bit. */
    record Streaming(Writer writer) implements Reply {}

    /** Writes headers and body of a response. */
    interface Writer {
        /** Starts writing, and completes the callback at the end of the response. Does not block. */
        void begin(Response response, Callback callback);
    }

    static Reply json(JsonNode json) {
        return json(200, json);
    }

    static Reply json(int status, JsonNode json) {
        return new Whole(status, Map.of("Content-Type", JSON), json.toString());
    }

    /** The answer to a write: an empty JSON object. */
    static Reply empty() {
        return json(Json.object());
    }

    static Whole error(ApiException error) {
        var body = Json.object().put("errcode", error.code()).put("error", error.text());
        Map<String, String> headers = new LinkedHashMap<>();
        headers.put("Content-Type", JSON);
        error.retryAfterMs().ifPresent(ms -> {
            body.put("retry_after_ms", ms);
            headers.put("Retry-After", String.valueOf((ms + 999) / 1000));
        });
        error.challenge().ifPresent(challenge -> headers.put("WWW-Authenticate", "Bearer " + challenge));
        return new Whole(error.status(), headers, body.toString());
    }
}
