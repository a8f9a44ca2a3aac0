package dev.rollcall.client;

import dev.rollcall.domain.Announcement;
import dev.rollcall.domain.Announcement.Forgotten;
import dev.rollcall.domain.Announcement.Presence;
import dev.rollcall.domain.UserId;
import dev.rollcall.wire.Topic;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;

/** Reads what is said of everybody, as it is said. For one thread, but {@link #stop} may be called from any. */
public final class PresenceFeed implements AutoCloseable {
    private static final Duration POLL = Duration.ofMillis(500);

    private final Consumer<UserId, Presence> consumer;

    /** Where to begin. */
    public enum From {
        /** With all that the topic holds: the last word on every user, at least. */
        BEGINNING,
        /** With what comes next. */
        NOW
    }

    /**
     * Connects to the cluster, and takes all partitions. {@code settings} are a Kafka consumer's; {@code
     * bootstrap.servers} is required.
     */
    public PresenceFeed(Topic<UserId, Presence> topic, Map<String, ?> settings, From from) {
        Map<String, Object> all = new HashMap<>();
        all.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        all.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        all.putAll(settings);
        this.consumer = new KafkaConsumer<>(
                all, topic.keys().deserializer(), topic.values().deserializer());
        List<TopicPartition> partitions = consumer.partitionsFor(topic.name()).stream()
                .map(partition -> new TopicPartition(topic.name(), partition.partition()))
                .toList();
        consumer.assign(partitions);
        if (from == From.BEGINNING) {
            consumer.seekToBeginning(partitions);
        } else {
            consumer.seekToEnd(partitions);
        }
        partitions.forEach(consumer::position); // from here on nothing is missed
    }

    /** Hands on each announcement, in order per user, until {@link #stop}. */
    public void read(BiConsumer<UserId, Announcement> listener) {
        try {
            while (true) {
                for (ConsumerRecord<UserId, Presence> record : consumer.poll(POLL)) {
                    listener.accept(record.key(), announcement(record));
                }
            }
        } catch (WakeupException e) {
            // stop() was called
        }
    }

    public void stop() {
        consumer.wakeup();
    }

    @Override
    public void close() {
        consumer.close();
    }

    private static Announcement announcement(ConsumerRecord<UserId, Presence> record) {
        Presence value = record.value();
        return value == null ? new Forgotten(record.timestamp()) : value.at(record.timestamp());
    }
}
