package dev.rollcall.bench;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.session.ShardHeartbeat;
import dev.rollcall.wire.Inbound;
import dev.rollcall.wire.Topics;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.LongConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/** Writes heartbeats and clock ticks: a log that is read later, or in real time while it is read. */
final class HeartbeatWriter implements AutoCloseable {
    private static final Topics CONTRACT = Topics.ofContract();

    private final String topic;
    private final KafkaProducer<byte[], byte[]> producer;
    private final byte[] tick;
    private final AtomicReference<@Nullable Exception> failure = new AtomicReference<>();

    /** @param lingerMs how long records wait for others to be sent with, in ms */
    HeartbeatWriter(String bootstrapServers, String topic, int lingerMs) {
        this.topic = topic;
        producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", bootstrapServers, "linger.ms", lingerMs, "buffer.memory", 64L << 20),
                new ByteArraySerializer(),
                new ByteArraySerializer());
        tick = value(new Inbound.ClockTick("bench"));
    }

    /** @param at the stamp, where the topic keeps those of producers; null: the broker's */
    void heartbeat(int user, @Nullable PresenceState state, @Nullable Long at) {
        deviceHeartbeat(user, LogPlan.heartbeat(user, state), at);
    }

    /** As above, for what else a heartbeat can say. */
    void deviceHeartbeat(int user, Heartbeat heartbeat, @Nullable Long at) {
        byte[] key = LogPlan.key(user);
        send(BrokerFixture.partition(key), at, key, value(new Inbound.Beat(heartbeat)));
    }

    /** Into every partition. */
    void shardHeartbeat(ShardHeartbeat heartbeat, long at) {
        byte[] value = value(new Inbound.ShardBeat(heartbeat));
        for (int partition = 0; partition < BrokerFixture.PARTITIONS; partition++) {
            send(partition, at, null, value);
        }
    }

    /** Into every partition. */
    void tick(long at) {
        for (int partition = 0; partition < BrokerFixture.PARTITIONS; partition++) {
            send(partition, at, null, tick);
        }
    }

    /**
     * Takes a step as often as is told, by the clock: after a delay, the steps that are due follow at once.
     *
     * @param step what writes; takes how many steps there were before it
     */
    void inRealTime(long nanosPerStep, BooleanSupplier goesOn, LongConsumer step) {
        long begin = System.nanoTime();
        for (long number = 0; goesOn.getAsBoolean(); number++) {
            long due = begin + number * nanosPerStep;
            while (System.nanoTime() < due) {
                LockSupport.parkNanos(due - System.nanoTime());
            }
            step.accept(number);
        }
        flush();
    }

    void flush() {
        producer.flush();
        Exception problem = failure.get();
        if (problem != null) {
            throw new BenchmarkException("a heartbeat could not be written: " + problem);
        }
    }

    @Override
    public void close() {
        producer.close();
    }

    /** @param value a heartbeat's, as {@link #value} makes it */
    void send(int partition, @Nullable Long at, byte @Nullable [] key, byte[] value) {
        var unused = producer.send(new ProducerRecord<>(topic, partition, at, key, value), (metadata, problem) -> {
            if (problem != null) {
                failure.set(problem);
            }
        });
    }

    static byte[] value(Inbound.Content content) {
        var heartbeats = CONTRACT.heartbeats();
        return heartbeats.values().serializer().serialize(heartbeats.name(), Inbound.of(content));
    }
}
