package dev.rollcall.admin;

import dev.rollcall.domain.Printable;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Checks the topics again and again while the processor runs. What would have been refused at the start ends it: to go on
 * would be to publish presence that the log does not give, and to refuse only readiness would not keep the processor from
 * that. While nobody processes, time stands still, and nothing that is wrong is published.
 */
public final class TopicWatch implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TopicWatch.class);

    private final TopicSetup topics;
    private final int partitions;
    private final Consumer<String> onRefused;
    private final ScheduledExecutorService executor;

    private boolean isUnanswered;

    /**
     * Begins, after the first pause.
     *
     * @param partitions how many each of the inputs has
     * @param onRefused is told once what must be mended
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
        var unused =
                executor.scheduleWithFixedDelay(this::run, pause.toMillis(), pause.toMillis(), TimeUnit.MILLISECONDS);
    }

    @Override
    public void close() {
        executor.shutdownNow();
    }

    /** A cluster that cannot be asked now is no finding. Nothing else may end the watch unnoticed either. */
    private void run() {
        try {
            look();
            isUnanswered = false;
        } catch (Throwable e) {
            if (!isUnanswered && !executor.isShutdown()) {
                LOG.warn("the topics cannot be checked; it is tried again: {}", Printable.of(e));
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
