package dev.rollcall.client.reading;

import dev.rollcall.client.reading.TopicLookup.TopicInfo;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the brokers for the topic's description, again and again, and logs what is missing while there is none. For one
 * thread, except for {@link #waitsFor} and {@link #isMissing}.
 */
public final class TopicMonitor {
    private static final Logger LOG = LoggerFactory.getLogger(TopicMonitor.class);

    /** How long it takes at most to notice an added partition, or that the topic was created again. */
    public static final Duration INTERVAL = Duration.ofSeconds(5);

    private static final Duration RETRY_AFTER = Duration.ofSeconds(1);
    private static final Duration WARN_EVERY = Duration.ofSeconds(30);

    private final String topic;
    private final TopicLookup lookup;
    private final LongSupplier nanoTime;

    private @Nullable CompletableFuture<TopicInfo> request;
    private long nextRequest;
    private long nextWarning;
    private boolean current;
    private volatile @Nullable String waitsFor;
    private volatile boolean missing;

    public TopicMonitor(String topic, TopicLookup lookup, LongSupplier nanoTime) {
        this.topic = topic;
        this.lookup = lookup;
        this.nanoTime = nanoTime;
        this.nextRequest = nanoTime.getAsLong();
        this.nextWarning = nextRequest;
    }

    /**
     * Returns the brokers' answer once it is there; null: there is no new one, or the request failed and is repeated.
     *
     * @throws KafkaException if the request failed for a reason that does not pass, such as a missing permission
     */
    public @Nullable TopicInfo poll() {
        long now = nanoTime.getAsLong();
        if (request == null && now - nextRequest >= 0) {
            request = lookup.describe(topic).toCompletableFuture();
        }
        CompletableFuture<TopicInfo> answer = request;
        if (answer == null || !answer.isDone()) {
            return null;
        }
        request = null;
        try {
            TopicInfo info = answer.join();
            nextRequest = now + INTERVAL.toNanos();
            current = true;
            if (waitsFor != null) {
                LOG.info("Goes on, and waited for {}", waitsFor);
            }
            waitsFor = null;
            missing = false;
            return info;
        } catch (CompletionException e) {
            nextRequest = now + RETRY_AFTER.toNanos();
            current = false;
            waitsFor = reason(e.getCause() == null ? e : e.getCause());
            warn(now);
            return null;
        }
    }

    /** Discards earlier answers, and asks at once. */
    public void refresh() {
        request = null;
        nextRequest = nanoTime.getAsLong();
        current = false;
    }

    /** Whether the topic was described since the last {@link #refresh}. */
    public boolean isCurrent() {
        return current;
    }

    /** What is missing, to be read after "waits for"; null: nothing. Thread-safe. */
    public @Nullable String waitsFor() {
        return waitsFor;
    }

    /** Whether the brokers answered that there is no such topic. Thread-safe. */
    public boolean isMissing() {
        return missing;
    }

    /** Waits for an answer, or for the time of the next request. */
    public void await(Duration atMost) {
        CompletableFuture<TopicInfo> answer = request;
        try {
            if (answer == null) {
                TimeUnit.NANOSECONDS.sleep(Math.max(0, Math.min(atMost.toNanos(), nextRequest - nanoTime.getAsLong())));
            } else {
                answer.get(atMost.toNanos(), TimeUnit.NANOSECONDS);
            }
        } catch (InterruptedException e) {
            throw new InterruptException(e); // sets the thread's interrupt again
        } catch (ExecutionException | TimeoutException e) {
            LOG.debug("The topic was not described", e); // the next poll handles it
        }
    }

    private String reason(Throwable failure) {
        missing = failure instanceof UnknownTopicOrPartitionException || (missing && isNoAnswer(failure));
        if (failure instanceof UnknownTopicOrPartitionException) {
            return "the topic " + topic + ", which does not exist";
        }
        if (isNoAnswer(failure)) {
            return "the brokers, which cannot be asked about the topic " + topic + " (" + failure.getMessage() + ")";
        }
        if (failure instanceof KafkaException refused) {
            throw refused;
        }
        throw new KafkaException("cannot ask about the topic " + topic, failure);
    }

    private static boolean isNoAnswer(Throwable failure) {
        return failure instanceof RetriableException;
    }

    private void warn(long now) {
        if (now - nextWarning >= 0) {
            nextWarning = now + WARN_EVERY.toNanos();
            LOG.warn("Waits for {}", waitsFor);
        }
    }
}
