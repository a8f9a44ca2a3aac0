package dev.rollcall.http.server;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rollcall.gateway.UnavailableException;
import java.io.IOException;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.http.HttpException;
import org.jspecify.annotations.Nullable;

/** An error response: a status, an {@code errcode} in Matrix's manner, and a sentence. */
public final class ApiException extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private static final long RETRY_UNAVAILABLE_MS = 1_000;

    private final int status;
    private final String code;
    private final long retryAfterMs;

    /** Attributes of {@code WWW-Authenticate: Bearer} (RFC 6750, 3); null: another token would not help. */
    private final @Nullable String challenge;

    private ApiException(int status, String code, String message, long retryAfterMs) {
        this(status, code, message, retryAfterMs, null);
    }

    private ApiException(int status, String code, String message, long retryAfterMs, @Nullable String challenge) {
        super(message, null, false, false); // no stack trace: refusals are many, and expected
        this.status = status;
        this.code = code;
        this.retryAfterMs = retryAfterMs;
        this.challenge = challenge;
    }

    public static ApiException invalid(String message) {
        return new ApiException(400, "M_INVALID_PARAM", message, 0);
    }

    public static ApiException notJson(String message) {
        return new ApiException(400, "M_NOT_JSON", message, 0);
    }

    public static ApiException badJson(String message) {
        return new ApiException(400, "M_BAD_JSON", message, 0);
    }

    public static ApiException missingToken() {
        // Without an error: a request that shows no token has not failed with one.
        return new ApiException(401, "M_MISSING_TOKEN", "a bearer token is needed", 0, "realm=\"rollcall\"");
    }

    /**
     * For a token that is not valid, or not any more.
     *
     * @param why goes into a header too: printable ASCII without quotes and backslashes
     */
    public static ApiException unknownToken(String why) {
        return new ApiException(401, "M_UNKNOWN_TOKEN", why, 0, challenge("invalid_token", why));
    }

    /** For a request whose token is not where, or as often as, it must be. {@code why} as in {@link #unknownToken}. */
    static ApiException invalidAuthorization(String why) {
        return new ApiException(400, "M_INVALID_PARAM", why, 0, challenge("invalid_request", why));
    }

    /** For a valid token that does not allow this. {@code why} as in {@link #unknownToken}. */
    static ApiException insufficientToken(String why) {
        return new ApiException(403, "M_FORBIDDEN", why, 0, challenge("insufficient_scope", why));
    }

    private static String challenge(String error, String why) {
        return "realm=\"rollcall\", error=\"%s\", error_description=\"%s\"".formatted(error, why);
    }

    public static ApiException forbidden(String message) {
        return new ApiException(403, "M_FORBIDDEN", message, 0);
    }

    static ApiException noRoute() {
        return new ApiException(404, "M_UNRECOGNIZED", "there is nothing here", 0);
    }

    public static ApiException notFound(String message) {
        return new ApiException(404, "M_NOT_FOUND", message, 0);
    }

    public static ApiException misdirected(String message) {
        return new ApiException(421, "M_NOT_FOUND", message, 0);
    }

    static ApiException wrongMethod() {
        return new ApiException(405, "M_UNRECOGNIZED", "this method does not work here", 0);
    }

    /** For a body in an encoding that is not taken. */
    static ApiException encoded() {
        return new ApiException(415, "M_UNRECOGNIZED", "a body must have no Content-Encoding", 0);
    }

    static ApiException tooLarge(int maxBytes) {
        return new ApiException(413, "M_TOO_LARGE", "the body must be at most %d bytes".formatted(maxBytes), 0);
    }

    public static ApiException tooMany(String message, long retryAfterMs) {
        return new ApiException(429, "M_LIMIT_EXCEEDED", message, retryAfterMs);
    }

    public static ApiException unavailable(String message) {
        return new ApiException(503, "M_UNAVAILABLE", message, RETRY_UNAVAILABLE_MS);
    }

    /** For a request that Jetty itself refuses. */
    static ApiException ofStatus(int status) {
        return switch (status) {
            case 501, 505 -> ofStatus(400); // the request asks for another protocol
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

    /** The response to a failure. A status of 500 stands for a failure that is not expected, and has to be logged. */
    public static ApiException of(Throwable failure) {
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
        } else if (cause instanceof TimeoutException) {
            // This and the next come from reading the request; all else that is waited for fails as unavailable.
            return new ApiException(408, "M_UNKNOWN", "the request took too long to come to its end", 0);
        } else if (cause instanceof IOException) {
            return new ApiException(400, "M_UNKNOWN", "the request did not come to its end", 0);
        }
        return internal();
    }

    int status() {
        return status;
    }

    /** In ms; empty if the client gets no hint when to try again. */
    OptionalLong retryAfterMs() {
        return retryAfterMs > 0 ? OptionalLong.of(retryAfterMs) : OptionalLong.empty();
    }

    /** What goes after {@code Bearer} into {@code WWW-Authenticate}; empty if another token would not help. */
    Optional<String> challenge() {
        return Optional.ofNullable(challenge);
    }

    /** The body of the response. */
    public ObjectNode json() {
        ObjectNode body = Json.object().put("errcode", code).put("error", text());
        retryAfterMs().ifPresent(ms -> body.put("retry_after_ms", ms));
        return body;
    }

    String text() {
        @Nullable String message = getMessage();
        return message == null ? "" : message;
    }
}
