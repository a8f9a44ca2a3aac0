package dev.rollcall.matrix;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rollcall.http.server.Ids;
import dev.rollcall.http.server.Json;
import dev.rollcall.matrix.polls.KnownTokens.Answer;
import dev.rollcall.matrix.polls.MatrixDevice;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Asks a Matrix homeserver whose an access token is ({@code GET /_matrix/client/v3/account/whoami}). Thread-safe. */
final class Homeserver {
    private static final Logger LOG = LoggerFactory.getLogger(Homeserver.class);
    private static final Duration CONNECT = Duration.ofSeconds(2);
    private static final Duration ANSWER = Duration.ofSeconds(5);

    /** The device id for a token that has no device: an application service's. */
    private static final String NO_DEVICE = "matrix";

    private final HttpClient client = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(CONNECT)
            .build();
    private final URI whoami;
    private volatile boolean answers = true;

    Homeserver(URI homeserver) {
        whoami = URI.create(homeserver + "/_matrix/client/v3/account/whoami");
    }

    /** Never fails: {@link Answer.Unknown} where there is no answer within 5 s. {@code token}: printable ASCII. */
    CompletableFuture<Answer> whoami(String token) {
        HttpRequest request = HttpRequest.newBuilder(whoami)
                .header("Authorization", "Bearer " + token)
                .timeout(ANSWER)
                .build();
        return client.sendAsync(request, HttpResponse.BodyHandlers.ofByteArray())
                .orTimeout(ANSWER.toMillis(), TimeUnit.MILLISECONDS)
                .thenApply(this::answer)
                .exceptionally(failure -> silent(String.valueOf(failure.getMessage())));
    }

    private Answer answer(HttpResponse<byte[]> response) {
        return switch (response.statusCode()) {
            case 200 -> {
                isThere();
                yield device(Json.read(response.body()));
            }
            case 401, 403 -> {
                isThere();
                yield new Answer.Nobody();
            }
            default -> silent("it answers with " + response.statusCode());
        };
    }

    private static Answer device(JsonNode body) {
        String device = Json.optionalText(body, "device_id").orElse(NO_DEVICE);
        return new Answer.Of(new MatrixDevice(Ids.user(Json.text(body, "user_id")), Ids.device(device)));
    }

    private void isThere() {
        if (!answers) {
            answers = true;
            LOG.info("the homeserver answers again");
        }
    }

    private Answer silent(String why) {
        if (answers) {
            answers = false;
            LOG.warn(
                    "{} does not say whose an access token is, and clients that are not known count for nothing: {}",
                    whoami,
                    why);
        }
        return new Answer.Unknown();
    }
}
