package dev.rollcall.topology;

import dev.rollcall.domain.Presence;
import dev.rollcall.domain.UserId;
import dev.rollcall.wire.Inbound;
import dev.rollcall.wire.Topics;
import java.io.File;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.streams.StreamsMetrics;
import org.apache.kafka.streams.processor.Cancellable;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.Punctuator;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.TaskId;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.jspecify.annotations.NullUnmarked;
import org.jspecify.annotations.Nullable;

/** The context of a simulated task's processor: what it forwards is serialized as the topology's sinks do. */
@NullUnmarked // as Kafka's interfaces
final class TaskContext implements ProcessorContext<Object, Object> {
    private static final StreamsMetrics METRICS = new NoMetrics();

    private final TaskId task;
    private final Topics topics;
    private final Map<String, StateStore> stores;
    private final Surroundings surroundings;
    private final Punctuations punctuations = new Punctuations();
    private final Runnable beforeOutput;
    private @Nullable RecordMetadata source;

    TaskContext(
            TaskId task,
            Topics topics,
            Map<String, StateStore> stores,
            Surroundings surroundings,
            Runnable beforeOutput) {
        this.task = task;
        this.topics = topics;
        this.stores = stores;
        this.surroundings = surroundings;
        this.beforeOutput = beforeOutput;
    }

    Punctuations punctuations() {
        return punctuations;
    }

    void at(@Nullable RecordMetadata record) {
        source = record;
    }

    @Override
    public <K, V> void forward(Record<K, V> record, String child) {
        beforeOutput.run();
        switch (child) {
            case PresenceTopology.PRESENCE ->
                surroundings.presence(
                        ((UserId) record.key()).bytes(),
                        topics.presence().values().serializer().serialize("presence", (Presence) record.value()),
                        record.timestamp());
            case PresenceTopology.DEAD_LETTERS ->
                surroundings.deadLetter((byte[]) record.key(), (byte[]) record.value(), record.headers());
            case PresenceTopology.CLOCK_TICKS -> {
                PartitionTick tick = (PartitionTick) record.value();
                if (tick.partition() != task.partition()) {
                    throw new IllegalStateException("a tick of partition " + tick.partition() + " from " + task);
                }
                surroundings.clockTick(
                        topics.heartbeats().values().serializer().serialize("ticks", Inbound.of(tick.tick())));
            }
            case SimulatedTask.OWN_TOPIC ->
                surroundings.ownClockTick(topics.heartbeats()
                        .values()
                        .serializer()
                        .serialize("ticks", Inbound.of(((PartitionTick) record.value()).tick())));
            case PresenceTopology.REROUTED ->
                surroundings.rerouted(source.topic(), (byte[]) record.key(), (byte[]) record.value(), record.headers());
            default -> throw new IllegalStateException("there is no sink " + child);
        }
    }

    @Override
    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"}) // as Kafka's interface has it
    public <S extends StateStore> S getStateStore(String name) {
        return (S) stores.get(name);
    }

    @Override
    public Cancellable schedule(Duration interval, PunctuationType type, Punctuator punctuator) {
        return punctuations.schedule(interval.toMillis(), punctuator, surroundings.steadyClock());
    }

    @Override
    public Optional<RecordMetadata> recordMetadata() {
        return Optional.ofNullable(source);
    }

    @Override
    public TaskId taskId() {
        return task;
    }

    @Override
    public StreamsMetrics metrics() {
        return METRICS;
    }

    @Override
    public long currentSystemTimeMs() {
        return surroundings.steadyClock();
    }

    // ---- the processor uses no more than the above ----

    @Override
    public <K, V> void forward(Record<K, V> record) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Cancellable schedule(Instant start, Duration interval, PunctuationType type, Punctuator punctuator) {
        throw new UnsupportedOperationException();
    }

    @Override
    public String applicationId() {
        return "rollcall";
    }

    @Override
    public Serde<?> keySerde() {
        throw new UnsupportedOperationException();
    }

    @Override
    public Serde<?> valueSerde() {
        throw new UnsupportedOperationException();
    }

    @Override
    public File stateDir() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void commit() {
        throw new UnsupportedOperationException();
    }

    @Override
    public Map<String, Object> appConfigs() {
        return Map.of();
    }

    @Override
    public Map<String, Object> appConfigsWithPrefix(String prefix) {
        return Map.of();
    }

    @Override
    public long currentStreamTimeMs() {
        throw new UnsupportedOperationException();
    }
}
