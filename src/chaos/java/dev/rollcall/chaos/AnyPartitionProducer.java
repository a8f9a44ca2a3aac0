package dev.rollcall.chaos;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.rollcall.chaos.check.LogReader;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.session.ShardHeartbeat;
import dev.rollcall.wire.Inbound;
import dev.rollcall.wire.Topic;
import dev.rollcall.wire.Topics;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;

/**
 * A producer that writes to any partition, which clients of Rollcall must not do. For the checker, a header names what had
 * been acknowledged before.
 */
final class AnyPartitionProducer {
    private static final Topics TOPICS = Topics.ofContract();

    private final KafkaProducer<byte[], byte[]> producer;

    AnyPartitionProducer(String bootstrapServers) {
        producer = new KafkaProducer<>(
                LoadGenerator.producer(bootstrapServers), new ByteArraySerializer(), new ByteArraySerializer());
    }

    /** Where the user's records belong. */
    static int partitionOf(UserId user) {
        return Utils.toPositive(Utils.murmur2(user.bytes())) % Timing.PARTITIONS;
    }

    /** @param after what was acknowledged, some time ago */
    CompletableFuture<RecordMetadata> heartbeat(
            UserId user, int partition, Heartbeat heartbeat, List<RecordMetadata> after) {
        return send(TOPICS.heartbeats(), user, partition, new Inbound.Beat(heartbeat), after);
    }

    CompletableFuture<RecordMetadata> text(UserId user, int partition, StatusText text) {
        return send(TOPICS.statuses(), user, partition, new Inbound.Status(text), List.of());
    }

    CompletableFuture<RecordMetadata> flag(UserId user, int partition, boolean hidden) {
        return send(TOPICS.appearOffline(), user, partition, new Inbound.AppearOffline(hidden), List.of());
    }

    CompletableFuture<RecordMetadata> shard(int partition, ShardHeartbeat heartbeat) {
        return send(TOPICS.heartbeats(), null, partition, new Inbound.ShardBeat(heartbeat), List.of());
    }

    private CompletableFuture<RecordMetadata> send(
            Topic<UserId, Inbound> topic,
            @Nullable UserId user,
            int partition,
            Inbound.Content content,
            List<RecordMetadata> after) {
        byte[] value = topic.values().serializer().serialize(topic.name(), Inbound.of(content));
        List<Header> headers = after.stream()
                .<Header>map(record -> new RecordHeader(
                        LogReader.AFTER,
                        "%s@%d".formatted(record.topic(), record.offset()).getBytes(UTF_8)))
                .toList();
        CompletableFuture<RecordMetadata> acknowledged = new CompletableFuture<>();
        var unused = producer.send(
                new ProducerRecord<>(topic.name(), partition, user == null ? null : user.bytes(), value, headers),
                (record, failure) -> {
                    if (failure == null) {
                        acknowledged.complete(record);
                    } else {
                        acknowledged.completeExceptionally(failure);
                    }
                });
        return acknowledged;
    }
}
