package dev.rollcall.simulation;

import java.util.List;
import java.util.stream.Collectors;

/** The report of a program of seeds, for other programs. */
final class Report {
    private Report() {}

    static String json(List<Outcome> outcomes) {
        return outcomes.stream().map(Report::json).collect(Collectors.joining(",\n  ", "[\n  ", "\n]\n"));
    }

    private static String json(Outcome outcome) {
        return "{\"seed\": %d, \"plan\": %s, \"digest\": \"%016x\", \"days\": %.4f, \"seconds\": %.2f, \"handled\": %d, \"published\": %d, \"findings\": [%s]}"
                .formatted(
                        outcome.plan().seed(),
                        quoted(outcome.plan().toString()),
                        outcome.digest(),
                        outcome.simulatedMs() / 86_400_000.0,
                        outcome.realNanos() / 1e9,
                        outcome.counts().handled(),
                        outcome.counts().published(),
                        outcome.findings().stream()
                                .map(finding -> quoted(finding.toString()))
                                .collect(Collectors.joining(", ")));
    }

    private static String quoted(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (int i = 0; i < text.length(); i++) {
            char one = text.charAt(i);
            if (one == '"' || one == '\\') {
                quoted.append('\\').append(one);
            } else if (one < ' ') {
                quoted.append("\\u%04x".formatted((int) one));
            } else {
                quoted.append(one);
            }
        }
        return quoted.append('"').toString();
    }
}
