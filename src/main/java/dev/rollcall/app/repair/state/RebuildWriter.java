package dev.rollcall.app.repair.state;

import dev.rollcall.app.repair.Clients;
import dev.rollcall.domain.PresenceUpdate;
import dev.rollcall.domain.UserId;
import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.partition.RebuildResult;
import dev.rollcall.session.StoredShard;
import dev.rollcall.wire.stored.StoredSerialization;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;

/** Writes what was rebuilt of a partition, as Kafka Streams would, and how far its inputs were read: in one transaction. */
final class RebuildWriter implements RebuildResult {
    private final Clients clients;
    private final KafkaProducer<byte[], byte[]> producer;
    private final List<Future<RecordMetadata>> sent = new ArrayList<>();
    private final ConsumerGroupMetadata group;
    private int partition;

    RebuildWriter(Clients clients, KafkaProducer<byte[], byte[]> producer) {
        this.clients = clients;
        this.producer = producer;
        this.group = clients.group();
    }

    void begin(int ofPartition) {
        partition = ofPartition;
        sent.clear();
        producer.beginTransaction();
    }

    @Override
    public void user(UserId user, UserSnapshot snapshot, List<PresenceUpdate> updates) {
        String changelog = clients.usersChangelog();
        byte[] row = StoredSerialization.userSnapshots().serializer().serialize(changelog, snapshot);
        send(new ProducerRecord<>(changelog, partition, user.bytes(), row));
        String presence = clients.topics().presence().name();
        for (PresenceUpdate update : updates) {
            byte[] value = clients.topics().presence().values().serializer().serialize(presence, update.presence());
            send(new ProducerRecord<>(presence, null, Math.max(0, update.at()), user.bytes(), value));
        }
    }

    @Override
    public void shard(String shard, StoredShard stored) {
        String changelog = clients.shardsChangelog();
        byte[] row = StoredSerialization.storedShards().serializer().serialize(changelog, stored);
        send(new ProducerRecord<>(changelog, partition, shard.getBytes(StandardCharsets.UTF_8), row));
    }

    private void send(ProducerRecord<byte[], byte[]> record) {
        sent.add(producer.send(record));
    }

    /** @param offsets up to which the inputs are in what was written; none: it is committed already */
    void commit(Map<TopicPartition, OffsetAndMetadata> offsets) {
        try {
            if (!offsets.isEmpty()) {
                producer.sendOffsetsToTransaction(offsets, group);
            }
            producer.commitTransaction();
        } catch (KafkaException e) {
            sent.forEach(clients::await); // the record that failed says why
            throw e;
        }
    }
}
