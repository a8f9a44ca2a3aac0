package dev.rollcall.topology;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Notices where the brokers' stamps step back on a partition: a new leader has another clock, or a clock was set right. What
 * follows is handled (rule 7), but durations and {@code since} are only as good as the clocks, so somebody has to know.
 */
final class OutOfOrderStamps {
    private final ProcessorMetrics metrics;
    private final Map<String, Last> byTopic = new HashMap<>();
    private @Nullable Last last;

    OutOfOrderStamps(ProcessorMetrics metrics) {
        this.metrics = metrics;
    }

    /** Takes the next record of a topic, and counts it if its stamp is before that of the one before. */
    void observe(InputRecord input) {
        Last previous = last;
        if (previous == null || !previous.topic.equals(input.topic())) { // mostly the very same string
            previous = byTopic.computeIfAbsent(input.topic(), topic -> new Last(topic, input.stamp()));
            last = previous;
        }
        if (input.stamp() < previous.stamp) {
            metrics.steppedBack(previous.stamp - input.stamp(), input);
        }
        previous.stamp = input.stamp();
    }

    private static final class Last {
        private final String topic;
        private long stamp;

        private Last(String topic, long stamp) {
            this.topic = topic;
            this.stamp = stamp;
        }
    }
}
