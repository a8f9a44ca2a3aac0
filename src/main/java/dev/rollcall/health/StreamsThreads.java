package dev.rollcall.health;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.streams.ThreadMetadata;
import org.jspecify.annotations.Nullable;

/** The threads of Kafka Streams, by its own metrics. */
public final class StreamsThreads implements Threads {
    private static final String CONSUMER = "-consumer";

    private final Supplier<Map<MetricName, ? extends Metric>> metrics;
    private final Supplier<Set<ThreadMetadata>> threads;

    /** As {@code KafkaStreams} has them. */
    public StreamsThreads(Supplier<Map<MetricName, ? extends Metric>> metrics, Supplier<Set<ThreadMetadata>> threads) {
        this.metrics = metrics;
        this.threads = threads;
    }

    @Override
    public List<Observed> observe() {
        Map<String, Double> commits = new HashMap<>();
        Map<String, Double> polls = new HashMap<>();
        for (Map.Entry<MetricName, ? extends Metric> metric : metrics.get().entrySet()) {
            MetricName name = metric.getKey();
            if (name.name().equals("commit-total") && name.group().equals("stream-thread-metrics")) {
                put(commits, name.tags().get("thread-id"), metric.getValue());
            } else if (name.name().equals("last-poll-seconds-ago")) {
                @Nullable String client = name.tags().get("client-id");
                if (client != null && client.endsWith(CONSUMER) && !client.endsWith("-restore" + CONSUMER)) {
                    put(polls, client.substring(0, client.length() - CONSUMER.length()), metric.getValue());
                }
            }
        }
        List<Observed> all = new ArrayList<>();
        for (ThreadMetadata thread : threads.get()) {
            String name = thread.threadName();
            double pollAge = polls.getOrDefault(name, 0.0);
            all.add(new Observed(
                    name,
                    !thread.activeTasks().isEmpty(),
                    commits.getOrDefault(name, 0.0),
                    pollAge > 0 ? (long) (pollAge * 1_000) : 0));
        }
        return all;
    }

    private static void put(Map<String, Double> values, @Nullable String name, Metric metric) {
        if (name != null && metric.metricValue() instanceof Double value) {
            values.put(name, value);
        }
    }
}
