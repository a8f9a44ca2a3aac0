package dev.rollcall.real;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.Error;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The OpenAPI document, as a judge of answers: each must be one that the document has for its route and status, with a body
 * of its schema and no property that the schema does not name. The page's files are in no document; what they are answered
 * with is not looked at, unless it is an error.
 */
final class OpenApi {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final String JSON = "application/json";
    private static final String EVENTS = "text/event-stream";
    private static final Pattern PAGE = Pattern.compile("/([a-z]+\\.(js|css))?");

    /** The address of the schemas, from which nothing is loaded. */
    private static final String SCHEMAS = "https://rollcall.invalid/schemas";

    private static final String IN_DOCUMENT = "#/components/schemas/";
    private static final String IN_SCHEMAS = "#/$defs/";

    private static final OpenApi DOCUMENT = read();

    private final JsonNode document;
    private final SchemaRegistry schemas;

    /** Not an AssertionError, which a test that waits for something would take for "not yet". */
    static final class MismatchException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        MismatchException(String request, String reason) {
            super("openapi.json does not describe the answer to %s: %s".formatted(request, reason));
        }
    }

    /**
     * An answer to a request.
     *
     * @param method as it was sent
     * @param target path and query, as they were sent
     * @param headers by name, case-insensitive
     */
    record Answer(String method, String target, int status, UnaryOperator<@Nullable String> headers, String body) {
        private String path() {
            return target.split("[?#]", 2)[0];
        }

        private MismatchException mismatch(String reason) {
            return new MismatchException("%s %s".formatted(method, target), "%d, %s".formatted(status, reason));
        }
    }

    private OpenApi(JsonNode document) {
        this.document = document;
        JsonNode own = document.path("components").path("schemas");
        close(own);
        String all = MAPPER.createObjectNode().set("$defs", own).toString().replace(IN_DOCUMENT, IN_SCHEMAS);
        this.schemas = SchemaRegistry.withDefaultDialect(
                SpecificationVersion.DRAFT_2020_12, registry -> registry.schemas(Map.of(SCHEMAS, all)));
    }

    private static OpenApi read() {
        try (InputStream in = OpenApi.class.getResourceAsStream("/openapi.json")) {
            return new OpenApi(MAPPER.readTree(in));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Clients must take properties that they do not know; the tests must not let the document miss any. */
    private static void close(JsonNode schema) {
        if (schema instanceof ObjectNode object
                && object.path("properties").isObject()
                && !object.has("additionalProperties")) {
            object.put("additionalProperties", false);
        }
        schema.forEach(OpenApi::close);
    }

    /** Throws a {@link MismatchException} if the document does not have this answer. The events of a stream are not read. */
    static void check(Answer answer) {
        DOCUMENT.judge(answer);
    }

    /** As {@link #check}, for one event of the stream that a GET has opened. */
    static void checkEvent(String target, String name, JsonNode data) {
        Answer opened = new Answer("GET", target, 200, header -> EVENTS, "");
        JsonNode schema = DOCUMENT.response(opened)
                .path("content")
                .path(EVENTS)
                .path("x-events")
                .path(name);
        if (schema.isMissingNode()) {
            throw opened.mismatch("the event \"%s\" is not described".formatted(name));
        }
        DOCUMENT.validate(opened, schema, data);
    }

    private void judge(Answer answer) {
        if (answer.status() == 200 && PAGE.matcher(answer.path()).matches()) {
            return;
        }
        JsonNode response = response(answer);
        for (Map.Entry<String, JsonNode> header : response.path("headers").properties()) {
            if (resolve(header.getValue()).path("required").asBoolean()
                    && answer.headers().apply(header.getKey()) == null) {
                throw answer.mismatch("the header %s is missing".formatted(header.getKey()));
            }
        }
        JsonNode content = response.path("content");
        if (answer.method().equals("HEAD") || content.isMissingNode()) {
            if (!answer.body().isEmpty()) {
                throw answer.mismatch("there must be no body, and there is " + answer.body());
            }
            return;
        }
        String type =
                Optional.ofNullable(answer.headers().apply("Content-Type")).orElse("none");
        if (!content.has(type)) {
            throw answer.mismatch("the Content-Type must not be " + type);
        }
        if (type.equals(JSON)) {
            validate(answer, content.path(type).path("schema"), json(answer));
        }
    }

    /** What the document has for the answer's route and status. */
    private JsonNode response(Answer answer) {
        JsonNode operation = operation(answer);
        String status = String.valueOf(answer.status());
        JsonNode own = operation == null
                ? document.path("x-no-operation").path(status)
                : operation.path("responses").path(status);
        JsonNode response = own.isMissingNode() ? document.path("x-any-request").path(status) : own;
        if (response.isMissingNode()) {
            throw answer.mismatch("which is not among the responses of "
                    + (operation == null ? "a request without an operation" : operation.path("operationId")));
        }
        return resolve(response);
    }

    private @Nullable JsonNode operation(Answer answer) {
        String method = answer.method().equals("HEAD") ? "get" : answer.method().toLowerCase(Locale.ROOT);
        boolean isKnown = answer.method().equals(answer.method().toUpperCase(Locale.ROOT));
        for (Map.Entry<String, JsonNode> path : document.path("paths").properties()) {
            if (isKnown
                    && matches(path.getKey(), answer.path())
                    && path.getValue().has(method)) {
                return path.getValue().path(method);
            }
        }
        return null;
    }

    private static boolean matches(String template, String path) {
        List<String> expected = List.of(template.split("/", -1));
        List<String> actual = List.of(path.split("/", -1));
        if (expected.size() != actual.size()) {
            return false;
        }
        for (int i = 0; i < expected.size(); i++) {
            if (!expected.get(i).startsWith("{") && !expected.get(i).equals(actual.get(i))) {
                return false;
            }
        }
        return true;
    }

    private JsonNode resolve(JsonNode node) {
        return node.has("$ref") ? document.at(node.path("$ref").asText().substring(1)) : node;
    }

    private static JsonNode json(Answer answer) {
        try {
            return MAPPER.readTree(answer.body());
        } catch (IOException e) {
            throw answer.mismatch("the body is not JSON: " + answer.body());
        }
    }

    /** The schema must be a reference. */
    private void validate(Answer answer, JsonNode schema, JsonNode data) {
        String reference = schema.required("$ref").asText().replace(IN_DOCUMENT, IN_SCHEMAS);
        Schema loaded = schemas.getSchema(SchemaLocation.of(SCHEMAS + reference));
        List<Error> errors = loaded.validate(data);
        if (!errors.isEmpty()) {
            throw answer.mismatch("%s in %s".formatted(errors, data));
        }
    }
}
