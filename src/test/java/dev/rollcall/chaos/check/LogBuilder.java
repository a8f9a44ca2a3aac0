package dev.rollcall.chaos.check;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.generic.GenericRecordBuilder;
import org.apache.avro.message.BinaryMessageEncoder;
import org.jspecify.annotations.Nullable;

/** Logs of one partition, written by hand; the user is alice unless another one is named. Times in ms. */
final class LogBuilder {
    static final String ALICE = "alice";

    private final List<Entry> heartbeats = new ArrayList<>();
    private final List<Entry> statuses = new ArrayList<>();
    private final List<Entry> flags = new ArrayList<>();
    private final List<Entry> presence = new ArrayList<>();
    private @Nullable List<Entry> compacted;
    private String instance = "one";
    private int partition;

    /** Of the next record only. */
    private @Nullable Long sentOnFrom;

    private List<Entry.Before> after = List.of();

    /** A heartbeat with the default lease; the state may be null. */
    LogBuilder beat(long at, String device, @Nullable String state) {
        return beat(at, ALICE, device, state, "OPEN", null);
    }

    LogBuilder beat(
            long at, String user, String device, @Nullable String state, String connection, @Nullable String shard) {
        return beat(at, user, device, state, connection, shard, null, null);
    }

    /** A heartbeat by which a session of shard S holds the device, or ends it. */
    LogBuilder held(long at, String device, @Nullable String state, String connection, String session) {
        return held(at, device, state, connection, "S", session);
    }

    LogBuilder held(long at, String device, @Nullable String state, String connection, String shard, String session) {
        return beat(at, ALICE, device, state, connection, shard, null, session);
    }

    /** A session of shard S is heard. */
    LogBuilder shard(long at, String session, long startedAt) {
        return shard(at, "S", session, startedAt, false);
    }

    LogBuilder shard(long at, String shard, String session, long startedAt, boolean ended) {
        add(
                heartbeats,
                at,
                null,
                encoded(new GenericRecordBuilder(schema("ShardHeartbeat"))
                        .set("shard", shard)
                        .set("session", session)
                        .set("started_at", startedAt)
                        .set("lease_ms", null)
                        .set("ended", ended)
                        .build()));
        return this;
    }

    /** A session of shard S is heard every 10 s, the last time then, with a clock tick each second until 9.5 s later. */
    LogBuilder beating(long from, long to, String session, long startedAt) {
        for (long at = from; at <= to; at += 10_000) {
            shard(at, session, startedAt).ticks(at + 500, at + 9_500);
        }
        return this;
    }

    /** A heartbeat that names its lease. */
    LogBuilder beat(long at, String device, @Nullable String state, long leaseMs) {
        return beat(at, ALICE, device, state, "OPEN", null, leaseMs, null);
    }

    private LogBuilder beat(
            long at,
            String user,
            String device,
            @Nullable String state,
            String connection,
            @Nullable String shard,
            @Nullable Long leaseMs,
            @Nullable String session) {
        Schema schema = schema("DeviceHeartbeat");
        add(
                heartbeats,
                at,
                user,
                encoded(new GenericRecordBuilder(schema)
                        .set("device_id", device)
                        .set(
                                "state",
                                state == null
                                        ? null
                                        : new GenericData.EnumSymbol(
                                                schema.getField("state")
                                                        .schema()
                                                        .getTypes()
                                                        .get(1),
                                                state))
                        .set(
                                "connection",
                                new GenericData.EnumSymbol(
                                        schema.getField("connection").schema(), connection))
                        .set("shard", shard)
                        .set("session", session)
                        .set("lease_ms", leaseMs)
                        .build()));
        return this;
    }

    /** The next record was sent on from another partition, where it was written first then. */
    LogBuilder sentOnFrom(long first) {
        sentOnFrom = first;
        return this;
    }

    /** The next record was sent some time after that one had been acknowledged. */
    LogBuilder after(String topic, long offset) {
        after = List.of(new Entry.Before(topic, offset));
        return this;
    }

    /** The next records lie on that partition. */
    LogBuilder onPartition(int number) {
        partition = number;
        return this;
    }

    /** Another processor writes the clock ticks from here on. */
    LogBuilder instance(String name) {
        instance = name;
        return this;
    }

    /** A clock tick each second. */
    LogBuilder ticks(long from, long to) {
        for (long at = from; at <= to; at += 1_000) {
            add(
                    heartbeats,
                    at,
                    null,
                    encoded(new GenericRecordBuilder(schema("ClockPulse"))
                            .set("instance", instance)
                            .build()));
        }
        return this;
    }

    LogBuilder text(long stamp, @Nullable String text, @Nullable Long endsAt) {
        add(
                statuses,
                stamp,
                ALICE,
                encoded(new GenericRecordBuilder(schema("UserStatus"))
                        .set("text", text)
                        .set("expires_at", endsAt)
                        .build()));
        return this;
    }

    LogBuilder hide(long stamp, boolean on) {
        add(
                flags,
                stamp,
                ALICE,
                encoded(new GenericRecordBuilder(schema("AppearOffline"))
                        .set("appear_offline", on)
                        .build()));
        return this;
    }

    /** A state that is emitted, with the number that is next, after the state before. */
    LogBuilder emitted(String state, long since, @Nullable Long lastActive) {
        return emitted(state, since, lastActive, presence.size() + 1, null, since);
    }

    LogBuilder emitted(
            String state, long since, @Nullable Long lastActive, long sequence, @Nullable String text, long at) {
        Schema schema = schema("UserPresence");
        Schema states = schema.getField("state").schema();
        String previous = presence.isEmpty()
                ? null
                : Objects.requireNonNull(new Decoder()
                                .presence(Objects.requireNonNull(
                                        presence.get(presence.size() - 1).value())))
                        .state()
                        .name();
        add(
                presence,
                at,
                ALICE,
                encoded(new GenericRecordBuilder(schema)
                        .set("state", new GenericData.EnumSymbol(states, state))
                        .set("previous_state", previous == null ? null : new GenericData.EnumSymbol(states, previous))
                        .set("status", text)
                        .set("since", since)
                        .set("last_active", lastActive)
                        .set("sequence", sequence)
                        .build()));
        return this;
    }

    /** A new consumer sees the record with that offset as the last one. */
    LogBuilder compactedTo(int offset) {
        compacted = List.of(presence.get(offset));
        return this;
    }

    Verdict check(Settings settings, Window... disturbances) {
        long readAt =
                heartbeats.isEmpty() ? 0 : heartbeats.get(heartbeats.size() - 1).timestamp();
        return Checker.check(
                new Logs(readAt, heartbeats, statuses, flags, presence, compacted), settings, List.of(disturbances));
    }

    private void add(List<Entry> log, long at, @Nullable String key, byte[] value) {
        byte[] bytes = key == null ? null : key.getBytes(UTF_8);
        log.add(new Entry(partition, log.size(), at, bytes, value, sentOnFrom, after, 0));
        sentOnFrom = null;
        after = List.of();
    }

    private static Schema schema(String name) {
        try (InputStream file = LogBuilder.class.getResourceAsStream("/schemas/" + name + ".avsc")) {
            return new Schema.Parser().parse(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] encoded(GenericRecord record) {
        try {
            ByteBuffer bytes =
                    new BinaryMessageEncoder<GenericRecord>(new GenericData(), record.getSchema()).encode(record);
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            out.write(bytes.array(), bytes.arrayOffset() + bytes.position(), bytes.remaining());
            return out.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
