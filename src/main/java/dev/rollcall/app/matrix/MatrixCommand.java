package dev.rollcall.app.matrix;

import dev.rollcall.app.operator.Program;
import dev.rollcall.config.RollcallConfig;
import java.io.PrintWriter;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** Receives the polls of a Matrix homeserver's clients. */
@Command(
        name = "matrix",
        description = {
            "Makes a Matrix homeserver's clients present: nginx mirrors their polls to matrix.port, and sends its access log to"
                    + " matrix.syslog.port.",
            "Access tokens are looked up at matrix.homeserver, and are not kept."
        },
        footer = {
            "",
            "Example:",
            "  rollcall matrix --set bootstrap.servers=kafka:9092 --set matrix.homeserver=http://127.0.0.1:8008"
        },
        mixinStandardHelpOptions = true)
public final class MatrixCommand implements Callable<Integer> {
    @ParentCommand
    private @Nullable Program settings;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() throws InterruptedException {
        Program program = Objects.requireNonNull(settings);
        RollcallConfig config = program.config();
        String version = String.join(" ", spec.root().version()).replaceFirst("^rollcall ", "");
        PrintWriter out = spec.commandLine().getOut();
        try (MatrixBridge bridge =
                MatrixBridge.start(config, program.admin(config), program.producer(config), version)) {
            Runtime.getRuntime().addShutdownHook(new Thread(bridge::close, "matrix-stop"));
            out.print("""

                    Rollcall receives polls on %s, and the access log on UDP port %d, for the Kafka cluster on %s
                    Access tokens are looked up at %s
                    %s/health/ready says what it waits for. Ctrl-C stops it.
                    """.formatted(
                            bridge.url(),
                            bridge.logPort(),
                            program.bootstrapServers(config),
                            config.matrix().homeserver(),
                            bridge.url()));
            out.flush();
            bridge.awaitEnd();
            return 0;
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(e.getCause());
        }
    }
}
