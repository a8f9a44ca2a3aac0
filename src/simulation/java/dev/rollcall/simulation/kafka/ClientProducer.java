package dev.rollcall.simulation.kafka;

import dev.rollcall.simulation.judge.History.Topic;
import dev.rollcall.simulation.time.EventQueue;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** A simulated producer as the client uses one: calls back, and fails what was not acknowledged in time. */
public final class ClientProducer extends MockProducer<byte[], byte[]> {
    private static final int NONE = -1;

    private final EventQueue time;
    private final Cluster cluster;
    private final Producer producer;

    /** Where callbacks run. */
    private final Executor callbacks;

    private int unreachable = NONE;
    private final List<Sending> waiting = new ArrayList<>();

    public ClientProducer(EventQueue time, Cluster cluster, Producer producer, Executor callbacks) {
        super(true, null, new ByteArraySerializer(), new ByteArraySerializer());
        this.time = time;
        this.cluster = cluster;
        this.producer = producer;
        this.callbacks = callbacks;
    }

    /** No heartbeat reaches this partition. */
    public void cutOff(int partition) {
        reconnect();
        unreachable = partition;
    }

    /** All partitions can be reached. */
    public void reconnect() {
        unreachable = NONE;
        List<Sending> held = List.copyOf(waiting);
        waiting.clear();
        held.forEach(Sending::leave);
    }

    /** The process ends: what has not left is lost, and nobody is called back. */
    public void kill() {
        producer.kill();
    }

    @Override
    public synchronized Future<RecordMetadata> send(ProducerRecord<byte[], byte[]> record, Callback callback) {
        Integer named = record.partition();
        int partition = named != null ? named : cluster.partition(record.key());
        Log log = cluster.log(Cluster.topic(record.topic()), partition);
        Sending sending = new Sending(log, record, callback);
        time.afterMillis(Producer.DELIVERY_MS, sending::giveUp);
        if (partition == unreachable && Cluster.topic(record.topic()) == Topic.DEVICE_HEARTBEAT) {
            waiting.add(sending);
        } else {
            sending.leave();
        }
        return new CompletableFuture<>(); // nobody looks at it
    }

    @Override
    public List<PartitionInfo> partitionsFor(String topic) {
        return IntStream.range(0, cluster.partitions())
                .mapToObj(number -> new PartitionInfo(topic, number, null, null, null))
                .toList();
    }

    /** What has left arrives all the same. */
    @Override
    public void close(Duration timeout) {}

    private final class Sending {
        private final Log log;
        private final ProducerRecord<byte[], byte[]> record;
        private final Callback callback;
        private boolean isDone;

        Sending(Log log, ProducerRecord<byte[], byte[]> record, Callback callback) {
            this.log = log;
            this.record = record;
            this.callback = callback;
        }

        void leave() {
            if (!isDone) {
                producer.send(log, record.key(), record.value(), record.headers(), this::acknowledged);
            }
        }

        private void acknowledged(long acknowledgedMs, LogRecord written) {
            if (!isDone) {
                isDone = true;
                TopicPartition partition = log.name();
                RecordMetadata metadata = new RecordMetadata(partition, written.offset(), 0, written.timestamp(), 0, 0);
                callbacks.execute(() -> callback.onCompletion(metadata, null));
            }
        }

        void giveUp() {
            if (!isDone) {
                isDone = true;
                callbacks.execute(() -> callback.onCompletion(
                        null, new TimeoutException("not acknowledged within delivery.timeout.ms")));
            }
        }
    }
}
