package dev.rollcall.app.operator;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.topology.Mermaid;
import dev.rollcall.topology.PresenceTopology;
import java.time.Clock;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.apache.kafka.streams.Topology;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** Prints the topology. */
@Command(name = "topology", description = "Prints the topology.", mixinStandardHelpOptions = true)
public final class TopologyCommand implements Callable<Integer> {
    private enum Format {
        TEXT,
        MERMAID
    }

    @ParentCommand
    private @Nullable Program program;

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE})",
            defaultValue = "TEXT")
    private Format format = Format.TEXT;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() {
        RollcallConfig config = Objects.requireNonNull(program).config();
        Topology topology = PresenceTopology.build(config, Clock.systemUTC(), config.topicPartitions(), "nobody");
        String text = switch (format) {
            case TEXT -> topology.describe().toString();
            case MERMAID -> Mermaid.of(topology.describe());
        };
        spec.commandLine().getOut().println(text.strip());
        return 0;
    }
}
