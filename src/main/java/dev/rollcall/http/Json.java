package dev.rollcall.http;

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

/** The bodies of requests: JSON objects, read strictly. Fields that nobody knows are left alone. */
final class Json {
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

    static ObjectNode object() {
        return MAPPER.createObjectNode();
    }

    static JsonNode read(byte[] body) {
        JsonNode json;
        try {
            json = MAPPER.readTree(body);
        } catch (IOException e) {
            throw ApiException.notJson("the body must be JSON"); // what is wrong with it may quote it
        }
        if (json == null || json.isMissingNode()) {
            throw ApiException.notJson("there must be a body: a JSON object");
        }
        if (!json.isObject()) {
            throw ApiException.badJson("the body must be a JSON object");
        }
        return json;
    }

    static String text(JsonNode json, String field) {
        return optionalText(json, field).orElseThrow(() -> ApiException.badJson("%s is missing".formatted(field)));
    }

    /** Empty: the field is missing, or null. */
    static Optional<String> optionalText(JsonNode json, String field) {
        JsonNode value = json.path(field);
        if (value.isMissingNode() || value.isNull()) {
            return Optional.empty();
        }
        if (!value.isTextual()) {
            throw ApiException.badJson("%s must be a string".formatted(field));
        }
        return Optional.of(Ids.wellFormed(value.textValue(), field));
    }

    /** Empty: the field is missing, or null. */
    static OptionalLong optionalNumber(JsonNode json, String field, long least, long most) {
        JsonNode value = json.path(field);
        if (value.isMissingNode() || value.isNull()) {
            return OptionalLong.empty();
        }
        if (!value.isIntegralNumber() || !value.canConvertToLong()) {
            throw ApiException.badJson("%s must be a whole number".formatted(field));
        }
        long number = value.longValue();
        if (number < least || number > most) {
            throw ApiException.badJson("%s must be %d to %d".formatted(field, least, most));
        }
        return OptionalLong.of(number);
    }

    static boolean flag(JsonNode json, String field) {
        JsonNode value = json.path(field);
        if (!value.isBoolean()) {
            throw ApiException.badJson("%s must be true or false".formatted(field));
        }
        return value.booleanValue();
    }
}
