package dev.rollcall.app;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import java.util.stream.Stream;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;

/**
 * Which failures of the processor's thread a new thread may get over: what a broker answered, since brokers fail and come
 * back (KIP-671 leaves that choice to the application). A new thread starts from what was committed, so nothing is lost
 * or said twice by it. What is wrong with the data, the topics, the rights or this program stays wrong: the process ends,
 * and says so.
 */
final class RestartPolicy {
    /** A broker that keeps answering so is not about to get better. */
    static final int RESTARTS = 5;

    static final Duration WITHIN = Duration.ofMinutes(10);

    private final Deque<Long> restarts = new ArrayDeque<>();

    /**
     * Whether to go on with a new thread; counts it if so.
     *
     * @param nowMs on any clock that does not go back
     */
    synchronized boolean allows(Throwable failure, long nowMs) {
        while (!restarts.isEmpty() && nowMs - restarts.peek() > WITHIN.toMillis()) {
            restarts.remove();
        }
        if (!isAnswerOfBroker(failure) || restarts.size() == RESTARTS) {
            return false;
        }
        restarts.add(nowMs);
        return true;
    }

    private static boolean isAnswerOfBroker(Throwable failure) {
        return Stream.iterate(failure, Objects::nonNull, Throwable::getCause)
                .anyMatch(cause -> cause instanceof ApiException
                        && !(cause instanceof AuthenticationException)
                        && !(cause instanceof AuthorizationException));
    }
}
