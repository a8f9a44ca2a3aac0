package dev.rollcall.http.server;

import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * One method of one path.
 *
 * @param path a segment in braces, as in {@code /users/{user_id}}, matches any segment
 * @param access who gets to the action, which then checks what the caller may do
 */
public record Route(String method, String path, Access access, Action action) {
    /** Who may call. */
    public enum Access {
        PUBLIC,
        VALID_TOKEN
    }

    /** Answers a call. What it throws, or what its stage fails with, goes through {@link ApiException#of}. */
    @FunctionalInterface
    public interface Action {
        CompletionStage<Reply> answer(Call call);
    }

    /** Whether the path of a request matches. Its segments are still percent-encoded. */
    boolean matches(List<String> segments) {
        List<String> own = segments(path);
        if (own.size() != segments.size()) {
            return false;
        }
        for (int i = 0; i < own.size(); i++) {
            if (!isVariable(own.get(i)) && !own.get(i).equals(segments.get(i))) {
                return false;
            }
        }
        return true;
    }

    /** Whether this is for probes and for Prometheus, and served on {@code http.health.port} too. */
    boolean isOfHealth() {
        return path.startsWith("/health/") || path.equals("/metrics");
    }

    /** The index of the segment with this variable. */
    int indexOf(String variable) {
        return segments(path).indexOf("{" + variable + "}");
    }

    static List<String> segments(String path) {
        return List.of(path.substring(1).split("/", -1));
    }

    private static boolean isVariable(String segment) {
        return segment.startsWith("{");
    }
}
