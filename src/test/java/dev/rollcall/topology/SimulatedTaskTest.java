package dev.rollcall.topology;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.consumer.HeartbeatBundles;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.StatusText;
import dev.rollcall.session.ShardHeartbeat;
import dev.rollcall.wire.Inbound;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.streams.test.TestRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The simulation's task and Kafka Streams' own driver do the same with the same log: outputs, changelogs and dead letters. */
class SimulatedTaskTest {
    private static final int PARTITIONS = 3;
    private static final int STEPS = 400;
    private static final RollcallConfig CONFIG = RollcallConfig.of(Map.of("user.retention.ms", "3000000"));

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void shouldDoAsTheTopologyDoesWhenTheLogIsTheSame(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        Simulated simulated = new Simulated();
        try (TopologyContext topology = new TopologyContext(CONFIG, PARTITIONS)) {
            long now = 0;
            for (int step = 0; step < STEPS; step++) {
                long pass = random.nextInt(20) == 0 ? random.nextInt(200_000) : random.nextInt(1_500);
                while (pass > 0) { // Streams' driver fires a punctuator once, however often it was due
                    long part = Math.min(pass, 1_000 - now % 1_000);
                    now += part;
                    pass -= part;
                    topology.advanceTo(now);
                    simulated.advanceTo(now);
                }
                if (random.nextInt(3) > 0) {
                    List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
                    for (int i = random.nextInt(5); i >= 0; i--) {
                        records.add(heartbeat(topology, random, now, step * 10L + i));
                    }
                    List<ConsumerRecord<byte[], byte[]>> same =
                            records.stream().map(SimulatedTaskTest::copy).toList();
                    topology.bundle(records);
                    HeartbeatBundles.bundled(same).forEach(simulated::feed);
                } else {
                    ConsumerRecord<byte[], byte[]> record = other(topology, random, now, step);
                    topology.send(
                            record.topic(), record.key(), record.value(), now, new RecordHeaders(record.headers()));
                    simulated.feed(record);
                }
                assertThat(simulated.take()).as("seed %d, step %d", seed, step).isEqualTo(outputs(topology));
            }
        }
    }

    private static List<String> outputs(TopologyContext topology) {
        List<String> all = new ArrayList<>();
        topology.readBytes("presence").forEach(record -> all.add(line("presence", record)));
        topology.readBytes("test-users-changelog").forEach(record -> all.add(line("users", record)));
        topology.readBytes("test-shards-changelog").forEach(record -> all.add(line("shards", record)));
        topology.deadLetters().forEach(record -> all.add(line("dead", record)));
        all.sort(null);
        return all;
    }

    private static String line(String topic, TestRecord<byte[], byte[]> record) {
        return line(topic, record.key(), record.value(), topic.equals("presence") ? record.timestamp() : 0);
    }

    private static String line(String topic, byte @Nullable [] key, byte @Nullable [] value, long at) {
        return "%s %s %s %d".formatted(topic, Arrays.toString(key), Arrays.toString(value), at);
    }

    private static ConsumerRecord<byte[], byte[]> heartbeat(
            TopologyContext topology, SplittableRandom random, long now, long offset) {
        byte[] key = user(random);
        byte[] value;
        if (random.nextInt(6) == 0) {
            key = null;
            String session = "s" + random.nextInt(3);
            value = topology.bytes(new Inbound.ShardBeat(new ShardHeartbeat(
                    "a", session, session.hashCode(), OptionalLong.empty(), random.nextInt(12) == 0)));
        } else if (random.nextInt(20) == 0) {
            value = random.nextBoolean() ? null : new byte[random.nextInt(20)];
        } else {
            value = topology.bytes(new Inbound.Beat(beat(random)));
        }
        return record("device-heartbeat", key, value, now, offset, new RecordHeaders());
    }

    private static Heartbeat beat(SplittableRandom random) {
        boolean inSession = random.nextInt(3) == 0;
        return new Heartbeat(
                "d" + random.nextInt(3),
                random.nextInt(3) == 0 ? null : List.of(PresenceState.values()).get(random.nextInt(3)),
                random.nextInt(5) == 0,
                random.nextBoolean() ? OptionalLong.empty() : OptionalLong.of(1 + random.nextInt(90_000)),
                inSession || random.nextBoolean() ? "a" : null,
                inSession ? "s" + random.nextInt(3) : null);
    }

    private static ConsumerRecord<byte[], byte[]> other(
            TopologyContext topology, SplittableRandom random, long now, long offset) {
        byte[] key = random.nextInt(30) == 0 ? null : user(random);
        Headers headers = new RecordHeaders();
        boolean isText = random.nextBoolean();
        Inbound.Content content = new Inbound.AppearOffline(random.nextBoolean());
        if (isText) {
            Long end = random.nextBoolean() ? null : now + random.nextInt(500_000);
            content = new Inbound.Status(new StatusText("text " + random.nextInt(3), end));
            if (random.nextInt(3) == 0) {
                headers.add("rollcall.heartbeat", topology.bytes(new Inbound.Beat(beat(random))));
            }
        }
        byte[] value = random.nextInt(10) == 0 ? null : topology.bytes(content);
        return record(isText ? "status" : "appear-offline", key, value, now, offset, headers);
    }

    private static byte[] user(SplittableRandom random) {
        return ("@" + random.nextInt(12)).getBytes(StandardCharsets.UTF_8);
    }

    private static ConsumerRecord<byte[], byte[]> record(
            String topic, byte @Nullable [] key, byte @Nullable [] value, long stamp, long offset, Headers headers) {
        return new ConsumerRecord<>(
                topic, 0, offset, stamp, TimestampType.LOG_APPEND_TIME, -1, -1, key, value, headers, Optional.empty());
    }

    private static ConsumerRecord<byte[], byte[]> copy(ConsumerRecord<byte[], byte[]> record) {
        return record(
                record.topic(), record.key(), record.value(), record.timestamp(), record.offset(), new RecordHeaders());
    }

    /** A simulated task whose clock ticks and rerouted records come back at once, as with Streams' driver. */
    private static final class Simulated implements Surroundings {
        private final List<String> outputs = new ArrayList<>();
        private final Deque<ConsumerRecord<byte[], byte[]>> back = new ArrayDeque<>();
        private final SimulatedTask task;
        private long now;

        Simulated() {
            InstantSource time = () -> Instant.ofEpochMilli(now);
            task = new SimulatedProcess(
                            CONFIG, time.withZone(ZoneOffset.UTC), PARTITIONS, "test", OutputLimits.DEFAULTS)
                    .open(0, new Rows(PresenceTopology.USERS), new Rows(PresenceTopology.SHARDS), this);
        }

        void advanceTo(long time) {
            now = time;
            task.punctuate();
            feedBack();
        }

        void feed(ConsumerRecord<byte[], byte[]> record) {
            if (record.topic().equals("device-heartbeat")) {
                task.headOfHeartbeats(record);
                task.processHeartbeats(record);
            } else {
                task.process(record);
            }
            feedBack();
        }

        private void feedBack() {
            while (!back.isEmpty()) {
                ConsumerRecord<byte[], byte[]> next = back.poll();
                if (next.topic().equals("device-heartbeat")) {
                    HeartbeatBundles.bundled(List.of(next)).forEach(this::feed);
                } else {
                    feed(next);
                }
            }
        }

        List<String> take() {
            List<String> taken = new ArrayList<>(outputs);
            taken.sort(null);
            outputs.clear();
            return taken;
        }

        @Override
        public void handles(ConsumerRecord<byte[], byte[]> record) {}

        @Override
        public void presence(byte[] key, byte @Nullable [] value, long timestamp) {
            outputs.add(line("presence", key, value, timestamp));
        }

        @Override
        public void deadLetter(byte @Nullable [] key, byte @Nullable [] value, Headers headers) {
            outputs.add(line("dead", key, value, 0));
        }

        @Override
        public void clockTick(byte[] value) {
            back.add(record("device-heartbeat", null, value, now, -1, new RecordHeaders()));
        }

        @Override
        public void rerouted(String topic, byte @Nullable [] key, byte @Nullable [] value, Headers headers) {
            back.add(record(topic, key, value, now, -1, headers));
        }

        @Override
        public void changelog(String store, byte[] key, byte @Nullable [] value) {
            outputs.add(line(store, key, value, 0));
        }

        @Override
        public long steadyClock() {
            return now;
        }
    }
}
