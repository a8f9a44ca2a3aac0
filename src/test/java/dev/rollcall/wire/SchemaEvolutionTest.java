package dev.rollcall.wire;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.apache.avro.JsonProperties;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaCompatibility.SchemaCompatibilityType;
import org.apache.avro.SchemaNormalization;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The schemas of the contract: what they are today, and that they stay readable from and by every version ever committed. */
final class SchemaEvolutionTest {
    private static final Path SCHEMAS = Path.of("schemas");
    private static final String STATE = "PresenceState{OFFLINE,IDLE,ONLINE}=OFFLINE";

    /** The contract: each record's fields in order, as type and default. */
    private static final Map<String, Map<String, String>> CONTRACT = Map.of(
            "DeviceHeartbeat",
            fields(
                    "device_id", "string",
                    "state", "null|" + STATE + " = null",
                    "connection", "ConnectionPhase{OPEN,CLOSED}=OPEN = OPEN",
                    "lease_ms", "null|long = null",
                    "shard", "null|string = null",
                    "session", "null|string = null"),
            "ShardHeartbeat",
            fields(
                    "shard", "string",
                    "session", "string",
                    "started_at", "timestamp-millis",
                    "lease_ms", "null|long = null",
                    "ended", "boolean = false"),
            "ClockPulse",
            fields("instance", "string"),
            "UserStatus",
            fields(
                    "text", "null|string = null",
                    "expires_at", "null|timestamp-millis = null"),
            "AppearOffline",
            fields("appear_offline", "boolean"),
            "UserPresence",
            fields(
                    "state", STATE,
                    "previous_state", "null|" + STATE + " = null",
                    "status", "null|string = null",
                    "since", "timestamp-millis",
                    "last_active", "null|timestamp-millis = null",
                    "sequence", "long"),
            "RoutingView",
            fields(
                    "state", STATE,
                    "appear_offline", "boolean",
                    "text", "null|string = null",
                    "devices", "array",
                    "reason",
                            "RoutingReason{HEARTBEAT,CONNECTION_END,EXPIRY,STATUS,APPEAR_OFFLINE,FORGOTTEN}=HEARTBEAT",
                    "sequence", "long"));

    static Stream<String> records() {
        return new TreeSet<>(CONTRACT.keySet()).stream();
    }

    @Test
    void shouldHaveExactlyTheRecordsOfTheContract() throws IOException {
        try (Stream<Path> files = Files.list(SCHEMAS)) {
            assertThat(files.map(file -> file.getFileName().toString()).filter(name -> name.endsWith(".avsc")))
                    .containsExactlyInAnyOrderElementsOf(
                            records().map(record -> record + ".avsc").toList());
        }
    }

    @ParameterizedTest
    @MethodSource("records")
    void shouldHaveExactlyTheFieldsOfTheContract(String record) {
        Schema schema = current(record);

        Map<String, String> fields = new LinkedHashMap<>();
        for (Schema.Field field : schema.getFields()) {
            String unset = field.hasDefaultValue() ? " = " + defaultOf(field) : "";
            fields.put(field.name(), type(field.schema()) + unset);
        }
        assertThat(schema.getFullName()).isEqualTo("dev.rollcall.v1." + record);
        assertThat(fields).containsExactlyEntriesOf(contract(record));
    }

    @ParameterizedTest
    @MethodSource("records")
    void shouldKeepTheCurrentSchemaAmongTheCommittedOnes(String record) {
        List<Schema> versions = versions(record);

        assertThat(versions).isNotEmpty();
        assertThat(canonical(current(record))).isEqualTo(canonical(versions.get(versions.size() - 1)));
        assertThat(versions.stream().map(SchemaEvolutionTest::canonical)).doesNotHaveDuplicates();
    }

    @ParameterizedTest
    @MethodSource("records")
    void shouldNumberTheCommittedVersionsWithoutGaps(String record) throws IOException {
        // Readers look for version 1, 2, … and stop at the first that is not there.
        try (Stream<Path> files = Files.list(SCHEMAS.resolve("versions"))) {
            assertThat(files.filter(file -> file.getFileName().toString().startsWith(record + ".")))
                    .hasSize(versions(record).size());
        }
    }

    @ParameterizedTest
    @MethodSource("records")
    void shouldReadWhatEveryCommittedVersionWrote(String record) {
        Schema current = current(record);

        assertThat(versions(record)).allSatisfy(version -> assertReads(current, version));
    }

    @ParameterizedTest
    @MethodSource("records")
    void shouldBeReadByEveryCommittedVersion(String record) {
        Schema current = current(record);

        assertThat(versions(record)).allSatisfy(version -> assertReads(version, current));
    }

    @ParameterizedTest
    @MethodSource("records")
    void shouldDocumentEveryTypeAndField(String record) {
        Schema schema = current(record);

        assertThat(schema.getDoc()).as(record).isNotBlank();
        for (Schema.Field field : schema.getFields()) {
            assertThat(field.doc()).as(field.name()).isNotBlank();
            Schema type = nonNull(field.schema());
            if (type.getType() == Schema.Type.ENUM) {
                assertThat(type.getDoc()).as(type.getName()).isNotBlank();
            }
        }
    }

    @ParameterizedTest
    @MethodSource("records")
    void shouldNameTheUnitOfEveryNumber(String record) {
        for (Schema.Field field : current(record).getFields()) {
            Schema type = nonNull(field.schema());
            if (type.getLogicalType() != null) {
                assertThat(field.doc()).as(field.name()).contains("milliseconds since 1970-01-01 UTC");
            } else if (type.getType() == Schema.Type.LONG) {
                // A time span, or a count: "1 for the first, one more with each".
                assertThat(field.doc()).as(field.name()).containsPattern("in milliseconds|\\bcount\\b|\\bone more\\b");
            }
        }
    }

    @ParameterizedTest
    @MethodSource("records")
    void shouldShowTheHeaderOfEveryRecordInTheReadme(String record) throws IOException {
        long fingerprint = Long.reverseBytes(SchemaNormalization.parsingFingerprint64(current(record)));

        assertThat(Files.readAllLines(SCHEMAS.resolve("README.md")))
                .filteredOn(line -> line.startsWith("| `" + record + "` |"))
                .singleElement()
                .asString()
                .contains("`c301 " + HexFormat.of().toHexDigits(fingerprint) + "`");
    }

    private static void assertReads(Schema reader, Schema writer) {
        SchemaCompatibility.SchemaPairCompatibility found =
                SchemaCompatibility.checkReaderWriterCompatibility(reader, writer);
        assertThat(found.getType()).as(found.getDescription()).isEqualTo(SchemaCompatibilityType.COMPATIBLE);
    }

    private static Schema current(String record) {
        return parse(SCHEMAS.resolve(record + ".avsc"));
    }

    /** Every version that was ever current, the oldest first. */
    private static List<Schema> versions(String record) {
        List<Schema> versions = new ArrayList<>();
        Path file = version(record, 1);
        while (Files.exists(file)) {
            versions.add(parse(file));
            file = version(record, versions.size() + 1);
        }
        return versions;
    }

    private static Path version(String record, int number) {
        return SCHEMAS.resolve("versions").resolve(record + "." + number + ".avsc");
    }

    private static Schema parse(Path file) {
        try {
            return new Schema.Parser().parse(Files.readString(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String canonical(Schema schema) {
        return SchemaNormalization.toParsingForm(schema);
    }

    private static Schema nonNull(Schema schema) {
        return schema.isUnion()
                ? schema.getTypes().stream()
                        .filter(branch -> branch.getType() != Schema.Type.NULL)
                        .findFirst()
                        .orElseThrow()
                : schema;
    }

    private static String type(Schema schema) {
        if (schema.getLogicalType() != null) {
            return schema.getLogicalType().getName();
        }
        return switch (schema.getType()) {
            case UNION ->
                schema.getTypes().stream().map(SchemaEvolutionTest::type).collect(joining("|"));
            case ENUM ->
                schema.getName() + "{" + String.join(",", schema.getEnumSymbols()) + "}=" + schema.getEnumDefault();
            default -> schema.getName();
        };
    }

    private static String defaultOf(Schema.Field field) {
        return field.defaultVal() == JsonProperties.NULL_VALUE ? "null" : String.valueOf(field.defaultVal());
    }

    private static Map<String, String> contract(String record) {
        return CONTRACT.getOrDefault(record, Map.of());
    }

    private static Map<String, String> fields(String... namesAndTypes) {
        Map<String, String> fields = new LinkedHashMap<>();
        for (int i = 0; i < namesAndTypes.length; i += 2) {
            fields.put(namesAndTypes[i], namesAndTypes[i + 1]);
        }
        return fields;
    }
}
