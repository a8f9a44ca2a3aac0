package dev.rollcall.app;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.text.Printable;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
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
        return run(main.config(), spec.commandLine());
    }

    static int run(RollcallConfig config, CommandLine commandLine) throws InterruptedException {
        return untilItEnds(commandLine, Rollcall.start(config), rollcall -> ready(config, rollcall));
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
            commandLine.getErr().println("Rollcall has stopped: " + reasons(e));
            return 1;
        }
    }

    /** The messages of all causes, without repetitions. */
    private static String reasons(Throwable failure) {
        return Stream.iterate(failure.getCause(), Objects::nonNull, Throwable::getCause)
                .map(cause -> Printable.lines(cause.getMessage() == null ? cause : cause.getMessage()))
                .distinct()
                .collect(Collectors.joining(": "));
    }

    private static String ready(RollcallConfig config, Rollcall rollcall) {
        boolean embedded = config.bootstrapServers().isEmpty();
        return """

                Rollcall is ready: %s on %s, data in %s%s
                Try, in other terminals:
                  mvn -q exec:java -Dexec.args="watch"
                  mvn -q exec:java -Dexec.args="send heartbeat @alice:example.org phone"
                Ctrl-C stops it.
                """.formatted(
                        embedded ? "its own Kafka broker" : "joined the Kafka cluster",
                        rollcall.bootstrapServers(),
                        config.dataDir().toAbsolutePath().normalize(),
                        rollcall.httpUrl().map(url -> "\nHTTP on " + url).orElse(""));
    }
}
