package dev.rollcall.app;

import dev.rollcall.config.Secret;
import dev.rollcall.domain.UserId;
import dev.rollcall.http.server.Tokens;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** Prints a bearer token for the HTTP edge, signed with the key that is configured. */
@Command(
        name = "token",
        description = {
            "Prints a bearer token for the HTTP edge, signed with http.jwt.key: for one device of a user,"
                    + " or, without them, for a service, which may act for all users."
        },
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
final class TokenCommand implements Callable<Integer> {
    @ParentCommand
    private Main main = new Main();

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(index = "0", arity = "0..1", paramLabel = "USER")
    private @Nullable String user;

    @Parameters(index = "1", arity = "0..1", paramLabel = "DEVICE")
    private @Nullable String device;

    @Option(names = "--minutes", paramLabel = "N", description = "How long it is valid.")
    private long minutes = 60;

    @Override
    public Integer call() {
        if ((user == null) != (device == null) || minutes < 1) {
            throw new ParameterException(
                    spec.commandLine(), "give USER and DEVICE, or neither; --minutes must be at least 1");
        }
        Secret key = main.config().http().key();
        if (!key.isSet()) {
            throw new ParameterException(
                    spec.commandLine(), "http.jwt.key is empty: there are no tokens, and none are needed");
        }
        Instant expiry = Instant.now().plus(Duration.ofMinutes(minutes));
        Tokens tokens = new Tokens(key);
        spec.commandLine()
                .getOut()
                .println(
                        user == null || device == null
                                ? tokens.forService(expiry)
                                : tokens.forDevice(UserId.of(user), device, expiry));
        return 0;
    }
}
