package dev.rollcall.topology;

import java.util.Set;
import org.apache.kafka.streams.TopologyDescription;
import org.apache.kafka.streams.TopologyDescription.Node;
import org.apache.kafka.streams.TopologyDescription.Processor;
import org.apache.kafka.streams.TopologyDescription.Sink;
import org.apache.kafka.streams.TopologyDescription.Source;
import org.apache.kafka.streams.TopologyDescription.Subtopology;

/** Draws a topology as a Mermaid flowchart: topics as hexagons, stores as cylinders. */
public final class Mermaid {
    private final StringBuilder chart = new StringBuilder("flowchart LR\n");

    private Mermaid() {}

    public static String of(TopologyDescription description) {
        Mermaid mermaid = new Mermaid();
        for (Subtopology subtopology : description.subtopologies()) {
            subtopology.nodes().forEach(mermaid::draw);
        }
        return mermaid.chart.toString();
    }

    private void draw(Node node) {
        if (node instanceof Source source) {
            Set<String> topics = source.topicSet();
            topics.forEach(topic -> arrow(topic(topic), node(node)));
        } else if (node instanceof Processor processor) {
            processor.stores().forEach(store -> line(node(node) + " <--> store-%s[(%s)]".formatted(store, store)));
        } else if (node instanceof Sink sink) {
            String topic = sink.topic();
            arrow(node(node), topic == null ? "elsewhere([%s])".formatted(sink.topicNameExtractor()) : topic(topic));
        }
        node.successors().forEach(next -> arrow(node(node), node(next)));
    }

    private void arrow(String from, String to) {
        line(from + " --> " + to);
    }

    private void line(String line) {
        chart.append("  ").append(line).append('\n');
    }

    private static String node(Node node) {
        return "node-%s[%s]".formatted(node.name(), node.name());
    }

    private static String topic(String topic) {
        return "topic-%s{{%s}}".formatted(topic, topic);
    }
}
