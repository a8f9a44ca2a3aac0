package dev.rollcall.bench;

import java.util.LinkedHashMap;
import java.util.Map;

/** How contestants compare, each pair under {@code one/other}: above 1, the one is faster than the other. */
record Ratios(Map<String, Double> ofRates, Map<String, Double> ofThreadTime) {

    Ratios() {
        this(new LinkedHashMap<>(), new LinkedHashMap<>());
    }

    /** Rollcall against each of the others; empty if it did not run. */
    static Ratios ofRollcall(Map<String, Throughput.Figures> figures) {
        Ratios ratios = new Ratios();
        String rollcall = Contestant.ROLLCALL.id();
        figures.keySet().stream()
                .filter(other -> !other.equals(rollcall))
                .forEach(other -> ratios.add(figures, rollcall, other));
        return ratios;
    }

    /** Adds a pair, if there are figures of both. */
    void add(Map<String, Throughput.Figures> figures, String one, String other) {
        Throughput.Figures a = figures.get(one);
        Throughput.Figures b = figures.get(other);
        if (a != null && b != null) {
            ofRates.put(one + "/" + other, a.records_per_second() / b.records_per_second());
            ofThreadTime.put(one + "/" + other, b.thread_cpu_ns_per_record() / a.thread_cpu_ns_per_record());
        }
    }
}
