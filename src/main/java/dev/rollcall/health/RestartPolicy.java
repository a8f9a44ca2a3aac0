package dev.rollcall.health;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import java.util.stream.Stream;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.InconsistentGroupProtocolException;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidTimestampException;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.errors.UnsupportedCompressionTypeException;
import org.apache.kafka.streams.KafkaStreams.State;

/**
 * Decides whether a stream thread that failed is replaced (KIP-671 leaves that to the application).
 *
 * <p>Most errors of brokers pass, and a new thread starts from the last commit, so nothing is lost or published twice. An error
 * of a record, the topics, the access rights or this program would come again: then the process ends. So it does if new threads
 * keep failing. Thread-safe.
 */
public final class RestartPolicy {
    /** At most so many replacements within {@link #WITHIN}; more would not help either. */
    static final int RESTARTS = 5;

    static final Duration WITHIN = Duration.ofMinutes(10);

    /** The processor counts as recovered after so long without a failure. */
    static final Duration RECOVERY = Duration.ofSeconds(10);

    private static final long NEVER = Long.MIN_VALUE;

    /**
     * The times of the failures of this thread and of those that it replaced, in ms. The failing thread creates its
     * replacement, which so inherits this; each of the first threads has a history of its own.
     */
    @SuppressWarnings("ThreadLocalUsage") // not static: tests create several policies
    private final InheritableThreadLocal<Deque<Long>> failures = new InheritableThreadLocal<>() {
        @Override
        protected Deque<Long> initialValue() {
            return new ArrayDeque<>();
        }
    };

    private long lastFailure = NEVER;
    private double total;
    private long runningSince = NEVER;

    /** What to do after a failure. */
    public enum Verdict {
        /** Replace the thread. */
        RESTART("a new thread goes on from what was committed"),
        /** End: a new thread would fail in the same way. */
        WOULD_FAIL_AGAIN("a new thread would fail in the same way"),
        /** End: the threads before failed too. */
        KEEPS_FAILING("%d new threads within %d minutes have not helped".formatted(RESTARTS, WITHIN.toMinutes()));

        private final String reason;

        Verdict(String reason) {
            this.reason = reason;
        }

        /** A clause for the log. */
        public String reason() {
            return reason;
        }
    }

    /**
     * Decides, and counts the failure. The failing thread must call this.
     *
     * @param nowMs of a monotonic clock, in ms
     */
    public synchronized Verdict judge(Throwable failure, long nowMs) {
        lastFailure = nowMs;
        total++;
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

    /** How many failures there were. */
    public synchronized double failures() {
        return total;
    }

    /** Notes a new state of the whole processor. */
    public synchronized void changed(State state, long nowMs) {
        if (hasRecovered(nowMs)) {
            lastFailure = NEVER; // a rebalance from now on has nothing to do with it
        }
        runningSince = state == State.RUNNING ? nowMs : NEVER;
    }

    /** Whether no thread has failed, or all have been running for {@link #RECOVERY} since. */
    public synchronized boolean hasRecovered(long nowMs) {
        return lastFailure == NEVER
                || (runningSince != NEVER && nowMs - Math.max(lastFailure, runningSince) >= RECOVERY.toMillis());
    }

    private static boolean mayPass(Throwable failure) {
        return causes(failure).anyMatch(ApiException.class::isInstance)
                && causes(failure).noneMatch(RestartPolicy::isWrongForGood);
    }

    /** An error of settings, rights or versions (one class since KIP-1050), or a record that brokers or clients refuse. */
    private static boolean isWrongForGood(Throwable cause) {
        return cause instanceof InvalidConfigurationException
                || cause instanceof PolicyViolationException
                || cause instanceof RecordTooLargeException
                || cause instanceof InvalidTimestampException
                || cause instanceof InconsistentGroupProtocolException
                || cause instanceof GroupIdNotFoundException // the streams protocol's word for it
                || cause instanceof InvalidRecordException
                || cause instanceof UnsupportedCompressionTypeException
                || cause instanceof SerializationException
                || cause instanceof Error;
    }

    private static Stream<Throwable> causes(Throwable failure) {
        return Stream.iterate(failure, Objects::nonNull, Throwable::getCause);
    }
}
