package dev.rollcall.app;

import dev.rollcall.config.RollcallConfig;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** Runs the HTTP edge alone. */
@Command(
        name = "edge",
        description = "Runs HTTP without a processor, beside a Rollcall that runs; as many as one likes.",
        mixinStandardHelpOptions = true)
final class EdgeCommand implements Callable<Integer> {
    @ParentCommand
    private Main main = new Main();

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() throws InterruptedException {
        RollcallConfig config = main.config();
        return RunCommand.untilItEnds(spec.commandLine(), Rollcall.startEdge(config), edge -> {
            String url = edge.httpUrl().orElseThrow();
            return """

                    Rollcall's edge listens on %s, for the Kafka cluster on %s
                    %s/health/ready says what it waits for. Ctrl-C stops it.
                    """.formatted(url, edge.bootstrapServers(), url);
        });
    }
}
