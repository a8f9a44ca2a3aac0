package dev.rollcall.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.rollcall.bench.Plot.Bar;
import dev.rollcall.bench.Plot.Panel;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

final class PlotTest {
    private static final Panel CHURN = new Panel(
            "churn",
            "few & <fast>",
            List.of(
                    new Bar("flink-heap", new Spread(200_000, 150_000, 210_000)),
                    new Bar("noop", new Spread(800_000, 800_000, 800_000)),
                    new Bar("rollcall", new Spread(400_000, 390_000, 420_000))));

    @Test
    void shouldDrawTheFastestFirst() throws Exception {
        assertThat(texts(Plot.draw(List.of(CHURN))))
                .containsSubsequence(
                        "churn",
                        "few & <fast>",
                        "Rollcall is",
                        "Kafka Streams, doing nothing",
                        "800 k",
                        "0.50 ×",
                        "Rollcall",
                        "400 k",
                        "Flink, state on the heap",
                        "200 k",
                        "2.00 ×");
    }

    @Test
    void shouldDrawBarsAsLongAsTheRates() throws Exception {
        List<Element> bars = bars(Plot.draw(List.of(CHURN)));
        assertThat(bars).extracting(bar -> bar.getAttribute("class")).containsExactly("bound", "own", "rival");
        assertThat(width(bars.get(1)) / width(bars.get(0))).isCloseTo(0.5, within(0.001));
        assertThat(width(bars.get(2)) / width(bars.get(0))).isCloseTo(0.25, within(0.001));
    }

    @Test
    void shouldDrawALineFromTheSlowestToTheFastestRoundWhereTheyDiffer() throws Exception {
        Document svg = parse(Plot.draw(List.of(CHURN)));
        NodeList lines = svg.getElementsByTagName("path");
        assertThat(lines.getLength()).isEqualTo(2);
        double left = Double.parseDouble(bars(Plot.draw(List.of(CHURN))).get(0).getAttribute("x"));
        double perRecord = width(bars(Plot.draw(List.of(CHURN))).get(0)) / 800_000;
        String[] path = ((Element) lines.item(0)).getAttribute("d").split("[MH ]+", -1);
        assertThat(Double.parseDouble(path[1])).isCloseTo(left + 390_000 * perRecord, within(0.1));
        assertThat(Double.parseDouble(path[3])).isCloseTo(left + 420_000 * perRecord, within(0.1));
    }

    @Test
    void shouldDrawEveryPanelWithinThePicture() throws Exception {
        Document svg = parse(Plot.draw(List.of(CHURN, CHURN)));
        double height = Double.parseDouble(svg.getDocumentElement().getAttribute("height"));
        assertThat(bars(Plot.draw(List.of(CHURN, CHURN)))).hasSize(6).allSatisfy(bar -> {
            assertThat(Double.parseDouble(bar.getAttribute("y"))).isLessThan(height - 40);
        });
    }

    @Test
    void shouldDrawWithoutRollcall() throws Exception {
        Panel panel = new Panel("steady", "", List.of(new Bar("never heard of", new Spread(999, 999, 999))));
        assertThat(texts(Plot.draw(List.of(panel))))
                .contains("never heard of", "999")
                .doesNotContain("Rollcall is");
    }

    @Test
    void shouldWriteRatesInThreeDigits() {
        assertThat(List.of(999.0, 76_499.0, 1_427_000.0))
                .extracting(Plot::rate)
                .containsExactly("999", "76 k", "1.43 M");
    }

    @Test
    void shouldDrawTheReportThatTheBenchmarkWrites(@TempDir Path directory) throws Exception {
        Map<String, Throughput.Figures> figures = new LinkedHashMap<>();
        figures.put("redis", new Throughput.Figures(50_000, 40_000, 60_000, 3200, 4000, 1, 60));
        figures.put("rollcall", new Throughput.Figures(400_000, 300_000, 450_000, 800, 1600, 0.0333, 3.97));
        Options options = new Options();
        options.directory = directory;
        Report.throughput(options, Scenario.CHURN, "two rounds", figures, Ratios.ofRollcall(figures), List.of());

        assertThat(texts(Files.readString(directory.resolve("churn.svg"))))
                .containsSubsequence(
                        "churn", "two rounds", "Rollcall", "400 k", "Redis between two clients", "50 k", "8.00 ×");
    }

    private static Document parse(String svg) throws Exception {
        return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new InputSource(new StringReader(svg)));
    }

    private static List<String> texts(String svg) throws Exception {
        return elements(parse(svg).getElementsByTagName("text")).stream()
                .map(Element::getTextContent)
                .toList();
    }

    /** Without those of the legend. */
    private static List<Element> bars(String svg) throws Exception {
        return elements(parse(svg).getElementsByTagName("rect")).stream()
                .skip(3)
                .toList();
    }

    private static List<Element> elements(NodeList nodes) {
        return IntStream.range(0, nodes.getLength())
                .mapToObj(i -> (Element) nodes.item(i))
                .toList();
    }

    private static double width(Element bar) {
        return Double.parseDouble(bar.getAttribute("width"));
    }
}
