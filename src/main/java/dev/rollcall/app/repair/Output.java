package dev.rollcall.app.repair;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rollcall.domain.UserId;
import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.text.Printable;
import dev.rollcall.text.Unicode;
import java.io.PrintWriter;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/**
 * What a command tells, as one value: JSON of ASCII alone for programs, or the same as indented lines for people. Ids and texts
 * are strangers': in the lines they are {@link Printable}.
 */
public final class Output {
    private static final JsonMapper JSON =
            JsonMapper.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();
    private static final String INDENT = "  ";

    private final PrintWriter out;
    private final boolean json;

    public Output(CommandSpec spec, boolean json) {
        this.out = spec.commandLine().getOut();
        this.json = json;
    }

    public static ObjectNode object() {
        return JSON.createObjectNode();
    }

    public void print(ObjectNode value) {
        if (json) {
            printJson(value);
        } else {
            fields(value, "");
        }
        out.flush();
    }

    /** For people in other words than for programs. */
    public void print(ObjectNode value, Iterable<String> lines) {
        if (json) {
            printJson(value);
        } else {
            lines.forEach(line -> out.println(Printable.of(line)));
        }
        out.flush();
    }

    private void printJson(ObjectNode value) {
        try {
            out.println(JSON.writerWithDefaultPrettyPrinter().writeValueAsString(value));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree that cannot be written", e);
        }
    }

    private void fields(JsonNode object, String indent) {
        for (Map.Entry<String, JsonNode> field : object.properties()) {
            field(field.getKey(), field.getValue(), indent);
        }
    }

    private void field(String name, JsonNode value, String indent) {
        if (value.isObject() && !value.isEmpty()) {
            out.println(indent + name + ":");
            fields(value, indent + INDENT);
        } else if (value.isArray() && !value.isEmpty()) {
            out.println(indent + name + ":");
            int number = 1;
            for (JsonNode one : value) {
                field(Integer.toString(number++), one, indent + INDENT);
            }
        } else {
            String text = value.isContainerNode() || value.isNull() ? "none" : Printable.of(value.asText());
            out.println(indent + name + ": " + text);
        }
    }

    // ---- values ----

    /** An instant of ms since the epoch as ISO 8601; null: there is none. */
    public static @Nullable String time(@Nullable Long at) {
        if (at == null || at == UserSnapshot.NEVER) {
            return null;
        }
        return Instant.ofEpochMilli(at).toString();
    }

    /** Bytes as text if they are well-formed UTF-8, else in hexadecimal. */
    public static @Nullable String text(byte @Nullable [] bytes) {
        if (bytes == null) {
            return null;
        }
        return Unicode.isWellFormed(bytes, 0, bytes.length)
                ? UserId.ofBytes(bytes).toString()
                : "0x" + HexFormat.of().formatHex(bytes);
    }

    /** The user that was given as an argument. */
    public static UserId user(CommandSpec spec, String text) {
        UserId user = UserId.of(text);
        if (!user.isValid()) {
            throw new ParameterException(
                    spec.commandLine(), "USER must have 1 to 255 bytes: it has " + user.bytes().length);
        }
        return user;
    }
}
