package dev.rollcall.http;

import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * One thing that can be asked for.
 *
 * @param path segments in braces stand for any one segment
 * @param access who may ask; what a caller may do there is up to the action
 */
record Route(String method, String path, Access access, Action action) {
    enum Access {
        ANYBODY,
        VALID_TOKEN
    }

    /** Answers a call. What it throws, or its stage fails with, is answered as {@link ApiException#of} says. */
    @FunctionalInterface
    interface Action {
        CompletionStage<Reply> answer(Call call);
    }

    /** Whether the path fits, segment by segment, as it came, still percent-encoded. */
    boolean fits(List<String> segments) {
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

    /** Where in the path the variable is. */
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
