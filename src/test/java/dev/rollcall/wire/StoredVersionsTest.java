package dev.rollcall.wire;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.domain.UserSnapshot.DeviceSnapshot;
import dev.rollcall.domain.UserSnapshot.Emitted;
import dev.rollcall.wire.stored.StoredSerialization;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whether a user who was stored by any version of the schema is read: by an earlier Rollcall, before an upgrade. */
class StoredVersionsTest {
    private static final Path STORE = Path.of("schemas", "store", "UserState.avsc");

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5})
    void shouldBeReadWhenAnEarlierVersionStoredTheUser(int version) throws IOException {
        UserSnapshot read = StoredSerialization.userSnapshots().deserializer().deserialize("users", stored(version));

        assertThat(read.status()).isEqualTo(new StatusText("here", null));
        assertThat(read.devices())
                .containsExactly(DeviceSnapshot.stored(
                        "phone", PresenceState.IDLE, 1_000, 5_000, 30_000, false, 35_000, "shard-1", null));
        long at = version == 3 || version == 4 ? 1_000 : 1_100; // these two did not store it
        assertThat(read.emitted()).isEqualTo(new Emitted(PresenceState.IDLE, 1_000, at, 7));
        assertThat(read.lastActive()).isEqualTo(900);
        assertThat(read.forgettableSince()).isEqualTo(UserSnapshot.NEVER);
        assertThat(StoredSerialization.userSnapshots()
                        .deserializer()
                        .deserialize(
                                "users",
                                StoredSerialization.userSnapshots().serializer().serialize("users", read)))
                .isEqualTo(read);
    }

    @Test
    void shouldBeTheLastCommittedVersionWhenItIsTheCurrentOne() throws IOException {
        assertThat(version(6)).isEqualTo(new Schema.Parser().parse(Files.readString(STORE)));
    }

    private static byte[] stored(int version) throws IOException {
        Schema schema = version(version);
        GenericRecord device =
                new GenericData.Record(schema.getField("devices").schema().getElementType());
        put(device, "device_id", "phone");
        put(device, "state", symbol(device, "state"));
        put(device, "since", 1_000L);
        put(device, "last_heard", 5_000L);
        put(device, "lease_ms", 30_000L);
        put(device, "connection_ended", false);
        put(device, "deadline", 35_000L);
        put(device, "shard", "shard-1");
        put(device, "session_life", 0);
        GenericRecord said = new GenericData.Record(
                schema.getField("said").schema().getTypes().get(1));
        put(said, "state", symbol(device, "state"));
        put(said, "status", "here");
        put(said, "since", 1_000L);
        put(said, "last_active", 900L);
        put(said, "sequence", 7L);
        put(said, "at", 1_100L);
        GenericRecord user = new GenericData.Record(schema);
        put(user, "devices", List.of(device));
        put(user, "text", "here");
        put(user, "appear_offline", false);
        put(user, "said", said);
        put(user, "last_active", 900L);
        put(user, "routing_sequence", 0L);
        put(user, "clock_ahead_ms", 0L);
        return singleObject(user);
    }

    /** Sets a field, if this version has it. */
    private static void put(GenericRecord record, String field, Object value) {
        if (record.getSchema().getField(field) != null) {
            record.put(field, value);
        }
    }

    private static Object symbol(GenericRecord record, String field) {
        return new GenericData.EnumSymbol(record.getSchema().getField(field).schema(), "IDLE");
    }

    private static byte[] singleObject(GenericRecord record) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(0xC3);
        out.write(1);
        out.write(ByteBuffer.allocate(Long.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(SchemaNormalization.parsingFingerprint64(record.getSchema()))
                .array());
        BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(out, null);
        new GenericDatumWriter<GenericRecord>(record.getSchema()).write(record, encoder);
        encoder.flush();
        return out.toByteArray();
    }

    private static Schema version(int number) throws IOException {
        return new Schema.Parser()
                .parse(Files.readString(Path.of("schemas", "versions", "UserState." + number + ".avsc")));
    }
}
