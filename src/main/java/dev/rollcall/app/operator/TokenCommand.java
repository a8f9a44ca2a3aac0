package dev.rollcall.app.operator;

import dev.rollcall.config.TokenSettings;
import dev.rollcall.http.server.ApiException;
import dev.rollcall.http.server.Ids;
import dev.rollcall.http.tokens.TokenSigner;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
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
public final class TokenCommand implements Callable<Integer> {
    /** Ten years. */
    private static final long MAX_MINUTES = 10L * 365 * 24 * 60;

    @ParentCommand
    private @Nullable Program program;

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
        if ((user == null) != (device == null) || minutes < 1 || minutes > MAX_MINUTES) {
            throw refused("give USER and DEVICE, or neither; --minutes must be 1 to %d".formatted(MAX_MINUTES));
        }
        TokenSettings settings = Objects.requireNonNull(program).config().http().tokens();
        if (!settings.areRequired()) {
            throw refused("http.jwt.key is empty: there are no tokens, and none are needed");
        } else if (!settings.key().isSet()) {
            throw refused(
                    "http.jwt.key is empty: the keys in http.jwt.jwks.file are their issuer's, which makes the tokens");
        }
        Instant expiry = Instant.now().plus(Duration.ofMinutes(minutes));
        TokenSigner signer = new TokenSigner(settings);
        try {
            spec.commandLine()
                    .getOut()
                    .println(
                            user == null || device == null
                                    ? signer.forService(expiry)
                                    : signer.forDevice(Ids.user(user), Ids.device(device), expiry));
        } catch (ApiException e) { // an id that no request could have
            throw refused(e.getMessage());
        }
        return 0;
    }

    private ParameterException refused(@Nullable String reason) {
        return new ParameterException(spec.commandLine(), reason);
    }
}
