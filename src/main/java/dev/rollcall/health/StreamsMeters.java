package dev.rollcall.health;

import dev.rollcall.metrics.Meters;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;

/** Shows a chosen few of Kafka Streams' own metrics. */
public final class StreamsMeters {
    /** Of Kafka Streams' own, what tells where a thread's time goes. */
    private static final List<String> THREAD_RATIOS =
            List.of("poll-ratio", "process-ratio", "punctuate-ratio", "commit-ratio");

    private StreamsMeters() {}

    public static void show(Meters meters, Supplier<Map<MetricName, ? extends Metric>> streams) {
        meters.count(
                "rollcall.producer.errors",
                "Records that the processor's producers could not write",
                () -> streams.get().values().stream()
                        .filter(metric -> metric.metricName().name().equals("record-error-total")
                                && metric.metricName().group().equals("producer-metrics"))
                        .mapToDouble(StreamsMeters::value)
                        .sum());
        meters.rows(
                "rollcall.streams.thread.time.ratio",
                "The share of a thread's time, by what it does",
                "",
                List.of("thread", "activity"),
                () -> threadTimes(streams));
        meters.rows(
                "rollcall.streams.input.lag",
                "Records that wait in a partition of an input",
                "",
                List.of("topic", "partition"),
                () -> inputLags(streams));
    }

    private static Map<List<String>, Double> threadTimes(Supplier<Map<MetricName, ? extends Metric>> streams) {
        Map<List<String>, Double> rows = new HashMap<>();
        streams.get().forEach((name, metric) -> {
            if (name.group().equals("stream-thread-metrics") && THREAD_RATIOS.contains(name.name())) {
                String thread = tag(name, "thread-id").replaceFirst(".*StreamThread-", "");
                rows.put(List.of(thread, name.name().replace("-ratio", "")), value(metric));
            }
        });
        return rows;
    }

    private static Map<List<String>, Double> inputLags(Supplier<Map<MetricName, ? extends Metric>> streams) {
        Map<List<String>, Double> rows = new HashMap<>();
        streams.get().forEach((name, metric) -> {
            if (name.name().equals("records-lag") && !tag(name, "client-id").contains("restore")) {
                rows.put(List.of(tag(name, "topic"), tag(name, "partition")), value(metric));
            }
        });
        return rows;
    }

    private static String tag(MetricName name, String key) {
        return name.tags().getOrDefault(key, "");
    }

    private static double value(Metric metric) {
        return metric.metricValue() instanceof Number number && !Double.isNaN(number.doubleValue())
                ? number.doubleValue()
                : 0;
    }
}
