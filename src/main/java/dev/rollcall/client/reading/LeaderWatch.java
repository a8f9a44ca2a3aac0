package dev.rollcall.client.reading;

import dev.rollcall.client.reading.TopicLookup.TopicInfo;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.jspecify.annotations.Nullable;

/**
 * Whether the brokers that lead a topic's partitions answer a consumer, by its own metrics: where nothing is written, fetches are
 * still answered twice a second. For one thread.
 */
public final class LeaderWatch {
    private static final long BETWEEN_LOOKS = Duration.ofSeconds(1).toNanos();
    private static final String NODE = "node-";

    private final Consumer<?, ?> consumer;
    private final LongSupplier nanoTime;
    private final Map<Integer, Answers> byLeader = new HashMap<>();
    private long ledAt;
    private boolean isLed = true;
    private long nextLook;

    private record Answers(double count, long at) {}

    public LeaderWatch(Consumer<?, ?> consumer, LongSupplier nanoTime) {
        this.consumer = consumer;
        this.nanoTime = nanoTime;
        ledAt = nanoTime.getAsLong();
        nextLook = ledAt;
    }

    /** Takes who leads the partitions now. */
    public void described(TopicInfo topic) {
        long now = nanoTime.getAsLong();
        byLeader.keySet().retainAll(topic.leaders());
        topic.leaders().forEach(leader -> byLeader.putIfAbsent(leader, new Answers(0, now)));
        isLed = topic.isLed();
    }

    /** For how long the one of them that has been silent longest has not answered, or a partition has had no leader, in ms. */
    public long stalledMs() {
        long now = nanoTime.getAsLong();
        if (now - nextLook >= 0) {
            nextLook = now + BETWEEN_LOOKS;
            look(now);
        }
        long oldest = byLeader.values().stream().mapToLong(Answers::at).min().orElse(now);
        return (now - Math.min(oldest, ledAt)) / 1_000_000;
    }

    private void look(long now) {
        ledAt = isLed ? now : ledAt;
        for (Map.Entry<MetricName, ? extends Metric> metric : consumer.metrics().entrySet()) {
            MetricName name = metric.getKey();
            @Nullable String node = name.tags().get("node-id");
            if (name.name().equals("response-total")
                    && node != null
                    && node.matches(NODE + "[0-9]{1,9}")
                    && metric.getValue().metricValue() instanceof Double count) {
                byLeader.computeIfPresent(
                        Integer.parseInt(node.substring(NODE.length())),
                        (leader, before) -> before.count() == count ? before : new Answers(count, now));
            }
        }
    }
}
