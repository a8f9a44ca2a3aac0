package dev.rollcall.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What is left of a run: tables and targets for people, JSON for programs. */
final class Report {
    private Report() {}

    /**
     * Prints and writes the figures of contestants, by name, and how they compare; draws a picture of them beside that.
     *
     * @param conditions under which they were measured, in words
     */
    static void throughput(
            Options options,
            Scenario scenario,
            String conditions,
            Map<String, Throughput.Figures> figures,
            Ratios ratios,
            List<Target> targets)
            throws IOException {
        StringBuilder table = new StringBuilder("\n");
        line(
                table,
                "%-18s %12s %25s %16s %18s %16s",
                "contestant",
                "records/s",
                "min - max",
                "thread ns/record",
                "changelog records",
                "bytes/heartbeat");
        figures.forEach((id, one) -> line(
                table,
                "%-18s %,12.0f %,11.0f - %,11.0f %16.0f %18.4f %16.2f",
                id,
                one.records_per_second(),
                one.records_per_second_min(),
                one.records_per_second_max(),
                one.thread_cpu_ns_per_record(),
                one.changelog_records_per_heartbeat(),
                one.changelog_bytes_per_heartbeat()));
        table.append('\n');
        ratios.ofRates()
                .forEach((id, ratio) -> line(
                        table,
                        "%-44s %.2f   by the thread's time: %.2f",
                        id,
                        ratio,
                        ratios.ofThreadTime().getOrDefault(id, Double.NaN)));
        Progress.print(table.toString());
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("scenario", scenario.id());
        json.put("conditions", conditions);
        json.put("contestants", figures);
        json.put("ratios", ratios.ofRates());
        json.put("thread_time_ratios", ratios.ofThreadTime());
        String name = scenario == Scenario.STEADY ? "throughput" : scenario.id();
        figures(options, name, json, targets);
        Path picture = options.directory.resolve(name + ".svg");
        Plot.write(List.of(options.directory.resolve(name + ".json")), picture);
        Progress.print("drawn: " + picture);
    }

    /** Writes named figures, and prints how those that had a target came off; those of a record are named by its components. */
    static void figures(Options options, String name, Map<String, ?> figures, List<Target> targets) throws IOException {
        targets.forEach(target -> Progress.print(target.toString()));
        Path file = options.directory.resolve(name + ".json");
        Files.createDirectories(options.directory);
        Json.PRETTY.writeValue(file.toFile(), figures);
        Progress.print("\nwritten: " + file);
    }

    private static void line(StringBuilder table, String format, Object... values) {
        table.append(String.format(Locale.ROOT, format, values).stripTrailing()).append('\n');
    }
}
