package dev.rollcall.wire;

import dev.rollcall.wire.registry.SchemaRegistry;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** A registry in memory, which can be away. */
public final class FakeRegistry implements SchemaRegistry {
    private final Map<Integer, Answer> schemas = new HashMap<>();
    private final Map<String, Integer> ids = new HashMap<>();
    private @Nullable Exception away;
    private boolean isSlow;

    /** Questions that were not answered when they were asked. */
    private final List<Runnable> open = new ArrayList<>();

    /** The ids that were asked for, in order. */
    public final List<Integer> asked = new ArrayList<>();

    public FakeRegistry with(int id, String schema) {
        return with(id, new Found(schema));
    }

    public FakeRegistry with(int id, Answer answer) {
        schemas.put(id, answer);
        return this;
    }

    public void goAway(String why) {
        away = new java.io.IOException(why);
    }

    public void comeBack() {
        away = null;
    }

    /** From now on nothing is answered before {@link #answerAll}. */
    public void beSlow() {
        isSlow = true;
    }

    public void answerAll() {
        isSlow = false;
        List<Runnable> all = List.copyOf(open);
        open.clear();
        all.forEach(Runnable::run);
    }

    @Override
    public CompletableFuture<Answer> schema(int id) {
        asked.add(id);
        CompletableFuture<Answer> answer = new CompletableFuture<>();
        Runnable answering = () -> {
            if (away == null) {
                answer.complete(schemas.getOrDefault(id, new Unusable("is not in the registry")));
            } else {
                answer.completeExceptionally(away);
            }
        };
        if (isSlow) {
            open.add(answering);
        } else {
            answering.run();
        }
        return answer;
    }

    @Override
    public CompletableFuture<Integer> id(String subject, String schema) {
        if (away != null) {
            return CompletableFuture.failedFuture(away);
        }
        int id = ids.computeIfAbsent(subject, any -> 101 + ids.size());
        schemas.put(id, new Found(schema));
        return CompletableFuture.completedFuture(id);
    }

    public int idOf(String subject) {
        return ids.getOrDefault(subject, -1);
    }
}
