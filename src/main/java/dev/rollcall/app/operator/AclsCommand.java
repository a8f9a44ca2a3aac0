package dev.rollcall.app.operator;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.contract.Access;
import dev.rollcall.contract.KafkaTools;
import dev.rollcall.contract.Role;
import java.io.PrintWriter;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** Prints the rights that a principal needs. */
@Command(
        name = "acls",
        description =
                "Prints the commands that grant a principal the rights it needs, and no more, or that take them away. Asks no"
                        + " cluster.",
        footer = {
            "",
            "Examples: acls --principal User:rollcall --set bootstrap.servers=kafka:9092",
            "          acls --principal User:rollcall --remove --command-config admin.properties"
        },
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
public final class AclsCommand implements Callable<Integer> {
    @ParentCommand
    private @Nullable Program settings;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(
            names = "--principal",
            paramLabel = "User:NAME",
            required = true,
            showDefaultValue = Visibility.NEVER,
            description = "Whom to grant it.")
    private String principal = "";

    @Option(names = "--role", paramLabel = "ROLE", description = "One of ${COMPLETION-CANDIDATES}.")
    private Role role = Role.PROCESSOR;

    @Option(
            names = "--group",
            paramLabel = "GROUP",
            showDefaultValue = Visibility.NEVER,
            description = "The consumer group of a notifier or routing.")
    private String group = "";

    @Option(names = "--remove", showDefaultValue = Visibility.NEVER, description = "Takes the same rights away.")
    private boolean remove;

    @Mixin
    private ToolsOption tools = new ToolsOption();

    @Override
    public Integer call() {
        boolean hasGroup = role == Role.NOTIFIER || role == Role.ROUTING;
        if (hasGroup == group.isEmpty()) {
            throw new ParameterException(
                    spec.commandLine(),
                    hasGroup ? "this role reads in a group: give --group" : "--group is for notifier and routing");
        }
        if (!principal.matches("[A-Za-z]+:\\S+")) {
            throw new ParameterException(spec.commandLine(), "--principal must be TYPE:NAME, as User:rollcall");
        }
        Program program = Objects.requireNonNull(settings);
        RollcallConfig config = program.config();
        Access access = Access.of(role, config, group);
        // Program looks whether brokers want TLS, and this is also for those that cannot be reached from here.
        String servers =
                config.bootstrapServers().isEmpty() ? program.bootstrapServers(config) : config.bootstrapServers();
        KafkaTools login = tools.tools(servers);
        PrintWriter out = spec.commandLine().getOut();
        (remove ? access.removing(principal, login) : access.granting(principal, login)).forEach(out::println);
        out.flush();
        return 0;
    }
}
