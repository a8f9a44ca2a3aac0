package dev.rollcall.simulation.judge;

import dev.rollcall.simulation.judge.Decoded.Bad;
import dev.rollcall.simulation.judge.Decoded.Flag;
import dev.rollcall.simulation.judge.Decoded.Heartbeat;
import dev.rollcall.simulation.judge.Decoded.ShardBeat;
import dev.rollcall.simulation.judge.Decoded.Text;
import dev.rollcall.simulation.judge.Decoded.Tick;
import dev.rollcall.simulation.judge.History.Topic;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.util.Utf8;
import org.jspecify.annotations.Nullable;

/** Reads records with Avro's generic reader and the committed schemas, and tells good input from bad (rule 12). */
final class Decoder {
    private static final long DAY_MS = 86_400_000;
    private static final long HOUR_MS = 3_600_000;
    private static final int MAX_ID_BYTES = 255;
    private static final int MAX_TEXT_BYTES = 1024;
    private static final int HEADER_BYTES = 10;

    /** Schemas that no client writes to an input: whether Rollcall "knows" them there is left open by rule 12. */
    private static final Set<String> INTERNAL = Set.of("RoutingView", "UserState", "ShardState");

    /** Heartbeats of one device are mostly the same bytes: so many different ones are kept decoded. */
    private static final int KEPT = 200_000;

    private final Map<Key, Heartbeat> kept = new HashMap<>();
    private final Map<Long, Version> versions = new HashMap<>();
    private @Nullable BinaryDecoder reused;

    /** A committed version of a schema, read as the current one. */
    private record Version(String name, GenericDatumReader<GenericRecord> reader) {}

    /** A refusal of a value or of a key. */
    private static final class Refused extends Exception {
        private static final long serialVersionUID = 1;
        private final String reason;

        Refused(String reason) {
            super(reason, null, false, false);
            this.reason = reason;
        }
    }

    Decoder(Path schemas) {
        try (Stream<Path> current = Files.list(schemas)) {
            for (Path path :
                    current.filter(file -> file.toString().endsWith(".avsc")).toList()) {
                Schema schema = parse(path);
                add(schema, schema);
                addVersions(schemas.resolve("versions"), schema);
            }
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
        addInternal(schemas.resolve("versions"));
    }

    private void addVersions(Path directory, Schema current) throws IOException {
        for (int version = 1; ; version++) {
            Path path = directory.resolve(current.getName() + "." + version + ".avsc");
            if (!Files.exists(path)) {
                return;
            }
            add(parse(path), current);
        }
    }

    private void addInternal(Path directory) {
        try (Stream<Path> all = Files.list(directory)) {
            for (Path path :
                    all.filter(file -> file.toString().endsWith(".avsc")).toList()) {
                Schema schema = parse(path);
                if (INTERNAL.contains(schema.getName())) {
                    add(schema, schema);
                }
            }
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    private static Schema parse(Path path) throws IOException {
        return new Schema.Parser().parse(Files.readString(path));
    }

    private void add(Schema writer, Schema current) {
        versions.putIfAbsent(
                SchemaNormalization.parsingFingerprint64(writer),
                new Version(current.getName(), new GenericDatumReader<>(writer, current)));
    }

    /** What an input says. The key of a {@code ShardHeartbeat} is not looked at (rule 14). */
    Decoded input(Topic topic, byte @Nullable [] key, byte @Nullable [] value) {
        Set<String> reasons = new TreeSet<>();
        Decoded decoded = value == null
                ? absent(topic)
                : topic == Topic.DEVICE_HEARTBEAT ? heartbeatTopic(value, reasons) : value(topic, value, reasons);
        if (decoded instanceof ShardBeat || decoded instanceof Tick) {
            return decoded;
        }
        if (decoded instanceof Bad bad) {
            reasons.addAll(bad.reasons());
        }
        if (key == null) {
            reasons.add("null_key");
        } else if (key.length == 0 || key.length > MAX_ID_BYTES || !wellFormed(key, key.length)) {
            reasons.add("invalid_key");
        }
        return decoded == null || !reasons.isEmpty() ? new Bad(reasons) : decoded;
    }

    /** The heartbeat that a text carries in the header {@code rollcall.heartbeat} (rule 8). */
    Decoded carried(byte[] value) {
        Set<String> reasons = new TreeSet<>();
        Decoded decoded = value(Topic.DEVICE_HEARTBEAT, value, reasons);
        if (decoded instanceof Heartbeat heartbeat) {
            return heartbeat;
        }
        return new Bad(reasons.isEmpty() ? Set.of("wrong_topic", "invalid_field", "undecodable") : reasons);
    }

    private static Decoded absent(Topic topic) {
        return switch (topic) {
            case DEVICE_HEARTBEAT -> new Bad(Set.of("null_heartbeat"));
            case STATUS -> new Text(null, Long.MAX_VALUE);
            case APPEAR_OFFLINE -> new Flag(false);
        };
    }

    private @Nullable Decoded heartbeatTopic(byte[] value, Set<String> reasons) {
        Key bytes = new Key(value);
        Heartbeat known = kept.get(bytes);
        if (known != null) {
            return known;
        }
        Decoded decoded = value(Topic.DEVICE_HEARTBEAT, value, reasons);
        if (decoded instanceof Heartbeat heartbeat) {
            if (kept.size() == KEPT) {
                kept.clear();
            }
            kept.put(bytes, heartbeat);
        }
        return decoded;
    }

    private @Nullable Decoded value(Topic topic, byte[] value, Set<String> reasons) {
        try {
            Version version = version(value);
            Decoded decoded = null;
            try {
                decoded = fields(version.name(), body(version, value));
            } catch (Refused refused) {
                reasons.add(refused.reason);
            }
            if (!topicsOf(version.name()).contains(topic)) {
                reasons.add("wrong_topic");
                if (INTERNAL.contains(version.name())) {
                    reasons.add("unknown_schema");
                }
            }
            return reasons.isEmpty() ? decoded : null;
        } catch (Refused refused) {
            reasons.add(refused.reason);
            return null;
        }
    }

    private static List<Topic> topicsOf(String schema) {
        return switch (schema) {
            case "DeviceHeartbeat", "ShardHeartbeat", "ClockPulse" -> List.of(Topic.DEVICE_HEARTBEAT);
            case "UserStatus" -> List.of(Topic.STATUS);
            case "AppearOffline" -> List.of(Topic.APPEAR_OFFLINE);
            default -> List.of();
        };
    }

    private Version version(byte[] value) throws Refused {
        if (value.length < HEADER_BYTES || value[0] != (byte) 0xC3 || value[1] != 0x01) {
            throw new Refused("undecodable");
        }
        Version version = versions.get(
                ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN).getLong(2));
        if (version == null) {
            throw new Refused("unknown_schema");
        }
        return version;
    }

    private GenericRecord body(Version version, byte[] value) throws Refused {
        try {
            BinaryDecoder binary =
                    DecoderFactory.get().binaryDecoder(value, HEADER_BYTES, value.length - HEADER_BYTES, reused);
            reused = binary;
            GenericRecord read = version.reader().read(null, binary);
            if (!binary.isEnd()) {
                throw new Refused("undecodable");
            }
            return read;
        } catch (IOException | RuntimeException | OutOfMemoryError broken) {
            // A length of some gigabytes lets Avro ask for an array of that size before it looks what is left.
            throw new Refused("undecodable");
        }
    }

    private @Nullable Decoded fields(String name, GenericRecord read) throws Refused {
        return switch (name) {
            case "DeviceHeartbeat" -> heartbeat(read);
            case "ShardHeartbeat" ->
                new ShardBeat(
                        id(read.get("shard")),
                        id(read.get("session")),
                        (Long) read.get("started_at"),
                        lease((Long) read.get("lease_ms"), HOUR_MS),
                        (Boolean) read.get("ended"));
            case "ClockPulse" -> new Tick();
            case "UserStatus" -> text(read);
            case "AppearOffline" -> new Flag((Boolean) read.get("appear_offline"));
            default -> null;
        };
    }

    private static Heartbeat heartbeat(GenericRecord read) throws Refused {
        Object state = read.get(1);
        Object shard = read.get(4);
        Object session = read.get(5);
        if (session != null && shard == null) {
            throw new Refused("invalid_field");
        }
        return new Heartbeat(
                id(read.get(0)),
                state == null ? null : State.valueOf(state.toString()),
                read.get(2).toString().equals("CLOSED"),
                lease((Long) read.get(3), DAY_MS),
                shard == null ? null : id(shard),
                session == null ? null : id(session));
    }

    private static Text text(GenericRecord read) throws Refused {
        Utf8 text = (Utf8) read.get("text");
        Long expiresAt = (Long) read.get("expires_at");
        if (text != null && (text.getByteLength() > MAX_TEXT_BYTES || !wellFormed(text))) {
            throw new Refused("invalid_field");
        }
        return new Text(
                text == null || text.getByteLength() == 0 ? null : text.toString(),
                expiresAt == null ? Long.MAX_VALUE : expiresAt);
    }

    private static String id(Object value) throws Refused {
        Utf8 text = (Utf8) value;
        if (text.getByteLength() == 0 || text.getByteLength() > MAX_ID_BYTES || !wellFormed(text)) {
            throw new Refused("invalid_field");
        }
        return text.toString();
    }

    private static long lease(@Nullable Long lease, long most) throws Refused {
        if (lease != null && (lease <= 0 || lease > most)) {
            throw new Refused("invalid_field");
        }
        return lease == null ? 0 : lease;
    }

    private static boolean wellFormed(Utf8 text) {
        return wellFormed(text.getBytes(), text.getByteLength());
    }

    private static boolean wellFormed(byte[] bytes, int length) {
        for (int i = 0; i < length; i++) {
            if (bytes[i] < 0) {
                return wellFormedBeyondAscii(bytes, length);
            }
        }
        return true;
    }

    private static boolean wellFormedBeyondAscii(byte[] bytes, int length) {
        try {
            // A new decoder reports what is malformed; it does not replace it.
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes, 0, length));
            return true;
        } catch (CharacterCodingException malformed) {
            return false;
        }
    }

    /** A record of presence; null where it is none. */
    @Nullable
    Presence presence(byte[] value, long timestamp) {
        try {
            Version version = version(value);
            if (!version.name().equals("UserPresence")) {
                return null;
            }
            GenericRecord read = body(version, value);
            Object previous = read.get("previous_state");
            Object text = read.get("status");
            return new Presence(
                    State.valueOf(read.get("state").toString()),
                    previous == null ? null : State.valueOf(previous.toString()),
                    text == null ? null : text.toString(),
                    (Long) read.get("since"),
                    (Long) read.get("last_active"),
                    (Long) read.get("sequence"),
                    timestamp);
        } catch (Refused refused) {
            return null;
        }
    }
}
