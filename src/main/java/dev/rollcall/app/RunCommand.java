package dev.rollcall.app;

import dev.rollcall.app.operator.ExitCode;
import dev.rollcall.config.RollcallConfig;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.function.Function;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** Runs Rollcall until it is stopped. */
@Command(name = "run", description = "Runs Rollcall (the default).", mixinStandardHelpOptions = true)
final class RunCommand implements Callable<Integer> {
    @ParentCommand
    private Main main = new Main();

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() throws InterruptedException {
        return run(main, spec.commandLine());
    }

    static int run(Main main, CommandLine commandLine) throws InterruptedException {
        RollcallConfig config = main.config();
        return untilItEnds(commandLine, Rollcall.start(config), rollcall -> ready(config, rollcall, main.invocation()));
    }

    /** Runs it until it is stopped, and prints a text about it once it is ready. Returns the exit code. */
    static int untilItEnds(CommandLine commandLine, Rollcall started, Function<Rollcall, String> text)
            throws InterruptedException {
        try (Rollcall rollcall = started) {
            Runtime.getRuntime().addShutdownHook(new Thread(rollcall::close, "rollcall-shutdown"));
            rollcall.awaitReady();
            commandLine.getOut().print(text.apply(rollcall));
            commandLine.getOut().flush();
            rollcall.awaitEnd();
            return 0;
        } catch (ExecutionException e) {
            commandLine
                    .getErr()
                    .println("Rollcall has stopped: " + Main.reasons(e.getCause() == null ? e : e.getCause()));
            return ExitCode.of(e);
        }
    }

    private static String ready(RollcallConfig config, Rollcall rollcall, Invocation invocation) {
        boolean embedded = config.bootstrapServers().isEmpty();
        return """

                Rollcall is ready: %s on %s, data in %s%s
                Try, in other terminals:
                  %s
                  %s
                Ctrl-C stops it.
                """.formatted(
                embedded ? "its own Kafka broker" : "joined the Kafka cluster",
                rollcall.bootstrapServers(),
                config.dataDir().toAbsolutePath().normalize(),
                rollcall.httpUrl().map(url -> "\nHTTP on " + url).orElse(""),
                invocation.client("watch", config, rollcall.bootstrapServers()),
                invocation.client("send heartbeat @alice:example.org phone", config, rollcall.bootstrapServers()));
    }
}
