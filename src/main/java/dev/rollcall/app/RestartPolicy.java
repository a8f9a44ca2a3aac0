package dev.rollcall.app;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import java.util.stream.Stream;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidTimestampException;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.errors.UnsupportedCompressionTypeException;
import org.apache.kafka.streams.KafkaStreams.State;

/**
 * Which failures of a thread of the processor a new thread may get over, and whether the new ones do.
 *
 * <p>Brokers fail and come back, so most of what they answer passes (KIP-671 leaves that choice to the application). A new
 * thread starts from what was committed, so nothing is lost or said twice by it. What is wrong with a record, the topics,
 * the rights or this program stays wrong: the process ends, and says so. Thread-safe.
 */
final class RestartPolicy {
    /** A broker that keeps answering so is not about to get better. */
    static final int RESTARTS = 5;

    static final Duration WITHIN = Duration.ofMinutes(10);

    /** So long nothing has to fail until the processor counts as recovered. */
    static final Duration RECOVERY = Duration.ofSeconds(10);

    private static final long NEVER = Long.MIN_VALUE;

    /**
     * When the failing thread and those that it stands in for failed, in ms. Kafka Streams makes the new thread in the one
     * that ends, so it inherits this; a thread that began with the process has a history of its own.
     */
    @SuppressWarnings("ThreadLocalUsage") // one policy per process, and tests need some more
    private final InheritableThreadLocal<Deque<Long>> failures = new InheritableThreadLocal<>() {
        @Override
        protected Deque<Long> initialValue() {
            return new ArrayDeque<>();
        }
    };

    private long lastFailure = NEVER;
    private long runningSince = NEVER;

    /** What to do after a failure, and why. */
    enum Verdict {
        /** Go on with a new thread. */
        RESTART("a new thread goes on from what was committed"),
        /** It would fail in the same way. */
        WOULD_FAIL_AGAIN("a new thread would fail in the same way"),
        /** Each new thread has failed before. */
        KEEPS_FAILING("%d new threads within %d minutes have not helped".formatted(RESTARTS, WITHIN.toMinutes()));

        private final String reason;

        Verdict(String reason) {
            this.reason = reason;
        }

        /** A clause for the log. */
        String reason() {
            return reason;
        }
    }

    /**
     * What to do, and counts it. To be called by the thread that failed.
     *
     * @param nowMs on any clock that does not go back
     */
    synchronized Verdict judge(Throwable failure, long nowMs) {
        lastFailure = nowMs;
        Deque<Long> before = failures.get();
        while (!before.isEmpty() && nowMs - before.peek() > WITHIN.toMillis()) {
            before.remove();
        }
        if (!mayPass(failure)) {
            return Verdict.WOULD_FAIL_AGAIN;
        }
        if (before.size() == RESTARTS) {
            return Verdict.KEEPS_FAILING;
        }
        before.add(nowMs);
        return Verdict.RESTART;
    }

    /** The processor as a whole is in that state from now on. */
    synchronized void changed(State state, long nowMs) {
        if (hasRecovered(nowMs)) {
            lastFailure = NEVER; // a rebalance that follows is an ordinary one
        }
        runningSince = state == State.RUNNING ? nowMs : NEVER;
    }

    /** Whether no thread has failed of late, or all have been running for a while since. */
    synchronized boolean hasRecovered(long nowMs) {
        return lastFailure == NEVER
                || (runningSince != NEVER && nowMs - Math.max(lastFailure, runningSince) >= RECOVERY.toMillis());
    }

    private static boolean mayPass(Throwable failure) {
        return causes(failure).anyMatch(ApiException.class::isInstance)
                && causes(failure).noneMatch(RestartPolicy::isWrongForGood);
    }

    /** Settings, rights and versions (KIP-1050 gathers them in one class), or a record that no broker takes or gives. */
    private static boolean isWrongForGood(Throwable cause) {
        return cause instanceof InvalidConfigurationException
                || cause instanceof PolicyViolationException
                || cause instanceof RecordTooLargeException
                || cause instanceof InvalidTimestampException
                || cause instanceof InvalidRecordException
                || cause instanceof UnsupportedCompressionTypeException
                || cause instanceof SerializationException
                || cause instanceof Error;
    }

    private static Stream<Throwable> causes(Throwable failure) {
        return Stream.iterate(failure, Objects::nonNull, Throwable::getCause);
    }
}
