package dev.rollcall.http;

import dev.rollcall.gateway.UnavailableException;
import java.io.IOException;
import java.util.OptionalLong;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.http.HttpException;
import org.jspecify.annotations.Nullable;

/** A request that is refused, as the client is told: a status, a code like Matrix's, and a sentence. */
final class ApiException extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private static final long RETRY_UNAVAILABLE_MS = 1_000;

    private final int status;
    private final String code;
    private final long retryAfterMs;

    private ApiException(int status, String code, String message, long retryAfterMs) {
        super(message, null, false, false); // it is an answer, and nobody looks at where it comes from
        this.status = status;
        this.code = code;
        this.retryAfterMs = retryAfterMs;
    }

    static ApiException invalid(String message) {
        return new ApiException(400, "M_INVALID_PARAM", message, 0);
    }

    static ApiException notJson(String message) {
        return new ApiException(400, "M_NOT_JSON", message, 0);
    }

    static ApiException badJson(String message) {
        return new ApiException(400, "M_BAD_JSON", message, 0);
    }

    static ApiException missingToken() {
        return new ApiException(401, "M_MISSING_TOKEN", "a bearer token is needed", 0);
    }

    /** Not a word on what is wrong with it. */
    static ApiException unknownToken() {
        return new ApiException(401, "M_UNKNOWN_TOKEN", "the bearer token is not valid, or not any more", 0);
    }

    static ApiException forbidden(String message) {
        return new ApiException(403, "M_FORBIDDEN", message, 0);
    }

    static ApiException noRoute() {
        return new ApiException(404, "M_UNRECOGNIZED", "there is nothing here", 0);
    }

    static ApiException notFound(String message) {
        return new ApiException(404, "M_NOT_FOUND", message, 0);
    }

    static ApiException wrongMethod() {
        return new ApiException(405, "M_UNRECOGNIZED", "this method does not work here", 0);
    }

    static ApiException tooLarge(int mostBytes) {
        return new ApiException(413, "M_TOO_LARGE", "the body must be at most %d bytes".formatted(mostBytes), 0);
    }

    static ApiException tooMany(String message, long retryAfterMs) {
        return new ApiException(429, "M_LIMIT_EXCEEDED", message, retryAfterMs);
    }

    static ApiException unavailable(String message) {
        return new ApiException(503, "M_UNAVAILABLE", message, RETRY_UNAVAILABLE_MS);
    }

    /** What the HTTP server itself refuses. */
    static ApiException ofStatus(int status) {
        return switch (status) {
            case 501, 505 -> ofStatus(400); // it is the request that speaks another protocol
            case 404 -> noRoute();
            case 405 -> wrongMethod();
            case 413 -> new ApiException(413, "M_TOO_LARGE", "the body is too large", 0);
            case 503 -> unavailable("not now");
            default ->
                status >= 400 && status < 500
                        ? new ApiException(status, "M_UNKNOWN", "this is not a request that can be answered", 0)
                        : internal();
        };
    }

    private static ApiException internal() {
        return new ApiException(500, "M_UNKNOWN", "something went wrong here", 0);
    }

    /** What the client is told of a failure. A status of 500 means that it is a surprise, and belongs in the log. */
    static ApiException of(Throwable failure) {
        Throwable cause = failure;
        while ((cause instanceof CompletionException || cause instanceof ExecutionException)
                && cause.getCause() != null) {
            cause = cause.getCause();
        }
        if (cause instanceof ApiException known) {
            return known;
        } else if (cause instanceof UnavailableException) {
            return unavailable(String.valueOf(cause.getMessage()));
        } else if (cause instanceof HttpException http) {
            return ofStatus(http.getCode());
        } else if (cause instanceof TimeoutException || cause instanceof IOException) {
            // Of the client: what else there is to wait for fails as unavailable.
            return new ApiException(400, "M_UNKNOWN", "the request did not come to its end", 0);
        }
        return internal();
    }

    int status() {
        return status;
    }

    String code() {
        return code;
    }

    /** In ms; empty: nothing is said of when to try again. */
    OptionalLong retryAfterMs() {
        return retryAfterMs > 0 ? OptionalLong.of(retryAfterMs) : OptionalLong.empty();
    }

    String text() {
        @Nullable String message = getMessage();
        return message == null ? "" : message;
    }
}
