package dev.rollcall.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * The metrics of one process. Names are Micrometer's (dots; Prometheus gets underscores, units and {@code _total}); the keys of
 * tags are single words in lower case, and their values too where they are ours. Thread-safe.
 */
public final class Meters {
    /** Of the text that Prometheus reads. */
    public static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

    private final MeterRegistry registry;
    private final List<Runnable> beforeReading = new CopyOnWriteArrayList<>();
    private final List<Supplier<Double>> kept = new CopyOnWriteArrayList<>();

    private Meters(MeterRegistry registry) {
        this.registry = registry;
    }

    /** With those of the JVM. {@code version}: of this program. */
    public static Meters ofThisProcess(String version) {
        Meters meters = new Meters(new PrometheusMeterRegistry(PrometheusConfig.DEFAULT));
        new JvmMemoryMetrics().bindTo(meters.registry);
        new JvmThreadMetrics().bindTo(meters.registry);
        new ProcessorMetrics().bindTo(meters.registry);
        new UptimeMetrics().bindTo(meters.registry);
        meters.gauge("rollcall.build.info", "1, for its tags", "", () -> 1, "version", version);
        return meters;
    }

    /** Keeps nothing. */
    public static Meters none() {
        return new Meters(new CompositeMeterRegistry());
    }

    /** Something that only grows. */
    @FunctionalInterface
    public interface Count {
        void add(long amount);
    }

    /** How long things took. */
    @FunctionalInterface
    public interface Durations {
        void record(long amount, TimeUnit unit);
    }

    /** From zero. {@code tags}: keys and values, in turn. */
    public Count count(String name, String description, String... tags) {
        Counter counter =
                Counter.builder(name).description(description).tags(tags).register(registry);
        return counter::increment;
    }

    /** Of something that counts itself. */
    public void count(String name, String description, Supplier<Double> total, String... tags) {
        kept.add(total); // the registry keeps it weakly
        FunctionCounter.builder(name, total, Supplier::get)
                .description(description)
                .tags(tags)
                .register(registry);
    }

    /** {@code unit}: as {@code seconds}; empty: it is a number of things. */
    public void gauge(String name, String description, String unit, Supplier<Number> value, String... tags) {
        Gauge.builder(name, value)
                .description(description)
                .baseUnit(unit.isEmpty() ? null : unit)
                .tags(tags)
                .register(registry);
    }

    /** A histogram with these upper bounds. */
    public Durations durations(String name, String description, List<Duration> buckets, String... tags) {
        Timer timer = Timer.builder(name)
                .description(description)
                .serviceLevelObjectives(buckets.toArray(Duration[]::new))
                .tags(tags)
                .register(registry);
        return timer::record;
    }

    /** Gauges whose tags' values come and go. {@code rows}: by the values, in the order of the keys. */
    public void rows(
            String name,
            String description,
            String unit,
            List<String> keys,
            Supplier<Map<List<String>, ? extends Number>> rows) {
        MultiGauge gauge = MultiGauge.builder(name)
                .description(description)
                .baseUnit(unit.isEmpty() ? null : unit)
                .register(registry);
        beforeReading.add(() -> {
            List<MultiGauge.Row<?>> all = new ArrayList<>();
            rows.get().forEach((values, value) -> all.add(MultiGauge.Row.of(tags(keys, values), value)));
            gauge.register(all, true);
        });
    }

    private static Tags tags(List<String> keys, List<String> values) {
        Tags tags = Tags.empty();
        for (int i = 0; i < keys.size(); i++) {
            tags = tags.and(keys.get(i), values.get(i));
        }
        return tags;
    }

    /** All of them, in Prometheus' text format. */
    public synchronized String text() {
        beforeReading.forEach(Runnable::run);
        return registry instanceof PrometheusMeterRegistry prometheus ? prometheus.scrape() : "";
    }
}
