package dev.rollcall.client;

import dev.rollcall.client.TopicLookup.TopicInfo;
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
 * Asks again and again what the topic is, and says in the log what is waited for while it cannot be read. For one
 * thread, but for {@link #waitsFor}.
 */
final class TopicWatch {
    private static final Logger LOG = LoggerFactory.getLogger(TopicWatch.class);

    /** So late at most a partition that was added is noticed, or that the topic is another one. */
    static final Duration ASK_EVERY = Duration.ofSeconds(5);

    static final Duration ASK_AGAIN = Duration.ofSeconds(1);
    static final Duration WARN_EVERY = Duration.ofSeconds(30);

    private final String topic;
    private final TopicLookup lookup;
    private final LongSupplier nanoTime;

    private @Nullable CompletableFuture<TopicInfo> asked;
    private long nextAsk;
    private long nextWarning;
    private boolean current;
    private volatile @Nullable String waitsFor;
    private volatile boolean missing;

    TopicWatch(String topic, TopicLookup lookup, LongSupplier nanoTime) {
        this.topic = topic;
        this.lookup = lookup;
        this.nanoTime = nanoTime;
        this.nextAsk = nanoTime.getAsLong();
        this.nextWarning = nextAsk;
    }

    /**
     * The brokers' answer, if there is a new one; null: there is none yet, or it is that there is no such topic.
     *
     * @throws KafkaException if this reader is refused, so that waiting would be of no use
     */
    @Nullable
    TopicInfo look() {
        long now = nanoTime.getAsLong();
        if (asked == null && now - nextAsk >= 0) {
            asked = lookup.ask(topic).toCompletableFuture();
        }
        CompletableFuture<TopicInfo> answer = asked;
        if (answer == null || !answer.isDone()) {
            return null;
        }
        asked = null;
        try {
            TopicInfo info = answer.join();
            nextAsk = now + ASK_EVERY.toNanos();
            current = true;
            if (waitsFor != null) {
                LOG.info("Found what was waited for: {}", waitsFor);
            }
            waitsFor = null;
            missing = false;
            return info;
        } catch (CompletionException e) {
            nextAsk = now + ASK_AGAIN.toNanos();
            current = false;
            waitsFor = reason(e.getCause() == null ? e : e.getCause());
            warn(now);
            return null;
        }
    }

    /** What was answered before does not count any more. */
    void askAnew() {
        asked = null;
        nextAsk = nanoTime.getAsLong();
        current = false;
    }

    /** Whether the brokers have answered since the last {@link #askAnew}, and the topic was there. */
    boolean isCurrent() {
        return current;
    }

    /** What is waited for, to be read after "waits for"; null: nothing. From any thread. */
    @Nullable
    String waitsFor() {
        return waitsFor;
    }

    /** Whether the brokers have said that there is no such topic. From any thread. */
    boolean isMissing() {
        return missing;
    }

    /** Waits for an answer, this long at most. */
    void await(Duration atMost) {
        CompletableFuture<TopicInfo> answer = asked;
        try {
            if (answer == null) {
                TimeUnit.NANOSECONDS.sleep(Math.max(0, Math.min(atMost.toNanos(), nextAsk - nanoTime.getAsLong())));
            } else {
                answer.get(atMost.toNanos(), TimeUnit.NANOSECONDS);
            }
        } catch (InterruptedException e) {
            throw new InterruptException(e); // sets the thread's interrupt again
        } catch (ExecutionException | TimeoutException e) {
            LOG.debug("no answer to read", e); // the next look deals with it
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
