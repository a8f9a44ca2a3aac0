package dev.rollcall.http.server;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.Optional;
import java.util.OptionalLong;

/** Reads JSON objects strictly, and refuses what does not fit. Unknown fields are ignored. */
public final class Json {
    private static final int MAX_DEPTH = 16;
    private static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(MAX_DEPTH)
                            .build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .build();

    private Json() {}

    public static ObjectNode object() {
        return MAPPER.createObjectNode();
    }

    public static JsonNode read(byte[] body) {
        JsonNode json;
        try {
            json = MAPPER.readTree(body);
        } catch (IOException e) {
            throw ApiException.notJson(
                    "the body must be JSON"); // without the parser's message, which may quote the body
        }
        if (json == null || json.isMissingNode()) {
            throw ApiException.notJson("there must be a body: a JSON object");
        }
        if (!json.isObject()) {
            throw ApiException.badJson("the body must be a JSON object");
        }
        return json;
    }

    public static String text(JsonNode json, String field) {
        return optionalText(json, field).orElseThrow(() -> ApiException.badJson("%s is missing".formatted(field)));
    }

    /** Empty if the field is missing, or null. */
    public static Optional<String> optionalText(JsonNode json, String field) {
        JsonNode value = json.path(field);
        if (value.isMissingNode() || value.isNull()) {
            return Optional.empty();
        }
        if (!value.isTextual()) {
            throw ApiException.badJson("%s must be a string".formatted(field));
        }
        return Optional.of(Ids.wellFormed(value.textValue(), field));
    }

    /** Empty if the field is missing, or null. */
    public static OptionalLong optionalNumber(JsonNode json, String field, long min, long max) {
        JsonNode value = json.path(field);
        if (value.isMissingNode() || value.isNull()) {
            return OptionalLong.empty();
        }
        if (!value.isIntegralNumber() || !value.canConvertToLong()) {
            throw ApiException.badJson("%s must be a whole number".formatted(field));
        }
        long number = value.longValue();
        if (number < min || number > max) {
            throw ApiException.badJson("%s must be %d to %d".formatted(field, min, max));
        }
        return OptionalLong.of(number);
    }

    public static boolean flag(JsonNode json, String field) {
        JsonNode value = json.path(field);
        if (!value.isBoolean()) {
            throw ApiException.badJson("%s must be true or false".formatted(field));
        }
        return value.booleanValue();
    }
}
