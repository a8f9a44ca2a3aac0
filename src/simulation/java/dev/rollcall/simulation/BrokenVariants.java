package dev.rollcall.simulation;

import dev.rollcall.chaos.SourcePatches;
import dev.rollcall.chaos.SourcePatches.Known;
import dev.rollcall.chaos.SourcePatches.Words;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Rollcalls that are broken on purpose: the simulation has to find each from random seeds, within ten simulated years. */
final class BrokenVariants {
    private static final double MOST_YEARS = 10;

    private BrokenVariants() {}

    /** Those of the campaign, some with words that do the same in a simulated world. */
    static List<Known> all() {
        List<Known> all = new ArrayList<>();
        for (Known known : SourcePatches.known()) {
            List<Words> words = switch (known.name()) {
                // The simulated brokers do this by themselves: the sources are not changed.
                case "at-least-once", "old-transactions" -> List.of();
                case "own-tick-topic" ->
                    List.of(new Words(
                            "dev/rollcall/topology/PresenceProcessor.java",
                            "PresenceTopology.CLOCK_TICKS",
                            "SimulatedTask.OWN_TOPIC"));
                case "processors-clock" ->
                    List.of(new Words(
                            "dev/rollcall/topology/HeartbeatSource.java",
                            "record.timestamp(),",
                            "Math.min(record.timestamp(), SimulatedTask.processorsClock() + 5_000),"));
                case "no-barrier" ->
                    List.of(new Words(
                            "dev/rollcall/consumer/ReadBarrier.java",
                            "if (polled.isEmpty() || !needs(polled, now)) {",
                            "if (now != Long.MIN_VALUE) {"));
                default -> known.words();
            };
            all.add(new Known(known.name(), known.defect(), words));
        }
        all.addAll(ofTheClient());
        return all;
    }

    /** The campaign's shards write by hand, and do not notice these. */
    private static List<Known> ofTheClient() {
        String tracker = "dev/rollcall/client/sending/DeviceTracker.java";
        return List.of(
                new Known(
                        "never-again",
                        "the client does not send again what the brokers may not have",
                        List.of(new Words(
                                tracker,
                                "return partition >= 0 && which.get(partition);",
                                "return which.get(partition) && partition < 0;"))),
                new Known(
                        "lost-ends",
                        "the client forgets ends that could not be sent",
                        List.of(new Words(tracker, "failedEnds.add(closed);", ""))),
                new Known(
                        "mute-throttle",
                        "the client's throttle lets nothing through that changes nothing",
                        List.of(new Words(
                                "dev/rollcall/client/sending/HeartbeatThrottle.java",
                                "if (now < due) {",
                                "if (begun) {"))));
    }

    /** Returns whether all were found. */
    static boolean find(Map<String, String> options, Path directory, PrintStream out) throws IOException {
        String wanted = options.get("variant");
        StringBuilder table = new StringBuilder(
                "| variant | found | seeds | simulated days | seconds | by |\n|---|---|---|---|---|---|\n");
        boolean isAllFound = true;
        boolean isAny = false;
        for (Known variant : all()) {
            if (!"all".equals(wanted) && !variant.name().equals(wanted)) {
                continue;
            }
            isAny = true;
            Map<String, String> each = new TreeMap<>(options);
            each.put("variant", variant.name());
            each.putIfAbsent("total-years", Double.toString(MOST_YEARS));
            if ("all".equals(wanted)) {
                each.put("no-story", "");
            }
            ByteArrayOutputStream said = new ByteArrayOutputStream();
            boolean isFound;
            try (Build build = Build.with(variant.name(), variant.words());
                    PrintStream log = new PrintStream(said, true, StandardCharsets.UTF_8)) {
                Object[] result = build.play(each, "all".equals(wanted) ? log : out);
                isFound = (boolean) result[0];
                String row = "| `%s` | %s | %d | %.2f | %.1f | %s |%n"
                        .formatted(
                                variant.name(),
                                isFound ? "yes" : "NO",
                                (int) result[1],
                                (long) result[2] / 86_400_000.0,
                                (long) result[3] / 1e9,
                                isFound ? by(said.toString(StandardCharsets.UTF_8)) : "");
                table.append(row);
                out.print(row);
            }
            isAllFound &= isFound;
        }
        if (!isAny) {
            throw new IllegalArgumentException("no variant " + wanted);
        }
        Files.writeString(directory.resolve("variants.md"), table.toString());
        return isAllFound;
    }

    private static String by(String said) {
        int at = said.indexOf("WRONG: ");
        int end = said.indexOf('\n', at);
        return at < 0 ? "" : said.substring(at + 7, Math.min(end, at + 200)).replace('|', '/');
    }
}
