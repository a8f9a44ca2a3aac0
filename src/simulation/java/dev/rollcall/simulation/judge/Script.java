package dev.rollcall.simulation.judge;

import dev.rollcall.simulation.judge.History.DeadLetter;
import dev.rollcall.simulation.judge.History.Input;
import dev.rollcall.simulation.judge.History.Output;
import dev.rollcall.simulation.judge.History.Topic;
import dev.rollcall.simulation.judge.Violation.Kind;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.jspecify.annotations.Nullable;

/** A history written by hand, for the judge's own tests. Times are in seconds; the brokers' clocks are right. */
final class Script {
    private static final Map<String, Schema> SCHEMAS = new HashMap<>();

    final Judge judge;
    private final Map<Topic, Long> offsets = new HashMap<>();
    private final Map<String, Presence> published = new HashMap<>();
    private String user = "u";
    private int partition;
    private double now;
    private long acknowledgedAfterMs = 5;
    private long stampOffsetMs;
    private @Nullable Input last;
    private final Map<String, byte[]> headers = new HashMap<>();

    Script() {
        this(JudgeSettings.defaults());
    }

    Script(JudgeSettings settings) {
        judge = new Judge(settings);
        judge.takenOver(0, 0);
    }

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

    static long ms(double seconds) {
        return Math.round(seconds * 1000);
    }

    Script user(String name) {
        user = name;
        return this;
    }

    Script partition(int number) {
        partition = number;
        return this;
    }

    /** The brokers' clocks are ahead by this from now on. */
    Script clocksAhead(double seconds) {
        stampOffsetMs = ms(seconds);
        return this;
    }

    Script acknowledgedAfter(double seconds) {
        acknowledgedAfterMs = ms(seconds);
        return this;
    }

    /** The next record was sent on; it was first written then. */
    Script firstWritten(double at) {
        headers.put(
                Routing.FIRST_WRITTEN, ByteBuffer.allocate(8).putLong(ms(at)).array());
        return this;
    }

    Script carrying(Heartbeat heartbeat) {
        headers.put(PartitionModel.CARRIED, heartbeat.bytes());
        return this;
    }

    Script carrying(byte[] bytes) {
        headers.put(PartitionModel.CARRIED, bytes);
        return this;
    }

    /** A heartbeat to be written with {@link Heartbeat#at}. */
    final class Heartbeat {
        private final GenericRecord value = new GenericData.Record(schema("DeviceHeartbeat"));

        Heartbeat(String device, @Nullable State state) {
            value.put("device_id", device);
            Schema connection = value.getSchema().getField("connection").schema();
            value.put("connection", new GenericData.EnumSymbol(connection, "OPEN"));
            if (state != null) {
                Schema states =
                        value.getSchema().getField("state").schema().getTypes().get(1);
                value.put("state", new GenericData.EnumSymbol(states, state.name()));
            }
        }

        Heartbeat lease(double seconds) {
            value.put("lease_ms", ms(seconds));
            return this;
        }

        Heartbeat shard(String shard) {
            value.put("shard", shard);
            return this;
        }

        Heartbeat session(String shard, String session) {
            value.put("session", session);
            return shard(shard);
        }

        Heartbeat closed() {
            Schema connection = value.getSchema().getField("connection").schema();
            value.put("connection", new GenericData.EnumSymbol(connection, "CLOSED"));
            return this;
        }

        byte[] bytes() {
            return encode(value);
        }

        Script at(double at) {
            return write(Topic.DEVICE_HEARTBEAT, at, user, bytes());
        }
    }

    Heartbeat hb(String device, @Nullable State state) {
        return new Heartbeat(device, state);
    }

    Script end(String device, double at) {
        return hb(device, null).closed().at(at);
    }

    Script text(@Nullable String text, @Nullable Double expires, double at) {
        GenericRecord value = new GenericData.Record(schema("UserStatus"));
        value.put("text", text);
        value.put("expires_at", expires == null ? null : ms(expires));
        return write(Topic.STATUS, at, user, encode(value));
    }

    Script hide(boolean on, double at) {
        GenericRecord value = new GenericData.Record(schema("AppearOffline"));
        value.put("appear_offline", on);
        return write(Topic.APPEAR_OFFLINE, at, user, encode(value));
    }

    Script shard(String shard, String session, long startedAt, boolean ended, double at) {
        GenericRecord value = new GenericData.Record(schema("ShardHeartbeat"));
        value.put("shard", shard);
        value.put("session", session);
        value.put("started_at", startedAt);
        value.put("ended", ended);
        return write(Topic.DEVICE_HEARTBEAT, at, null, encode(value));
    }

    /** Heartbeats of a shard every ten seconds, and ticks in between. */
    Script shardBeats(String shard, String session, long startedAt, int from, int to) {
        for (int at = from; at <= to; at += 10) {
            ticks(at);
            shard(shard, session, startedAt, false, at);
        }
        return this;
    }

    Script tick(double at) {
        GenericRecord value = new GenericData.Record(schema("ClockPulse"));
        value.put("instance", "i");
        return write(Topic.DEVICE_HEARTBEAT, at, null, encode(value));
    }

    /** Ticks at each full second after the last record, up to and with this one. */
    Script ticks(double to) {
        for (double at = Math.floor(now) + 1; at <= to; at++) {
            tick(at);
        }
        return this;
    }

    Script write(Topic topic, double at, @Nullable String key, byte @Nullable [] value) {
        return writeBytes(topic, at, key == null ? null : key.getBytes(StandardCharsets.UTF_8), value);
    }

    Script writeBytes(Topic topic, double at, byte @Nullable [] key, byte @Nullable [] value) {
        long offset = offsets.merge(topic, 1L, Long::sum);
        long sent = ms(at);
        return handle(new Input(
                topic,
                offset,
                sent + stampOffsetMs,
                key,
                value,
                Map.copyOf(headers),
                sent,
                sent + acknowledgedAfterMs));
    }

    Script handle(Input input) {
        headers.clear();
        now = Math.max(now, input.sent() / 1000.0);
        last = input;
        judge.handled(partition, input);
        return this;
    }

    /** A record with the right sequence and state before, stamped at since. */
    Script out(State state, double since, @Nullable Double active) {
        Presence before = published.get(user);
        return out(state, before == null ? null : before.text(), since, active, since);
    }

    Script out(State state, @Nullable String text, double since, @Nullable Double active, double stamped) {
        Presence before = published.get(user);
        return out(new Presence(
                state,
                before == null ? null : before.state(),
                text,
                ms(since),
                active == null ? null : ms(active),
                before == null ? 1 : before.sequence() + 1,
                ms(stamped)));
    }

    Script out(Presence presence) {
        GenericRecord value = new GenericData.Record(schema("UserPresence"));
        Schema states = value.getSchema().getField("state").schema();
        State previous = presence.previousState();
        value.put("state", new GenericData.EnumSymbol(states, presence.state().name()));
        value.put("previous_state", previous == null ? null : new GenericData.EnumSymbol(states, previous.name()));
        value.put("status", presence.text());
        value.put("since", presence.since());
        value.put("last_active", presence.lastActive());
        value.put("sequence", presence.sequence());
        published.put(user, presence);
        judge.published(
                partition, new Output(user.getBytes(StandardCharsets.UTF_8), encode(value), presence.timestamp()));
        return this;
    }

    Script tombstone(double stamped) {
        published.remove(user);
        judge.published(partition, new Output(user.getBytes(StandardCharsets.UTF_8), null, ms(stamped)));
        return this;
    }

    Script refused(String reason) {
        Input input = Objects.requireNonNull(last);
        judge.refused(partition, new DeadLetter(reason, input.topic(), input.offset()));
        return this;
    }

    Script rerouted(int to) {
        judge.rerouted(partition, Objects.requireNonNull(last), to);
        return this;
    }

    Script takeOver() {
        commit();
        judge.takenOver(partition, ms(now));
        return this;
    }

    Script commit() {
        judge.committed(partition, ms(now));
        return this;
    }

    Script abort() {
        judge.aborted(partition);
        return this;
    }

    List<Violation> end() {
        commit();
        judge.ended(ms(now));
        return judge.violations();
    }

    void expectNothing() {
        List<Violation> violations = end();
        if (!violations.isEmpty()) {
            throw new AssertionError(violations.toString());
        }
    }

    /** The first violation is of this kind. */
    void expect(Kind kind) {
        List<Violation> violations = end();
        if (violations.isEmpty() || violations.get(0).kind() != kind) {
            throw new AssertionError(kind + " expected: " + violations);
        }
    }
}
