package dev.rollcall.matrix.polls;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Whose access token is whose, by the tokens' hashes, and who waits until that is known. The homeserver is asked once for all who
 * wait. What is known is asked again after five minutes; if the homeserver does not answer then, it holds for up to an hour: that
 * the homeserver is slow says nothing of its users. Tokens that are nobody's are kept apart, so that they take no room of the
 * others. Not thread-safe.
 *
 * @param <W> who waits
 */
public final class KnownTokens<W> {
    static final long KNOWN_MS = 300_000;
    static final long REFUSED_MS = 60_000;

    /** From when a token was confirmed; and how long it then takes until it is asked again, while there is no answer. */
    static final long UNCONFIRMED_MS = 3_600_000;

    static final long ASK_AGAIN_MS = 10_000;

    /** Some 40 MB. */
    static final int MAX_KNOWN = 100_000;

    static final int MAX_REFUSED = 10_000;
    static final int MAX_WAITING = 10_000;

    /** What is known of a token. */
    public sealed interface Answer {
        /** It is this device's. */
        record Of(MatrixDevice device) implements Answer {}

        /** It is nobody's. */
        record Nobody() implements Answer {}

        /** The homeserver has to be asked, or has not answered. */
        record Unknown() implements Answer {}
    }

    /** An answer, and who has waited for it. */
    public record Resolved<W>(Answer answer, List<W> waiting) {}

    private record Known(MatrixDevice device, long confirmedAt, long askAt) {}

    private final Map<String, Known> known = bounded(MAX_KNOWN);
    private final Map<String, Long> refused = bounded(MAX_REFUSED);
    private final Map<String, List<W>> waiting = new HashMap<>();
    private int waiters;

    /** What is known of it now. */
    public Answer find(String hash, long now) {
        Known found = known.get(hash);
        if (found != null && now < found.askAt) {
            return new Answer.Of(found.device);
        }
        Long until = refused.get(hash);
        return until != null && now < until ? new Answer.Nobody() : new Answer.Unknown();
    }

    /** Whether the homeserver is being asked for it. */
    public boolean isAsked(String hash) {
        return waiting.containsKey(hash);
    }

    /** Somebody waits for the answer. Returns false if too many do. */
    public boolean await(String hash, W waiter) {
        if (waiters >= MAX_WAITING) {
            return false;
        }
        waiters++;
        waiting.computeIfAbsent(hash, first -> new ArrayList<>()).add(waiter);
        return true;
    }

    /**
     * The homeserver has been asked.
     *
     * @param answer {@link Answer.Unknown}: it has not answered
     */
    public Resolved<W> answered(String hash, Answer answer, long now) {
        List<W> all = Optional.ofNullable(waiting.remove(hash)).orElse(List.of());
        waiters -= all.size();
        if (answer instanceof Answer.Of of) {
            known.put(hash, new Known(of.device(), now, now + KNOWN_MS));
            return new Resolved<>(answer, all);
        } else if (answer instanceof Answer.Nobody) {
            known.remove(hash);
            refused.put(hash, now + REFUSED_MS);
            return new Resolved<>(answer, all);
        }
        Known before = known.get(hash);
        if (before == null || now - before.confirmedAt >= UNCONFIRMED_MS) {
            return new Resolved<>(answer, all);
        }
        known.put(hash, new Known(before.device, before.confirmedAt, now + ASK_AGAIN_MS));
        return new Resolved<>(new Answer.Of(before.device), all);
    }

    /** The homeserver has refused it by now. */
    public void evict(String hash) {
        known.remove(hash);
    }

    /** How many are known. */
    public int size() {
        return known.size();
    }

    private static <V> Map<String, V> bounded(int most) {
        return new LinkedHashMap<>(16, 0.75f, true) {
            private static final long serialVersionUID = 1L;

            @Override
            protected boolean removeEldestEntry(Map.@Nullable Entry<String, V> eldest) {
                return size() > most;
            }
        };
    }
}
