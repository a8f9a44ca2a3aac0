package dev.rollcall.admin;

import dev.rollcall.text.Printable;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Checks the topics periodically while the processor runs, and reports what would have been refused at the start. The processor
 * must then end, because it could publish wrong presence; being "not ready" would not stop it. While no processor runs, time
 * stands still, and nothing wrong is published.
 */
public final class TopicWatch implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TopicWatch.class);

    /** When Kafka Streams has created the changelogs, so that it is stored early what they have. */
    private static final Duration FIRST = Duration.ofSeconds(5);

    private final TopicSetup topics;
    private final int partitions;
    private final Consumer<String> onRefused;
    private final ScheduledExecutorService executor;

    private boolean isUnanswered;

    /**
     * Starts the checks, the first one after a few seconds.
     *
     * @param partitions the number of partitions of each input
     * @param onRefused called once, with what is wrong
     */
    public TopicWatch(TopicSetup topics, int partitions, Duration pause, Consumer<String> onRefused) {
        this.topics = topics;
        this.partitions = partitions;
        this.onRefused = onRefused;
        executor = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "topic-watch");
            thread.setDaemon(true);
            return thread;
        });
        long first = Math.min(pause.toMillis(), FIRST.toMillis());
        var unused = executor.scheduleWithFixedDelay(this::run, first, pause.toMillis(), TimeUnit.MILLISECONDS);
    }

    @Override
    public void close() {
        executor.shutdownNow();
    }

    /** An unreachable cluster is no finding, and no failure may end the checks silently. */
    private void run() {
        try {
            look();
            isUnanswered = false;
        } catch (Throwable e) {
            if (!isUnanswered && !executor.isShutdown()) {
                LOG.warn("cannot check the topics, will try again: {}", Printable.of(e));
            }
            isUnanswered = true;
        }
    }

    private void look() {
        String refused = topics.check(partitions);
        if (!refused.isEmpty()) {
            LOG.error("the processor cannot go on: {}", Printable.lines(refused));
            executor.shutdown();
            onRefused.accept(refused);
        }
    }
}
