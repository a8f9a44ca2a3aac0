package dev.rollcall.topology;

import dev.rollcall.domain.UserId;
import dev.rollcall.topology.HeartbeatBundles.Bundle;
import dev.rollcall.wire.Inbound;
import dev.rollcall.wire.Topic;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.Deserializer;
import org.jspecify.annotations.Nullable;

/** Reads heartbeats: one is its value, and a {@link Bundle} is itself, to be opened when it is its turn. */
record HeartbeatSource(Topic<UserId, Inbound> topic, RecordTime time) implements Deserializer<Object> {

    @Override
    public Object deserialize(String name, byte @Nullable [] value) {
        return topic.values().deserializer().deserialize(name, value);
    }

    @Override
    public Object deserialize(String name, Headers headers, byte @Nullable [] value) {
        return headers instanceof Bundle ? headers : deserialize(name, value);
    }

    /** Whom the bundle is about. */
    List<UserId> users(Bundle bundle) {
        List<UserId> users = new ArrayList<>(bundle.records().size());
        for (ConsumerRecord<byte[], byte[]> record : bundle.records()) {
            if (record.key() != null) {
                users.add(UserId.ofBytes(record.key()));
            }
        }
        return users;
    }

    /** Reads what is in the bundle, one after the other. */
    void open(Bundle bundle, Consumer<Arrival> arrivals) {
        Deserializer<UserId> users = topic.keys().deserializer();
        Deserializer<Inbound> values = topic.values().deserializer();
        for (ConsumerRecord<byte[], byte[]> record : bundle.records()) {
            Inbound value = values.deserialize(record.topic(), record.value());
            arrivals.accept(new Arrival(
                    users.deserialize(record.topic(), record.key()),
                    value,
                    time.of(record, value),
                    record.headers(),
                    record.topic(),
                    record.partition(),
                    record.offset()));
        }
    }
}
