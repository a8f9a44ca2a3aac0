package dev.rollcall.http.server;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.LinkedHashMap;
import java.util.Map;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
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

    /** A JSON object that is rendered already. */
    static Reply rendered(String json) {
        return new Whole(200, Map.of("Content-Type", JSON), json);
    }

    static Reply json(int status, JsonNode json) {
        return new Whole(status, Map.of("Content-Type", JSON), json.toString());
    }

    /** The answer to a write: an empty JSON object. */
    static Reply empty() {
        return json(Json.object());
    }

    static Whole error(ApiException error) {
        Map<String, String> headers = new LinkedHashMap<>();
        headers.put("Content-Type", JSON);
        error.retryAfterMs().ifPresent(ms -> headers.put("Retry-After", String.valueOf((ms + 999) / 1000)));
        error.challenge().ifPresent(challenge -> headers.put("WWW-Authenticate", "Bearer " + challenge));
        return new Whole(error.status(), headers, error.json().toString());
    }

    /** Writes a response, and completes the callback at its end. Does not block. */
    static void write(Reply reply, Response response, Callback callback) {
        HttpFields.Mutable headers = response.getHeaders();
        headers.put("X-Content-Type-Options", "nosniff");
        if (reply instanceof Reply.Whole whole) {
            response.setStatus(whole.status());
            headers.put("Cache-Control", "no-store");
            whole.headers().forEach((name, value) -> headers.put(name, value));
            if (whole.status() == 503 && !headers.contains(HttpHeader.RETRY_AFTER)) {
                headers.put(HttpHeader.RETRY_AFTER, "1");
            }
            response.write(true, UTF_8.encode(whole.body()), callback);
        } else if (reply instanceof Reply.Streaming streaming) {
            streaming.writer().begin(response, callback);
        }
    }
}
