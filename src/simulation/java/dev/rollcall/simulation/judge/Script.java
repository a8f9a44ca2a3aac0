package dev.rollcall.simulation.judge;

import dev.rollcall.simulation.judge.History.DeadLetter;
import dev.rollcall.simulation.judge.History.Input;
import dev.rollcall.simulation.judge.History.Output;
import dev.rollcall.simulation.judge.History.Topic;
import dev.rollcall.simulation.judge.Violation.Kind;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.jspecify.annotations.Nullable;

/** A history written by hand, for the judge's own tests. Times are in seconds; the brokers' clocks are right. */
final class Script {
    private static final Decoder DECODER = new Decoder(Path.of("schemas"));
    private final JudgeSettings settings;
    /** What is told, so that it can be told again with a record changed. */
    private final List<Told> told = new ArrayList<>();

    private final Map<Topic, Long> offsets = new HashMap<>();
    private final Map<String, Presence> published = new HashMap<>();
    private String user = "u";
    private int partition;
    private double now;
    private long acknowledgedAfterMs = 5;
    private long stampOffsetMs;
    private @Nullable Input last;
    private final Map<String, byte[]> headers = new HashMap<>();

    /** Something that the judge is told; {@code presence} null: no record of presence. */
    private record Told(@Nullable Presence presence, String user, int partition, Consumer<Judge> event) {}

    Script() {
        this(JudgeSettings.defaults());
    }

    Script(JudgeSettings settings) {
        this.settings = settings;
        tell(judge -> judge.takenOver(partition, 0));
    }

    private Script tell(Consumer<Judge> event) {
        told.add(new Told(null, user, partition, event));
        return this;
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
        private final GenericRecord value = new GenericData.Record(Wire.schema("DeviceHeartbeat"));

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
            return Wire.encode(value);
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
        GenericRecord value = new GenericData.Record(Wire.schema("UserStatus"));
        value.put("text", text);
        value.put("expires_at", expires == null ? null : ms(expires));
        return write(Topic.STATUS, at, user, Wire.encode(value));
    }

    Script hide(boolean on, double at) {
        GenericRecord value = new GenericData.Record(Wire.schema("AppearOffline"));
        value.put("appear_offline", on);
        return write(Topic.APPEAR_OFFLINE, at, user, Wire.encode(value));
    }

    Script shard(String shard, String session, long startedAt, boolean ended, double at) {
        GenericRecord value = new GenericData.Record(Wire.schema("ShardHeartbeat"));
        value.put("shard", shard);
        value.put("session", session);
        value.put("started_at", startedAt);
        value.put("ended", ended);
        return write(Topic.DEVICE_HEARTBEAT, at, null, Wire.encode(value));
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
        GenericRecord value = new GenericData.Record(Wire.schema("ClockPulse"));
        value.put("instance", "i");
        return write(Topic.DEVICE_HEARTBEAT, at, null, Wire.encode(value));
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
        int here = partition;
        return tell(judge -> judge.handled(here, input));
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
        published.put(user, presence);
        told.add(new Told(presence, user, partition, publishing(presence, user, partition)));
        return this;
    }

    private static Consumer<Judge> publishing(Presence presence, String user, int partition) {
        byte[] key = user.getBytes(StandardCharsets.UTF_8);
        Output output = new Output(key, Wire.encode(presence), presence.timestamp());
        return judge -> judge.published(partition, output);
    }

    Script outBytes(byte[] value) {
        Output output = new Output(user.getBytes(StandardCharsets.UTF_8), value, ms(now));
        int here = partition;
        return tell(judge -> judge.published(here, output));
    }

    Script tombstone(double stamped) {
        published.remove(user);
        Output output = new Output(user.getBytes(StandardCharsets.UTF_8), null, ms(stamped));
        int here = partition;
        return tell(judge -> judge.published(here, output));
    }

    /** What was published of the user is left alone from now on: its transaction is aborted. */
    Script unpublish() {
        published.remove(user);
        told.replaceAll(event -> new Told(null, event.user(), event.partition(), event.event()));
        return this;
    }

    Script refused(String reason) {
        Input input = Objects.requireNonNull(last);
        int here = partition;
        return tell(judge -> judge.refused(here, new DeadLetter(reason, input.topic(), input.offset())));
    }

    Script rerouted(int to) {
        Input input = Objects.requireNonNull(last);
        int here = partition;
        return tell(judge -> judge.rerouted(here, input, to));
    }

    /** The record that was handled last is not: the brokers removed it before anybody read it. */
    Script removedInstead() {
        Input input = Objects.requireNonNull(last);
        int here = partition;
        told.remove(told.size() - 1);
        return tell(judge -> judge.removed(here, input));
    }

    Script takeOver() {
        commit();
        return restart();
    }

    /** A take-over without a commit. */
    Script restart() {
        long at = ms(now);
        int here = partition;
        return tell(judge -> judge.takenOver(here, at));
    }

    Script commit() {
        long at = ms(now);
        int here = partition;
        return tell(judge -> judge.committed(here, at));
    }

    Script abort() {
        int here = partition;
        return tell(judge -> judge.aborted(here));
    }

    private List<Violation> judged(List<Told> events) {
        Judge judge = new Judge(settings, DECODER);
        events.forEach(event -> event.event().accept(judge));
        judge.committed(partition, ms(now));
        judge.ended(last == null ? 0 : last.stamp());
        return judge.violations();
    }

    /** The history is right. */
    void expectRight() {
        List<Violation> violations = judged(told);
        if (!violations.isEmpty()) {
            throw new AssertionError(violations.toString());
        }
    }

    /** The history is right; and each of its records of presence, left out, told twice or changed a little, is not. */
    void expectNothing() {
        expectRight();
        for (int i = 0; i < told.size(); i++) {
            Told right = told.get(i);
            if (right.presence() != null) {
                expectWrong(i, "left out", tell -> {});
                expectWrong(i, "twice", right.event().andThen(right.event()));
                for (Presence wrong : Wire.wrong(right.presence())) {
                    expectWrong(i, wrong.toString(), publishing(wrong, right.user(), right.partition()));
                }
            }
        }
    }

    private void expectWrong(int index, String how, Consumer<Judge> instead) {
        List<Told> changed = new ArrayList<>(told);
        changed.set(index, new Told(null, user, partition, instead));
        if (judged(changed).isEmpty()) {
            throw new AssertionError("not noticed: " + told.get(index).presence() + " " + how);
        }
    }

    /** The first violation is of this kind. */
    void expect(Kind kind) {
        List<Violation> violations = judged(told);
        if (violations.isEmpty() || violations.get(0).kind() != kind) {
            throw new AssertionError(kind + " expected: " + violations);
        }
    }
}
