package dev.rollcall.registry;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.rollcall.config.ConfigException;
import dev.rollcall.config.RegistrySettings;
import dev.rollcall.wire.registry.SchemaRegistry;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A registry with Confluent's API, which Apicurio's and others have too. Where there are several addresses, the next is asked if one
 * does not answer.
 *
 * <p>Only a schema, or the registry's own word that there is none, is an answer. Whatever else comes may be a proxy's, or of a path
 * that is wrong: the future fails with an {@link IOException} that says what came.
 *
 * <p>Source: <a href="https://docs.confluent.io/platform/current/schema-registry/develop/api.html">Schema Registry API</a>.
 */
public final class HttpSchemaRegistry implements SchemaRegistry {
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(3);
    private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(5);
    private static final String JSON_TYPE = "application/vnd.schemaregistry.v1+json";
    private static final ObjectMapper JSON = new ObjectMapper();

    private static final int SUBJECT_NOT_FOUND = 40401;
    private static final int SCHEMA_NOT_FOUND = 40403;
    private static final Set<Integer> REFUSALS = Set.of(401, 403, 409, 422);

    private final List<URI> urls;
    private final @Nullable String authorization;
    private final HttpClient client;

    /** The address that answered last. */
    private final AtomicInteger current = new AtomicInteger();

    /** What came back: the status, and the body as JSON, which is empty if it is none. */
    private record Reply(URI from, int status, JsonNode body) {
        boolean isNotFound(Set<Integer> codes) {
            return status == 404 && codes.contains(body.path("error_code").asInt());
        }

        /** For what is not what the registry has to say. */
        IOException noAnswer() {
            return new IOException(from + ": " + text());
        }

        String text() {
            String message = body.path("message").asText("");
            return "the answer is %d%s".formatted(status, message.isEmpty() ? "" : " " + message);
        }
    }

    /**
     * Connects when it is first asked.
     *
     * @throws ConfigException if a truststore or a keystore cannot be used
     */
    public HttpSchemaRegistry(RegistrySettings settings) {
        urls = settings.urls();
        authorization = settings.user().isEmpty() ? null : basic(settings);
        HttpClient.Builder builder =
                HttpClient.newBuilder().connectTimeout(CONNECT_TIMEOUT).version(HttpClient.Version.HTTP_1_1);
        Tls.of(settings).ifPresent(builder::sslContext);
        client = builder.build();
    }

    @Override
    public CompletableFuture<Answer> schema(int id) {
        if (id < 0) {
            return CompletableFuture.completedFuture(new Unusable("is not in the registry: ids are positive"));
        }
        return ask("/schemas/ids/" + id, null).thenApply(HttpSchemaRegistry::answer);
    }

    private static Answer answer(Reply reply) {
        if (reply.isNotFound(Set.of(SCHEMA_NOT_FOUND))) {
            return new Unusable("is not in the registry");
        }
        JsonNode body = reply.body;
        String type = body.path("schemaType").asText("AVRO");
        if (reply.status != 200 || !body.path("schema").isTextual()) {
            throw new CompletionException(reply.noAnswer());
        } else if (!type.equals("AVRO")) {
            return new Unusable("of the registry is %s, and not Avro".formatted(type));
        } else if (!body.path("references").isEmpty()) {
            return new Unusable("of the registry refers to other schemas, which are not read");
        }
        return new Found(body.path("schema").asText());
    }

    @Override
    public CompletableFuture<Integer> id(String subject, String schema) {
        String path = "/subjects/" + URLEncoder.encode(subject, StandardCharsets.UTF_8);
        String body = JSON.createObjectNode().put("schema", schema).toString();
        // Looked up first, for which it takes no right to write.
        return ask(path, body)
                .thenCompose(found -> found.isNotFound(Set.of(SUBJECT_NOT_FOUND, SCHEMA_NOT_FOUND))
                        ? ask(path + "/versions", body)
                        : CompletableFuture.completedFuture(found))
                .thenApply(reply -> id(subject, reply));
    }

    private static int id(String subject, Reply reply) {
        if (reply.status == 200 && reply.body.path("id").isInt()) {
            return reply.body.path("id").asInt();
        } else if (REFUSALS.contains(reply.status)) {
            throw new ConfigException(
                    "schema.registry.write is true, and the registry refuses the subject %s: %s. Register it there, or allow it to schema.registry.user"
                            .formatted(subject, reply.text()));
        }
        throw new CompletionException(reply.noAnswer());
    }

    /** @param body null: GET, else POST */
    private CompletableFuture<Reply> ask(String path, @Nullable String body) {
        return ask(path, body, current.get(), urls.size() - 1);
    }

    private CompletableFuture<Reply> ask(String path, @Nullable String body, int which, int others) {
        URI base = urls.get(which % urls.size());
        return client.sendAsync(request(URI.create(base + path), body), BodyHandlers.ofByteArray())
                .thenApply(response -> reply(base, response))
                .thenApply(reply -> {
                    current.set(which % urls.size());
                    return reply;
                })
                .exceptionallyCompose(failure -> others > 0
                        ? ask(path, body, which + 1, others - 1)
                        : CompletableFuture.failedFuture(new IOException(base + ": " + reason(failure), failure)));
    }

    private HttpRequest request(URI uri, @Nullable String body) {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(uri).timeout(REQUEST_TIMEOUT).header("Accept", JSON_TYPE + ", application/json");
        if (authorization != null) {
            request.header("Authorization", authorization);
        }
        return body == null
                ? request.build()
                : request.header("Content-Type", JSON_TYPE)
                        .POST(BodyPublishers.ofString(body))
                        .build();
    }

    private static Reply reply(URI base, HttpResponse<byte[]> response) {
        JsonNode body;
        try {
            body = JSON.readTree(response.body());
        } catch (JsonProcessingException e) {
            body = JSON.missingNode();
        } catch (IOException e) {
            throw new CompletionException(e);
        }
        Reply reply = new Reply(base, response.statusCode(), body);
        if (reply.status >= 500) {
            throw new CompletionException(new IOException(reply.text()));
        }
        return reply;
    }

    private static String reason(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        return cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
    }

    private static String basic(RegistrySettings settings) {
        byte[] user = (settings.user() + ":").getBytes(StandardCharsets.UTF_8);
        byte[] password = settings.password().bytes();
        byte[] both = java.util.Arrays.copyOf(user, user.length + password.length);
        System.arraycopy(password, 0, both, user.length, password.length);
        return "Basic " + Base64.getEncoder().encodeToString(both);
    }
}
