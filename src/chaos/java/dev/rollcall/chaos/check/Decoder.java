package dev.rollcall.chaos.check;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.util.Utf8;
import org.jspecify.annotations.Nullable;

/** Reads the contract's records with Avro's generic reader, and refuses what the contract refuses (rule 12). */
final class Decoder {
    private static final int MAX_ID_BYTES = 255;
    private static final int MAX_TEXT_BYTES = 1024;
    private static final long MAX_LEASE_MS = 86_400_000;
    private static final long MAX_SHARD_LEASE_MS = 3_600_000;
    private static final int HEADER_BYTES = 10;

    private static final List<Version> VERSIONS = versions();

    /** By fingerprint. */
    private final Map<Long, GenericDatumReader<GenericRecord>> readers = new HashMap<>();

    private @Nullable BinaryDecoder reused;

    Decoder() {
        VERSIONS.forEach(version ->
                readers.put(version.fingerprint(), new GenericDatumReader<>(version.writer(), version.reader())));
    }

    /** A schema by which records may have been written, and the one by which they are read. */
    private record Version(Schema writer, Schema reader, long fingerprint) {
        Version(Schema writer, Schema reader) {
            this(writer, reader, SchemaNormalization.parsingFingerprint64(writer));
        }
    }

    private static List<Version> versions() {
        List<Version> versions = new ArrayList<>();
        for (String name : new String[] {
            "DeviceHeartbeat", "ShardHeartbeat", "ClockPulse", "UserStatus", "AppearOffline", "UserPresence"
        }) {
            Schema current = schema("/schemas/" + name + ".avsc");
            if (current == null) {
                throw new IllegalStateException("there is no schema " + name);
            }
            versions.add(new Version(current, current));
            for (int version = 1; ; version++) {
                Schema older = schema("/schemas/versions/" + name + "." + version + ".avsc");
                if (older == null) {
                    break;
                }
                versions.add(new Version(older, current));
            }
        }
        return List.copyOf(versions);
    }

    /** What a record on the heartbeat topic holds. */
    sealed interface Value {}

    record HeartbeatValue(
            String device,
            @Nullable State state,
            boolean closed,
            @Nullable Long leaseMs,
            @Nullable String shard,
            Hold.@Nullable Session session)
            implements Value {}

    record ShardHeartbeatValue(
            String shard,
            String session,
            long startedAt,
            @Nullable Long leaseMs,
            boolean ended) implements Value {}

    record TickValue(String instance) implements Value {}

    record StatusText(@Nullable String text, @Nullable Long endsAt) {}

    record Presence(
            State state,
            @Nullable State previous,
            @Nullable String status,
            long since,
            @Nullable Long lastActive,
            long sequence) {}

    /** The user that a key names; null: none. */
    static @Nullable String user(byte @Nullable [] key) {
        if (key == null || key.length == 0 || key.length > MAX_ID_BYTES) {
            return null;
        }
        return isText(key, key.length) ? new String(key, StandardCharsets.UTF_8) : null;
    }

    /** Whether it is well-formed UTF-8; what is not is refused, never repaired. */
    private static boolean isText(byte[] bytes, int length) {
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes, 0, length));
            return true;
        } catch (CharacterCodingException e) {
            return false;
        }
    }

    /** Null: nothing that counts. */
    @Nullable
    Value heartbeat(byte @Nullable [] value) {
        GenericRecord record = record(value);
        if (record == null) {
            return null;
        }
        if (record.getSchema().getName().equals("ClockPulse")) {
            return new TickValue(record.get("instance").toString());
        }
        if (record.getSchema().getName().equals("ShardHeartbeat")) {
            return shardHeartbeat(record);
        }
        if (!record.getSchema().getName().equals("DeviceHeartbeat")) {
            return null;
        }
        String device = record.get("device_id").toString();
        String shard = text(record.get("shard"));
        String session = text(record.get("session"));
        Long leaseMs = (Long) record.get("lease_ms");
        if (!isId(device)
                || (shard != null && !isId(shard))
                || (session != null && (shard == null || !isId(session)))
                || (leaseMs != null && (leaseMs <= 0 || leaseMs > MAX_LEASE_MS))) {
            return null;
        }
        boolean closed = record.get("connection").toString().equals("CLOSED");
        return new HeartbeatValue(
                device,
                state(record.get("state")),
                closed,
                leaseMs,
                shard,
                session == null || shard == null ? null : new Hold.Session(shard, session));
    }

    private static @Nullable Value shardHeartbeat(GenericRecord record) {
        String shard = record.get("shard").toString();
        String session = record.get("session").toString();
        Long leaseMs = (Long) record.get("lease_ms");
        if (!isId(shard) || !isId(session) || (leaseMs != null && (leaseMs <= 0 || leaseMs > MAX_SHARD_LEASE_MS))) {
            return null;
        }
        return new ShardHeartbeatValue(
                shard, session, (Long) record.get("started_at"), leaseMs, (Boolean) record.get("ended"));
    }

    @Nullable
    StatusText status(byte @Nullable [] value) {
        if (value == null) {
            return new StatusText(null, null);
        }
        GenericRecord record = record(value);
        if (record == null || !record.getSchema().getName().equals("UserStatus")) {
            return null;
        }
        String text = text(record.get("text"));
        if (text == null || text.isEmpty()) {
            return new StatusText(null, null);
        }
        return bytes(text) > MAX_TEXT_BYTES ? null : new StatusText(text, (Long) record.get("expires_at"));
    }

    @Nullable
    Boolean flag(byte @Nullable [] value) {
        if (value == null) {
            return false;
        }
        GenericRecord record = record(value);
        if (record == null || !record.getSchema().getName().equals("AppearOffline")) {
            return null;
        }
        return (Boolean) record.get("appear_offline");
    }

    @Nullable
    Presence presence(byte[] value) {
        GenericRecord record = record(value);
        if (record == null || !record.getSchema().getName().equals("UserPresence")) {
            return null;
        }
        State state = state(record.get("state"));
        return state == null
                ? null
                : new Presence(
                        state,
                        state(record.get("previous_state")),
                        text(record.get("status")),
                        (Long) record.get("since"),
                        (Long) record.get("last_active"),
                        (Long) record.get("sequence"));
    }

    private @Nullable GenericRecord record(byte @Nullable [] value) {
        if (value == null || value.length < HEADER_BYTES || value[0] != (byte) 0xC3 || value[1] != 1) {
            return null;
        }
        GenericDatumReader<GenericRecord> reader = readers.get(
                ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN).getLong(2));
        if (reader == null) {
            return null;
        }
        try {
            reused = DecoderFactory.get().binaryDecoder(value, HEADER_BYTES, value.length - HEADER_BYTES, reused);
            GenericRecord record = reader.read(null, reused);
            return reused.isEnd() && hasText(record) ? record : null;
        } catch (IOException | RuntimeException e) {
            return null; // garbage may break a reader in any way
        }
    }

    private static boolean hasText(GenericRecord record) {
        return record.getSchema().getFields().stream()
                .allMatch(field -> !(record.get(field.pos()) instanceof Utf8 text)
                        || isText(text.getBytes(), text.getByteLength()));
    }

    private static @Nullable Schema schema(String path) {
        try (InputStream file = Decoder.class.getResourceAsStream(path)) {
            return file == null ? null : new Schema.Parser().parse(file);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + path, e);
        }
    }

    private static @Nullable State state(@Nullable Object value) {
        return value == null ? null : State.valueOf(value.toString());
    }

    private static @Nullable String text(@Nullable Object value) {
        return value == null ? null : value.toString();
    }

    private static boolean isId(String id) {
        int bytes = bytes(id);
        return bytes > 0 && bytes <= MAX_ID_BYTES;
    }

    private static int bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8).length;
    }
}
