package dev.rollcall.bench;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * A picture of results: a panel per scenario, a bar per contestant as long as its median rate, the fastest first, and a line from
 * its slowest round to its fastest. SVG that is readable on a light and on a dark page.
 */
final class Plot {
    private static final int WIDTH = 860;
    private static final int MARGIN = 24;
    private static final int BARS_AT = 236;
    private static final int LONGEST = 440;
    private static final int HEAD = 96;
    private static final int PANEL_HEAD = 44;
    private static final int PANEL_GAP = 26;
    private static final int ROW = 28;
    private static final int BAR = 18;
    private static final int FOOT = 52;

    private static final String STYLE = """
            <style>
              svg { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; font-size: 13px; }
              text { fill: #1f2328; }
              .title { font-size: 20px; font-weight: bold; }
              .panel { font-size: 16px; font-weight: bold; }
              .strong { font-weight: bold; }
              .soft { fill: #59636e; }
              .end { text-anchor: end; }
              .own { fill: #0d9488; }
              .rival { fill: #94a3b8; }
              .bound { fill: #94a3b8; fill-opacity: 0.15; stroke: #94a3b8; stroke-dasharray: 4 3; }
              .axis { stroke: #94a3b8; }
              .whisker { stroke: #1f2328; stroke-width: 1.3; fill: none; }
              @media (prefers-color-scheme: dark) {
                text { fill: #e6edf3; }
                .soft { fill: #9aa4af; }
                .own { fill: #2dd4bf; }
                .rival { fill: #64748b; }
                .bound { fill: #64748b; stroke: #8b9bb0; }
                .whisker { stroke: #e6edf3; }
              }
            </style>
            """;

    /** What a contestant is, in so few words that they fit beside its bar. */
    private static final Map<String, String> NAMES = Map.ofEntries(
            Map.entry(Contestant.NOOP.id(), "Kafka Streams, doing nothing"),
            Map.entry(Contestant.CONSUMER.id(), "plain consumer and a map"),
            Map.entry(Contestant.TEXTBOOK.id(), "Kafka Streams by the textbook"),
            Map.entry(Contestant.INDEXED.id(), "Kafka Streams with an index"),
            Map.entry(Contestant.EVERY_SECOND.id(), "forwarding every 2nd record"),
            Map.entry(Contestant.EVERY_SECOND_TUNED.id(), "every 2nd, producer tuned"),
            Map.entry(Contestant.FLINK_HEAP.id(), "Flink, state on the heap"),
            Map.entry(Contestant.FLINK_ROCKSDB.id(), "Flink, state in RocksDB"),
            Map.entry(Contestant.FLINK_HEAP_DISCARD.id(), "Flink, heap, no output"),
            Map.entry(Contestant.REDIS.id(), "Redis between two clients"),
            Map.entry(Contestant.ROLLCALL.id(), "Rollcall"),
            Map.entry(Contestant.BEFORE.id(), "Rollcall, earlier version"));

    /** These do less than Rollcall's work, so they are limits and no rivals. */
    private static final Set<String> BOUNDS = Set.of(
            Contestant.NOOP.id(),
            Contestant.CONSUMER.id(),
            Contestant.EVERY_SECOND.id(),
            Contestant.EVERY_SECOND_TUNED.id(),
            Contestant.FLINK_HEAP_DISCARD.id());

    private static final Set<String> OWN = Set.of(Contestant.ROLLCALL.id(), Contestant.BEFORE.id());

    private final StringBuilder svg = new StringBuilder();

    /**
     * What one panel shows.
     *
     * @param conditions in words, beside the name
     */
    record Panel(String scenario, String conditions, List<Bar> bars) {
        Panel {
            bars = bars.stream()
                    .sorted(Comparator.comparingDouble((Bar bar) -> bar.rate.median())
                            .reversed())
                    .toList();
        }

        private int height() {
            return PANEL_HEAD + bars.size() * ROW;
        }

        private double fastest() {
            return bars.stream().mapToDouble(bar -> bar.rate.max()).max().orElse(1);
        }
    }

    /** A contestant's rates, in records per second. */
    record Bar(String contestant, Spread rate) {}

    private Plot() {}

    /** Reads a report that {@link Report#throughput} has written. */
    static Panel read(Path report) throws IOException {
        JsonNode json = Json.PRETTY.readTree(report.toFile());
        List<Bar> bars = new ArrayList<>();
        json.get("contestants").properties().forEach(one -> {
            JsonNode figures = one.getValue();
            Spread rate = new Spread(
                    figures.get("records_per_second").doubleValue(),
                    figures.get("records_per_second_min").doubleValue(),
                    figures.get("records_per_second_max").doubleValue());
            bars.add(new Bar(one.getKey(), rate));
        });
        String file = report.getFileName().toString();
        String name = json.path("scenario").asText(file.replace(".json", ""));
        return new Panel(name, json.path("conditions").asText(""), bars);
    }

    /** Draws reports into a file. */
    static void write(List<Path> reports, Path file) throws IOException {
        List<Panel> panels = new ArrayList<>();
        for (Path report : reports) {
            panels.add(read(report));
        }
        Files.writeString(file, draw(panels));
    }

    /** The picture, as text. */
    static String draw(List<Panel> panels) {
        return new Plot().drawAll(panels);
    }

    private String drawAll(List<Panel> panels) {
        int height = HEAD + FOOT + panels.stream().mapToInt(Panel::height).sum() + PANEL_GAP * (panels.size() - 1);
        add(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\" aria-label=\"%s\">",
                WIDTH, height, WIDTH, height, escape("Heartbeats per second of each contestant"));
        svg.append(STYLE);
        text(MARGIN, 36, "title", "Heartbeats per second");
        legend();
        int top = HEAD;
        for (Panel panel : panels) {
            draw(panel, top);
            top += panel.height() + PANEL_GAP;
        }
        text(
                MARGIN,
                height - 16,
                "soft",
                "Bar: median of the rounds; line: slowest to fastest. Longer is better. All read the same log, with a parallelism of one.");
        return svg.append("</svg>\n").toString();
    }

    private void legend() {
        int x = MARGIN;
        x = legend(x, "own", "Rollcall");
        x = legend(x, "rival", "does the same work");
        legend(x, "bound", "does less: a limit");
    }

    private int legend(int x, String kind, String text) {
        add("<rect class=\"%s\" x=\"%d\" y=\"52\" width=\"22\" height=\"12\" rx=\"2\"/>", kind, x);
        text(x + 30, 63, "soft", text);
        return x + 30 + text.length() * 7 + 28;
    }

    private void draw(Panel panel, int top) {
        double own = panel.bars.stream()
                .filter(bar -> bar.contestant.equals(Contestant.ROLLCALL.id()))
                .mapToDouble(bar -> bar.rate.median())
                .findFirst()
                .orElse(Double.NaN);
        text(MARGIN, top + 20, "panel", panel.scenario);
        text(BARS_AT, top + 20, "soft", panel.conditions);
        if (!Double.isNaN(own)) {
            text(WIDTH - MARGIN, top + 20, "soft end", "Rollcall is");
        }
        double perRecord = LONGEST / panel.fastest();
        int y = top + PANEL_HEAD - 6;
        add(
                "<line class=\"axis\" x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>",
                BARS_AT, BARS_AT, y - 4, y + panel.bars.size() * ROW - 4);
        for (Bar bar : panel.bars) {
            draw(bar, y, perRecord, own);
            y += ROW;
        }
    }

    private void draw(Bar bar, int y, double perRecord, double own) {
        boolean isOwn = OWN.contains(bar.contestant);
        String kind = isOwn ? "own" : BOUNDS.contains(bar.contestant) ? "bound" : "rival";
        double end = BARS_AT + bar.rate.median() * perRecord;
        double min = BARS_AT + bar.rate.min() * perRecord;
        double max = BARS_AT + bar.rate.max() * perRecord;
        int middle = y + BAR / 2;
        text(
                BARS_AT - 10,
                middle + 5,
                isOwn ? "end strong" : "end",
                NAMES.getOrDefault(bar.contestant, bar.contestant));
        add(
                "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" rx=\"2\"/>",
                kind, BARS_AT, y, end - BARS_AT, BAR);
        if (bar.rate.max() > bar.rate.min()) {
            add(
                    "<path class=\"whisker\" d=\"M%.1f %d H%.1f M%.1f %d v8 M%.1f %d v8\"/>",
                    min, middle, max, min, middle - 4, max, middle - 4);
        }
        text((int) Math.max(end, max) + 8, middle + 5, isOwn ? "strong" : "", rate(bar.rate.median()));
        if (!bar.contestant.equals(Contestant.ROLLCALL.id()) && !Double.isNaN(own)) {
            text(WIDTH - MARGIN, middle + 5, "end", times(own / bar.rate.median()));
        }
    }

    private static String times(double ratio) {
        return String.format(Locale.ROOT, ratio < 10 ? "%.2f ×" : "%.0f ×", ratio);
    }

    /** To three digits, as people say it. */
    static String rate(double perSecond) {
        if (perSecond >= 1e6) {
            return String.format(Locale.ROOT, "%.2f M", perSecond / 1e6);
        }
        return perSecond >= 1e3
                ? String.format(Locale.ROOT, "%.0f k", perSecond / 1e3)
                : String.format(Locale.ROOT, "%.0f", perSecond);
    }

    private void text(int x, int y, String kind, String text) {
        add("<text class=\"%s\" x=\"%d\" y=\"%d\">%s</text>", kind, x, y, escape(text));
    }

    private void add(String format, Object... values) {
        svg.append(String.format(Locale.ROOT, format, values)).append('\n');
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }
}
