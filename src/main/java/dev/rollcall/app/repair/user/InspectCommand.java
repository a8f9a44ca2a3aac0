package dev.rollcall.app.repair.user;

import dev.rollcall.app.operator.Program;
import dev.rollcall.app.repair.Clients;
import dev.rollcall.app.repair.Output;
import dev.rollcall.domain.UserId;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** Prints all that is known of a user. */
@Command(
        name = "inspect",
        description = {
            "Prints all that is known of a user: what is stored (devices, until when each lives and why, the flag, the text,"
                    + " what was last published), the last records of the topics, and what does not agree.",
            "Reads the user's partition of each topic, and changes nothing."
        },
        footer = {"", "Example: inspect @alice:example.org --set bootstrap.servers=kafka:9092"},
        mixinStandardHelpOptions = true)
public final class InspectCommand implements Callable<Integer> {
    @ParentCommand
    private @Nullable Program program;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(paramLabel = "USER", description = "The user id.")
    private String user = "";

    @Option(names = "--json", description = "Prints one JSON object.")
    private boolean json;

    @Option(
            names = "--heartbeats",
            description = "Also reads the heartbeats that are kept, which are many: the last one of each device.")
    private boolean heartbeats;

    @Override
    public Integer call() {
        UserId id = Output.user(spec, user);
        return Clients.with(Objects.requireNonNull(program), clients -> {
            new Output(spec, json).print(new UserReport(clients, id).read(heartbeats));
            return 0;
        });
    }
}
