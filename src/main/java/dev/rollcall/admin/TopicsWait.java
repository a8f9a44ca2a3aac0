package dev.rollcall.admin;

import dev.rollcall.contract.Principal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Waits for the brokers, and until topics exist; how they are set is not looked at, and none is created. A producer must not
 * ask for a topic before: by default brokers then create it, with settings of their own.
 */
public final class TopicsWait implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TopicsWait.class);
    private static final Duration TIMEOUT = Duration.ofSeconds(5);
    private static final Duration AGAIN_AFTER = Duration.ofMillis(500);

    private final Admin admin;
    private final String principal;
    private final List<String> topics;
    private final Consumer<List<String>> waitsFor;
    private final Runnable whenThere;
    private final Thread thread;
    private volatile boolean stopped;

    /**
     * Starts to wait.
     *
     * @param settings of Kafka's admin client; {@code bootstrap.servers} is required
     * @param kafka the settings of all Kafka clients, which name the principal
     * @param waitsFor is told what is missing, in words, each time that something is
     * @param whenThere called once, when all topics are there; must not throw
     */
    public TopicsWait(
            Map<String, Object> settings,
            Map<String, String> kafka,
            List<String> topics,
            Consumer<List<String>> waitsFor,
            Runnable whenThere) {
        this.admin = Admin.create(settings);
        this.principal = Principal.of(kafka);
        this.topics = topics;
        this.waitsFor = waitsFor;
        this.whenThere = whenThere;
        thread = new Thread(this::run, "topics-wait");
        thread.setDaemon(true);
        thread.start();
    }

    /** Stops waiting. Does not wait for {@code whenThere}, which may be under way. */
    @Override
    public void close() {
        stopped = true;
        thread.interrupt();
        admin.close(Duration.ZERO);
    }

    private void run() {
        List<String> before = List.of();
        try {
            for (List<String> missing = missing(); !stopped; missing = missing()) {
                if (missing.isEmpty()) {
                    if (!before.isEmpty()) {
                        LOG.info("waits no longer");
                    }
                    whenThere.run();
                    return;
                }
                waitsFor.accept(missing);
                if (!missing.equals(before)) {
                    LOG.warn("waits for {}", String.join(", ", missing));
                }
                before = missing;
                TimeUnit.MILLISECONDS.sleep(AGAIN_AFTER.toMillis());
            }
        } catch (InterruptedException e) {
            // it was closed
        } catch (Throwable e) {
            LOG.error("the wait for the topics has ended, and this instance will not serve", e);
            waitsFor.accept(List.of("a restart, since the wait for the topics has failed"));
        }
    }

    private List<String> missing() throws InterruptedException {
        List<String> missing = new ArrayList<>();
        Map<String, KafkaFuture<TopicDescription>> asked =
                admin.describeTopics(topics).topicNameValues();
        for (String topic : topics) {
            try {
                Objects.requireNonNull(asked.get(topic), topic).get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
            } catch (ExecutionException e) {
                if (e.getCause() instanceof AuthorizationException) {
                    return List.of(
                            "the right Describe on the topic %s, which %s lacks (\"rollcall acls --principal %s\" prints what is needed)"
                                    .formatted(topic, principal, principal));
                } else if (!(e.getCause() instanceof UnknownTopicOrPartitionException)) {
                    return List.of(
                            "the brokers, which do not describe the topic %s (%s)".formatted(topic, e.getMessage()));
                }
                missing.add("the topic %s, which does not exist".formatted(topic));
            } catch (TimeoutException e) {
                return List.of("the brokers, which do not answer");
            }
        }
        return missing;
    }
}
