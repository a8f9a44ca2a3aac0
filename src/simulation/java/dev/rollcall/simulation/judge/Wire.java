package dev.rollcall.simulation.judge;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;

/** Writes records as clients and Rollcall do, for the judge's own tests. */
final class Wire {
    private static final Map<String, Schema> SCHEMAS = new HashMap<>();

    private Wire() {}

    static Schema schema(String name) {
        return SCHEMAS.computeIfAbsent(name, missing -> {
            try {
                return new Schema.Parser().parse(Files.readString(Path.of("schemas", name + ".avsc")));
            } catch (IOException unreadable) {
                throw new UncheckedIOException(unreadable);
            }
        });
    }

    static byte[] encode(GenericRecord value) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        byte[] header = new byte[] {(byte) 0xC3, 1};
        bytes.writeBytes(header);
        bytes.writeBytes(ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(SchemaNormalization.parsingFingerprint64(value.getSchema()))
                .array());
        BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(bytes, null);
        try {
            new GenericDatumWriter<GenericRecord>(value.getSchema()).write(value, encoder);
            encoder.flush();
        } catch (IOException unwritable) {
            throw new UncheckedIOException(unwritable);
        }
        return bytes.toByteArray();
    }

    static byte[] encode(Presence presence) {
        GenericRecord value = new GenericData.Record(schema("UserPresence"));
        Schema states = value.getSchema().getField("state").schema();
        State previous = presence.previousState();
        value.put("state", new GenericData.EnumSymbol(states, presence.state().name()));
        value.put("previous_state", previous == null ? null : new GenericData.EnumSymbol(states, previous.name()));
        value.put("status", presence.text());
        value.put("since", presence.since());
        value.put("last_active", presence.lastActive());
        value.put("sequence", presence.sequence());
        return encode(value);
    }

    /** The record, with each of its fields changed a little. */
    static List<Presence> wrong(Presence p) {
        State other = p.state() == State.IDLE ? State.ONLINE : State.IDLE;
        State previous = p.previousState() == null ? State.OFFLINE : null;
        long active = p.lastActive() == null ? 1 : p.lastActive() + 1;
        return List.of(
                new Presence(
                        other, p.previousState(), p.text(), p.since(), p.lastActive(), p.sequence(), p.timestamp()),
                new Presence(p.state(), previous, p.text(), p.since(), p.lastActive(), p.sequence(), p.timestamp()),
                new Presence(p.state(), p.previousState(), "?", p.since(), p.lastActive(), p.sequence(), p.timestamp()),
                new Presence(
                        p.state(),
                        p.previousState(),
                        p.text(),
                        p.since() + 1,
                        p.lastActive(),
                        p.sequence(),
                        p.timestamp()),
                new Presence(
                        p.state(),
                        p.previousState(),
                        p.text(),
                        p.since() - 1,
                        p.lastActive(),
                        p.sequence(),
                        p.timestamp()),
                new Presence(p.state(), p.previousState(), p.text(), p.since(), active, p.sequence(), p.timestamp()),
                new Presence(
                        p.state(),
                        p.previousState(),
                        p.text(),
                        p.since(),
                        p.lastActive(),
                        p.sequence() + 1,
                        p.timestamp()),
                new Presence(
                        p.state(),
                        p.previousState(),
                        p.text(),
                        p.since(),
                        p.lastActive(),
                        p.sequence(),
                        p.timestamp() + 1));
    }
}
