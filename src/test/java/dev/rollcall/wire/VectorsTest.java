package dev.rollcall.wire;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rollcall.v1.AppearOffline;
import dev.rollcall.v1.ClockPulse;
import dev.rollcall.v1.ConnectionPhase;
import dev.rollcall.v1.DeviceHeartbeat;
import dev.rollcall.v1.PresenceState;
import dev.rollcall.v1.RoutingDevice;
import dev.rollcall.v1.RoutingReason;
import dev.rollcall.v1.RoutingView;
import dev.rollcall.v1.ShardHeartbeat;
import dev.rollcall.v1.UserPresence;
import dev.rollcall.v1.UserStatus;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.message.BinaryMessageDecoder;
import org.apache.avro.message.BinaryMessageEncoder;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The golden bytes of {@code schemas/vectors}, which clients in every language are held to. */
final class VectorsTest {
    private static final Path SCHEMAS = Path.of("schemas");
    private static final ObjectMapper JSON = new ObjectMapper().enable(DeserializationFeature.USE_LONG_FOR_INTS);

    record Vector(String record, String name, JsonNode json, String hex) {
        @Override
        public String toString() {
            return record + ": " + name;
        }
    }

    static Stream<String> records() {
        return namesIn(SCHEMAS, ".avsc");
    }

    static Stream<Vector> vectors() {
        return records().flatMap(VectorsTest::vectors);
    }

    @Test
    void shouldHaveVectorsForEveryRecordAndNothingElse() {
        assertThat(namesIn(SCHEMAS.resolve("vectors"), ".json"))
                .containsExactlyElementsOf(records().toList());
    }

    @ParameterizedTest
    @MethodSource("records")
    void shouldHaveAtLeastThreeVectors(String record) {
        // AppearOffline is one boolean: two values are all that there are.
        int atLeast = record.equals("AppearOffline") ? 2 : 3;

        assertThat(vectors(record)).hasSizeGreaterThanOrEqualTo(atLeast);
        assertThat(vectors(record).map(Vector::name)).doesNotHaveDuplicates();
        assertThat(vectors(record).map(Vector::hex)).doesNotHaveDuplicates();
    }

    @ParameterizedTest
    @MethodSource("records")
    void shouldShowEverySymbolAndEveryBranchInSomeVector(String record) {
        for (Schema.Field field : schema(record).getFields()) {
            List<JsonNode> values = vectors(record)
                    .map(vector -> vector.json().path(field.name()))
                    .toList();
            if (field.schema().isNullable()) {
                assertThat(values).as(field.name()).anyMatch(JsonNode::isNull).anyMatch(value -> !value.isNull());
            }
            Schema type = nonNull(field.schema());
            if (type.getType() == Schema.Type.ENUM) {
                assertThat(values.stream().map(JsonNode::textValue))
                        .as(field.name())
                        .containsAll(type.getEnumSymbols());
            }
        }
    }

    @ParameterizedTest
    @MethodSource("vectors")
    void shouldEncodeTheJsonToTheBytes(Vector vector) throws IOException {
        Schema schema = schema(vector.record());
        GenericRecord value = (GenericRecord) fromJson(vector.json(), schema);

        ByteBuffer bytes = new BinaryMessageEncoder<GenericRecord>(new GenericData(), schema).encode(value);

        assertThat(hex(bytes)).isEqualTo(vector.hex());
    }

    @ParameterizedTest
    @MethodSource("vectors")
    void shouldDecodeTheBytesToTheJson(Vector vector) throws IOException {
        byte[] bytes = HexFormat.of().parseHex(vector.hex());

        GenericRecord value =
                new BinaryMessageDecoder<GenericRecord>(new GenericData(), schema(vector.record())).decode(bytes);

        assertThat(toJson(value)).isEqualTo(vector.json());
    }

    @ParameterizedTest
    @MethodSource("vectors")
    void shouldEncodeTheGeneratedClassToTheBytes(Vector vector) throws IOException {
        assertThat(hex(encodeGenerated(vector))).isEqualTo(vector.hex());
    }

    private static ByteBuffer encodeGenerated(Vector vector) throws IOException {
        JsonNode json = vector.json();
        return switch (vector.record()) {
            case "DeviceHeartbeat" ->
                DeviceHeartbeat.newBuilder()
                        .setDeviceId(json.get("device_id").textValue())
                        .setState(state(json.get("state")))
                        .setConnection(
                                ConnectionPhase.valueOf(json.get("connection").textValue()))
                        .setLeaseMs(number(json.get("lease_ms")))
                        .setShard(json.get("shard").textValue())
                        .setSession(json.get("session").textValue())
                        .build()
                        .toByteBuffer();
            case "ShardHeartbeat" ->
                ShardHeartbeat.newBuilder()
                        .setShard(json.get("shard").textValue())
                        .setSession(json.get("session").textValue())
                        .setStartedAt(instant(json.get("started_at")))
                        .setLeaseMs(number(json.get("lease_ms")))
                        .setEnded(json.get("ended").booleanValue())
                        .build()
                        .toByteBuffer();
            case "ClockPulse" ->
                ClockPulse.newBuilder()
                        .setInstance(json.get("instance").textValue())
                        .build()
                        .toByteBuffer();
            case "UserStatus" ->
                UserStatus.newBuilder()
                        .setText(json.get("text").textValue())
                        .setExpiresAt(instant(json.get("expires_at")))
                        .build()
                        .toByteBuffer();
            case "AppearOffline" ->
                AppearOffline.newBuilder()
                        .setAppearOffline(json.get("appear_offline").booleanValue())
                        .build()
                        .toByteBuffer();
            case "UserPresence" ->
                UserPresence.newBuilder()
                        .setState(state(json.get("state")))
                        .setPreviousState(state(json.get("previous_state")))
                        .setStatus(json.get("status").textValue())
                        .setSince(instant(json.get("since")))
                        .setLastActive(instant(json.get("last_active")))
                        .setSequence(json.get("sequence").longValue())
                        .build()
                        .toByteBuffer();
            case "RoutingView" ->
                RoutingView.newBuilder()
                        .setState(state(json.get("state")))
                        .setAppearOffline(json.get("appear_offline").booleanValue())
                        .setText(json.get("text").textValue())
                        .setDevices(StreamSupport.stream(json.get("devices").spliterator(), false)
                                .map(device -> new RoutingDevice(
                                        device.get("device_id").textValue(),
                                        state(device.get("state")),
                                        instant(device.get("since")),
                                        instant(device.get("last_active")),
                                        instant(device.get("lease_until"))))
                                .toList())
                        .setReason(RoutingReason.valueOf(json.get("reason").textValue()))
                        .setSequence(json.get("sequence").longValue())
                        .build()
                        .toByteBuffer();
            default -> throw new AssertionError("a record that this test does not know: " + vector.record());
        };
    }

    private static @Nullable PresenceState state(JsonNode json) {
        return json.isNull() ? null : PresenceState.valueOf(json.textValue());
    }

    private static @Nullable Long number(JsonNode json) {
        return json.isNull() ? null : json.longValue();
    }

    private static @Nullable Instant instant(JsonNode json) {
        return json.isNull() ? null : Instant.ofEpochMilli(json.longValue());
    }

    private static @Nullable Object fromJson(JsonNode json, Schema schema) {
        return switch (schema.getType()) {
            case UNION -> json.isNull() ? null : fromJson(json, nonNull(schema));
            case RECORD -> {
                GenericRecord value = new GenericData.Record(schema);
                schema.getFields()
                        .forEach(field -> value.put(field.name(), fromJson(json.get(field.name()), field.schema())));
                yield value;
            }
            case ARRAY -> {
                List<@Nullable Object> items = new ArrayList<>();
                json.forEach(item -> items.add(fromJson(item, schema.getElementType())));
                yield items;
            }
            case ENUM -> new GenericData.EnumSymbol(schema, json.textValue());
            case STRING -> json.textValue();
            case LONG -> json.longValue();
            case BOOLEAN -> json.booleanValue();
            default -> throw new AssertionError("a type that no schema uses: " + schema);
        };
    }

    private static JsonNode toJson(@Nullable Object value) {
        JsonNodeFactory json = JsonNodeFactory.instance;
        if (value == null) {
            return json.nullNode();
        } else if (value instanceof Boolean flag) {
            return json.booleanNode(flag);
        } else if (value instanceof Long number) {
            return json.numberNode(number);
        } else if (value instanceof Collection<?> items) {
            ArrayNode array = json.arrayNode();
            items.forEach(item -> array.add(toJson(item)));
            return array;
        } else if (value instanceof GenericRecord record) {
            ObjectNode object = json.objectNode();
            record.getSchema().getFields().forEach(field -> object.set(field.name(), toJson(record.get(field.pos()))));
            return object;
        }
        return json.textNode(value.toString());
    }

    private static Schema nonNull(Schema schema) {
        return schema.isUnion()
                ? schema.getTypes().stream()
                        .filter(branch -> branch.getType() != Schema.Type.NULL)
                        .findFirst()
                        .orElseThrow()
                : schema;
    }

    private static String hex(ByteBuffer bytes) {
        return HexFormat.of().formatHex(bytes.array(), bytes.arrayOffset() + bytes.position(), bytes.limit());
    }

    private static Schema schema(String record) {
        try {
            return new Schema.Parser().parse(Files.readString(SCHEMAS.resolve(record + ".avsc")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Stream<Vector> vectors(String record) {
        try {
            JsonNode file =
                    JSON.readTree(Files.readString(SCHEMAS.resolve("vectors").resolve(record + ".json")));
            return StreamSupport.stream(file.spliterator(), false)
                    .map(vector -> new Vector(
                            record,
                            vector.get("name").textValue(),
                            vector.get("json"),
                            vector.get("hex").textValue()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Stream<String> namesIn(Path folder, String ending) {
        try (Stream<Path> files = Files.list(folder)) {
            return files
                    .map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(ending))
                    .map(name -> name.substring(0, name.length() - ending.length()))
                    .sorted()
                    .toList()
                    .stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
