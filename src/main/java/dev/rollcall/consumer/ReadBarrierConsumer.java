package dev.rollcall.consumer;

import static java.util.Objects.requireNonNull;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Properties;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.internals.AsyncKafkaConsumer;
import org.apache.kafka.clients.consumer.internals.StreamsRebalanceData;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.streams.KafkaClientSupplier;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.internals.ConsumerWrapper;
import org.apache.kafka.streams.processor.internals.DefaultKafkaClientSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The consumer of a stream thread, behind a {@link ReadBarrier}: records are handed to Streams when it is known what the
 * other inputs have. Where a registry says what values are, what it has not said yet is held back: {@link HoldingBack}.
 *
 * <p>Streams lets a program supply its consumer, but not under {@code group.protocol=streams} (KIP-1071), for which there is a
 * setting of its own, made for its tests. With either one, these methods differ from the consumer's.
 */
public final class ReadBarrierConsumer extends ConsumerWrapper {
    private static final String TOPICS = "rollcall.barrier.topics";
    private static final String HELD = "rollcall.held.partitions";

    /** No longer than a partition should wait for the new leader, once there is one. */
    private static final int REQUEST_TIMEOUT_MS = 5_000;

    private @Nullable Guarded guarded; // from wrapConsumer on

    /** Adds what Kafka Streams has to be set to, so that these inputs wait for each other. */
    public static void configure(Properties streams, List<String> topics) {
        streams.put(StreamsConfig.mainConsumerPrefix(TOPICS), String.join(",", topics));
        streams.put(
                StreamsConfig.mainConsumerPrefix(StreamsConfig.InternalConfig.INTERNAL_CONSUMER_WRAPPER),
                ReadBarrierConsumer.class);
    }

    /** As well, so that a record which cannot be read yet is waited for. */
    public static void configure(Properties streams, HeldPartitions held) {
        streams.put(StreamsConfig.mainConsumerPrefix(HELD), held);
    }

    /** Supplies the consumers that {@link #configure} asks for, and Kafka's own clients otherwise. */
    public static KafkaClientSupplier supplier() {
        return new DefaultKafkaClientSupplier() {
            @Override
            public Consumer<byte[], byte[]> getConsumer(Map<String, Object> config) {
                Consumer<byte[], byte[]> consumer = super.getConsumer(config);
                return config.containsKey(TOPICS) ? proxy(new Guarded(consumer, config)) : consumer;
            }
        };
    }

    /** For Kafka Streams, which calls {@link #wrapConsumer} next. */
    public ReadBarrierConsumer() {}

    @Override
    public void wrapConsumer(
            AsyncKafkaConsumer<byte[], byte[]> consumer,
            Map<String, Object> config,
            Optional<StreamsRebalanceData> rebalanceData) {
        super.wrapConsumer(consumer, config, rebalanceData);
        guarded = new Guarded(consumer, config);
    }

    @Override
    public ConsumerRecords<byte[], byte[]> poll(Duration timeout) {
        return requireNonNull(guarded).poll(timeout);
    }

    @Override
    public OptionalLong currentLag(TopicPartition partition) {
        return requireNonNull(guarded).currentLag(partition);
    }

    @Override
    public void pause(Collection<TopicPartition> partitions) {
        requireNonNull(guarded).pause(partitions);
    }

    @Override
    public void resume(Collection<TopicPartition> partitions) {
        requireNonNull(guarded).resume(partitions);
    }

    @Override
    public void close(CloseOptions options) {
        requireNonNull(guarded).close();
        super.close(options);
    }

    @SuppressWarnings("unchecked")
    private static Consumer<byte[], byte[]> proxy(Guarded guarded) {
        return (Consumer<byte[], byte[]>) Proxy.newProxyInstance(
                ReadBarrierConsumer.class.getClassLoader(), new Class<?>[] {Consumer.class}, (self, method, args) -> {
                    switch (method.getName()) {
                        case "poll" -> {
                            return guarded.poll((Duration) args[0]);
                        }
                        case "currentLag" -> {
                            return guarded.currentLag((TopicPartition) args[0]);
                        }
                        case "pause" -> {
                            guarded.pause((Collection<TopicPartition>) args[0]);
                            return null;
                        }
                        case "resume" -> {
                            guarded.resume((Collection<TopicPartition>) args[0]);
                            return null;
                        }
                        case "close" -> guarded.close();
                        default -> {} // the consumer's own
                    }
                    try {
                        return method.invoke(guarded.consumer, args);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    /** What differs from the consumer's own methods. */
    private static final class Guarded {
        private final Consumer<byte[], byte[]> consumer;
        private final Admin admin;
        private final ReadBarrier barrier;
        private final @Nullable HoldingBack holdingBack;

        Guarded(Consumer<byte[], byte[]> consumer, Map<String, ?> config) {
            this.consumer = consumer;
            Map<String, Object> settings = new HashMap<>(config);
            settings.keySet().retainAll(AdminClientConfig.configNames());
            settings.remove(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG); // each request has its own
            settings.put(
                    AdminClientConfig.CLIENT_ID_CONFIG, config.get(AdminClientConfig.CLIENT_ID_CONFIG) + "-barrier");
            admin = Admin.create(settings);
            List<String> topics = List.of(String.valueOf(config.get(TOPICS)).split(","));
            barrier = new ReadBarrier(topics, this::endOffsets, System::nanoTime);
            holdingBack = config.get(HELD) instanceof HeldPartitions held ? new HoldingBack(consumer, held) : null;
        }

        private Map<TopicPartition, KafkaFuture<ListOffsetsResultInfo>> endOffsets(Set<TopicPartition> partitions) {
            // What is not committed yet is in the order of the log as well.
            ListOffsetsOptions options = new ListOffsetsOptions(IsolationLevel.READ_UNCOMMITTED);
            ListOffsetsResult result = admin.listOffsets(
                    partitions.stream().collect(Collectors.toMap(partition -> partition, any -> OffsetSpec.latest())),
                    options.timeoutMs(REQUEST_TIMEOUT_MS));
            return partitions.stream().collect(Collectors.toMap(partition -> partition, result::partitionResult));
        }

        ConsumerRecords<byte[], byte[]> poll(Duration timeout) {
            if (holdingBack != null) {
                holdingBack.release();
            }
            ConsumerRecords<byte[], byte[]> polled = consumer.poll(timeout);
            if (holdingBack != null) {
                polled = holdingBack.withhold(polled);
            }
            barrier.await(polled.partitions());
            return polled;
        }

        OptionalLong currentLag(TopicPartition partition) {
            return barrier.lag(partition, consumer.currentLag(partition), this::position);
        }

        void pause(Collection<TopicPartition> partitions) {
            if (holdingBack == null) {
                consumer.pause(partitions);
            } else {
                holdingBack.pause(partitions);
            }
        }

        void resume(Collection<TopicPartition> partitions) {
            if (holdingBack == null) {
                consumer.resume(partitions);
            } else {
                holdingBack.resume(partitions);
            }
        }

        /** Empty while a new leader has not confirmed it: to wait here would hold back the other partitions. */
        private OptionalLong position(TopicPartition partition) {
            try {
                return OptionalLong.of(consumer.position(partition, Duration.ZERO));
            } catch (TimeoutException e) {
                return OptionalLong.empty();
            }
        }

        void close() {
            if (holdingBack != null) {
                holdingBack.close();
            }
            admin.close(Duration.ZERO);
        }
    }
}
