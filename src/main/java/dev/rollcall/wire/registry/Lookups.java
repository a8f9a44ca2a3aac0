package dev.rollcall.wire.registry;

import dev.rollcall.wire.registry.SchemaRegistry.Answer;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.apache.kafka.common.errors.InterruptException;
import org.jspecify.annotations.Nullable;

/**
 * What a registry has answered about ids. It is asked for one once, however many values wait for it. A schema is remembered for
 * good, for an id never means another one; that there is none is remembered for a minute. Thread-safe.
 *
 * @param <T> what is made of an answer
 */
public final class Lookups<T> {
    /** More ids than any registry has for these topics; what is wrong with one more is forgotten first. */
    static final int MAX_IDS = 1_000;

    /** For so long an id is taken for unusable. */
    static final Duration UNUSABLE_FOR = Duration.ofMinutes(1);

    /** So long a registry that has not answered is left alone. */
    static final Duration RETRY_AFTER = Duration.ofSeconds(1);

    /** A registry has more time than the time-outs of its client take. */
    private static final Duration MAX_WAIT = Duration.ofSeconds(30);

    private final SchemaRegistry registry;
    private final Function<Answer, T> made;
    private final Predicate<T> isUsable;
    private final LongSupplier nanoTime;
    private final Map<Integer, Lookup> lookups = new ConcurrentHashMap<>();

    /** A question to the registry, and what was made of its answer once there is one; {@code askedAt} in ns. */
    private final class Lookup {
        private final CompletableFuture<T> answer = new CompletableFuture<>();
        private final long askedAt;

        Lookup(long askedAt) {
            this.askedAt = askedAt;
        }

        boolean isUsable() {
            T answered = answered();
            return answered != null && isUsable.test(answered);
        }

        @Nullable
        T answered() {
            return answer.isDone() && !answer.isCompletedExceptionally() ? answer.join() : null;
        }

        boolean isToBeAskedAgain(long now) {
            Duration age = answer.isCompletedExceptionally() ? RETRY_AFTER : UNUSABLE_FOR;
            return answer.isDone() && !isUsable() && now - askedAt >= age.toNanos();
        }
    }

    /** @param isUsable whether it is remembered for good */
    public Lookups(SchemaRegistry registry, Function<Answer, T> made, Predicate<T> isUsable, LongSupplier nanoTime) {
        this.registry = registry;
        this.made = made;
        this.isUsable = isUsable;
        this.nanoTime = nanoTime;
    }

    /** What is known without asking. */
    public void put(int id, T known) {
        Lookup answered = new Lookup(nanoTime.getAsLong());
        answered.answer.complete(known);
        lookups.put(id, answered);
    }

    /**
     * What an id waits for, in words; null: nothing, {@link #get} answers at once. Asks the registry if nobody does yet, and does
     * not wait for the answer.
     */
    public @Nullable String waitsFor(int id) {
        CompletableFuture<T> answer = lookup(id).answer;
        if (!answer.isDone()) {
            return "schema %d of the registry".formatted(id);
        }
        return answer.isCompletedExceptionally()
                ? "schema %d of the registry (%s)".formatted(id, reason(answer))
                : null;
    }

    /**
     * What there is to know of an id, after the registry has answered.
     *
     * @throws RegistryUnavailableException if it does not
     */
    public T get(int id) {
        return await(lookup(id).answer, "schema %d of the registry is not known".formatted(id));
    }

    private Lookup lookup(int id) {
        long now = nanoTime.getAsLong();
        Lookup known = lookups.get(id);
        if (known != null && !known.isToBeAskedAgain(now)) {
            return known;
        }
        Lookup asked = new Lookup(now);
        boolean isOurs = known == null ? lookups.putIfAbsent(id, asked) == null : lookups.replace(id, known, asked);
        if (!isOurs) {
            return lookup(id); // another thread asks
        }
        makeRoom(asked);
        T before = known == null ? null : known.answered();
        var unused = registry.schema(id).thenApply(made).whenComplete((answered, failure) -> {
            if (failure == null) {
                asked.answer.complete(answered);
            } else if (before != null) {
                asked.answer.complete(before); // what was decided already waits for nobody
            } else {
                asked.answer.completeExceptionally(failure);
            }
        });
        return asked;
    }

    /** Ids are whatever somebody writes: without a bound they would fill the memory. */
    private void makeRoom(Lookup but) {
        if (lookups.size() > MAX_IDS) {
            lookups.values().removeIf(lookup -> lookup != but && lookup.answer.isDone() && !lookup.isUsable());
        }
        if (lookups.size() > MAX_IDS) {
            lookups.values().removeIf(lookup -> lookup != but && lookup.answer.isDone());
        }
    }

    /**
     * Waits for an answer, at most 30 s.
     *
     * @param failed what is the matter if there is none: the beginning of the message
     * @throws RegistryUnavailableException if there is none
     * @throws RuntimeException the one that the answer has failed with, if it is one: then it is the registry's answer
     */
    public static <A> A await(CompletableFuture<A> answer, String failed) {
        try {
            return answer.get(MAX_WAIT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new RegistryUnavailableException(failed + ": no answer", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException refused) {
                throw refused;
            }
            throw new RegistryUnavailableException(failed + ": " + reason(answer), e.getCause());
        } catch (InterruptedException e) {
            throw new InterruptException(e); // sets the thread's interrupt again
        }
    }

    private static String reason(CompletableFuture<?> failed) {
        try {
            failed.join();
            return "";
        } catch (RuntimeException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            return String.valueOf(cause.getMessage() == null ? cause : cause.getMessage());
        }
    }
}
