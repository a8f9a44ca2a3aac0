package dev.rollcall.app;

import dev.rollcall.admin.ClusterException;
import dev.rollcall.admin.PlainConnection;
import dev.rollcall.admin.Refusal;
import dev.rollcall.app.matrix.MatrixCommand;
import dev.rollcall.app.operator.AclsCommand;
import dev.rollcall.app.operator.CheckCommand;
import dev.rollcall.app.operator.ExitCode;
import dev.rollcall.app.operator.Program;
import dev.rollcall.app.operator.TokenCommand;
import dev.rollcall.app.operator.TopicsCommand;
import dev.rollcall.app.operator.TopologyCommand;
import dev.rollcall.app.repair.letters.DeadLettersCommand;
import dev.rollcall.app.repair.state.RebuildCommand;
import dev.rollcall.app.repair.state.RepublishCommand;
import dev.rollcall.app.repair.user.ForgetCommand;
import dev.rollcall.app.repair.user.InspectCommand;
import dev.rollcall.config.ConfigException;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.embedded.EmbeddedBrokerException;
import dev.rollcall.logging.LimitedLog;
import dev.rollcall.text.Printable;
import dev.rollcall.wire.registry.RegistryUnavailableException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.Charset;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.streams.errors.StreamsException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/** The command line. */
@Command(
        name = "rollcall",
        description = "Who is here? Merges what devices do into one presence per user, on Kafka.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        subcommands = {
            RunCommand.class,
            EdgeCommand.class,
            WatchCommand.class,
            SendCommand.class,
            HoldCommand.class,
            MatrixCommand.class,
            SimulateCommand.class,
            TokenCommand.class,
            CheckCommand.class,
            TopicsCommand.class,
            AclsCommand.class,
            InspectCommand.class,
            DeadLettersCommand.class,
            RepublishCommand.class,
            RebuildCommand.class,
            ForgetCommand.class,
            TopologyCommand.class
        },
        footer = {
            "",
            "Without a command: run.",
            "Ends with 64 for a wrong command line, 78 for wrong settings, topics or rights, 69 if the cluster is away,"
                    + " 70 if what is stored cannot be used."
        })
public final class Main implements Callable<Integer>, Program {
    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            showDefaultValue = Visibility.NEVER,
            scope = ScopeType.INHERIT,
            description = "Sets a key of config/rollcall.properties; may be repeated.")
    private Map<String, String> overrides = new LinkedHashMap<>();

    @Option(
            names = "--config",
            paramLabel = "FILE",
            showDefaultValue = Visibility.NEVER,
            scope = ScopeType.INHERIT,
            description = "Reads keys from a file, under the environment and --set.")
    private List<Path> files = new ArrayList<>();

    @Spec
    private CommandSpec spec = CommandSpec.create();

    public static void main(String[] arguments) {
        // Output is the same on all machines. Kafka Streams 4.3 also formats a text per record, which costs half
        // as much in this locale: docs/adr/0011.
        Locale.setDefault(Locale.Category.FORMAT, Locale.US);
        // What the commands print is no log, and is not bounded.
        CommandLine commandLine = commandLine().setErr(new PrintWriter(System.err, true, Charset.defaultCharset()));
        LimitedLog.install();
        int exitCode = commandLine.execute(arguments);
        if (exitCode != 0) {
            System.exit(exitCode);
        }
    }

    /** The program, to be executed with arguments. */
    public static CommandLine commandLine() {
        Main main = new Main();
        return new CommandLine(main)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setParameterExceptionHandler((failure, arguments) -> {
                    CommandLine command = failure.getCommandLine();
                    command.getErr().println(Printable.lines(failure.getMessage()));
                    if (!UnmatchedArgumentException.printSuggestions(failure, command.getErr())) {
                        command.usage(command.getErr());
                    }
                    return ExitCode.USAGE;
                })
                .setExecutionExceptionHandler((failure, commandLine, parsed) -> {
                    commandLine.getErr().println(main.explain(failure));
                    return ExitCode.of(main.refusal(failure));
                });
    }

    @Override
    public Integer call() throws InterruptedException {
        return RunCommand.run(this, spec.commandLine());
    }

    /** All settings: the defaults, overridden by the files, the environment, and the command line. */
    @Override
    public RollcallConfig config() {
        return RollcallConfig.load(files, System.getenv(), overrides);
    }

    @Override
    public String bootstrapServers(RollcallConfig config) {
        return clientServers(config);
    }

    @Override
    public Map<String, Object> admin(RollcallConfig config) {
        return KafkaSettings.admin(config, clientServers(config));
    }

    @Override
    public Map<String, Object> consumer(RollcallConfig config) {
        return KafkaSettings.consumer(config, clientServers(config));
    }

    @Override
    public Map<String, Object> producer(RollcallConfig config) {
        return KafkaSettings.producer(config, clientServers(config));
    }

    Invocation invocation() {
        return Invocation.ofThisProcess(files, overrides);
    }

    /**
     * The brokers of a running Rollcall, for a client.
     *
     * @throws ConfigException if they want TLS, and the settings do not
     */
    static String clientServers(RollcallConfig config) {
        if (config.bootstrapServers().isEmpty()) {
            return "localhost:" + config.embeddedKafkaPort();
        }
        PlainConnection.require(config.bootstrapServers(), config.kafka());
        return config.bootstrapServers();
    }

    /** A broker's refusal in the operator's words; all else as it is. */
    private Throwable refusal(Throwable failure) {
        boolean isTold = failure instanceof ConfigException || failure instanceof ClusterException;
        return isTold
                ? failure
                : Refusal.among(failure, config()).<Throwable>map(told -> told).orElse(failure);
    }

    /** The message if the operator can correct the failure; else the stack trace. */
    @Override
    public String explain(Throwable thrown) {
        Throwable failure = refusal(thrown);
        if (failure instanceof ConfigException
                || failure instanceof ClusterException
                || failure instanceof EmbeddedBrokerException
                || failure instanceof SerializationException // of what is stored
                || failure instanceof RegistryUnavailableException
                || failure instanceof IllegalArgumentException) {
            return Printable.lines(failure.getMessage());
        } else if (isOfKafkasSettings(failure)) {
            return "kafka.*: " + reasons(failure);
        }
        StringWriter trace = new StringWriter();
        failure.printStackTrace(new PrintWriter(trace));
        return Printable.lines(trace);
    }

    /** Kafka's clients tell of a wrong setting, a keystore that is not there, or a login that fails, when they are created. */
    private static boolean isOfKafkasSettings(Throwable failure) {
        return failure instanceof org.apache.kafka.common.config.ConfigException
                || failure.getClass().equals(KafkaException.class)
                || (failure instanceof StreamsException && failure.getCause() instanceof KafkaException);
    }

    /** The messages of all causes in one line, without repetitions. */
    static String reasons(Throwable failure) {
        return Stream.iterate(failure, Objects::nonNull, Throwable::getCause)
                .map(cause -> Printable.lines(cause.getMessage() == null ? cause : cause.getMessage()))
                .distinct()
                .collect(Collectors.joining(": "));
    }

    static String version() {
        @Nullable String version = Main.class.getPackage().getImplementationVersion();
        return version == null ? "(from source)" : version;
    }

    /** The version of the jar. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {"rollcall " + version()};
        }
    }
}
