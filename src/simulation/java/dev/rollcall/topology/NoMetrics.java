package dev.rollcall.topology;

import java.util.Map;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.metrics.Sensor;
import org.apache.kafka.streams.StreamsMetrics;

/** Metrics that record nothing: their sensors are of a level that is not recorded. */
final class NoMetrics implements StreamsMetrics {
    private final Sensor sensor = new Metrics().sensor("unrecorded", Sensor.RecordingLevel.TRACE);

    @Override
    public Map<MetricName, ? extends Metric> metrics() {
        return Map.of();
    }

    @Override
    public Sensor addLatencyRateTotalSensor(
            String scope, String entity, String operation, Sensor.RecordingLevel level, String... tags) {
        return sensor;
    }

    @Override
    public Sensor addRateTotalSensor(
            String scope, String entity, String operation, Sensor.RecordingLevel level, String... tags) {
        return sensor;
    }

    @Override
    public Sensor addSensor(String name, Sensor.RecordingLevel level) {
        return sensor;
    }

    @Override
    public Sensor addSensor(String name, Sensor.RecordingLevel level, Sensor... parents) {
        return sensor;
    }

    @Override
    public void removeSensor(Sensor unused) {}
}
