package dev.rollcall.wire.stored;

import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.session.StoredShard;
import dev.rollcall.store.v1.ShardState;
import dev.rollcall.store.v1.UserState;
import dev.rollcall.wire.SingleObject;
import dev.rollcall.wire.UnreadableException;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;

/** The serdes of what is stored, which nobody but Rollcall writes or reads. All are thread-safe. */
public final class StoredSerialization {
    private static final SingleObject USERS = new SingleObject(UserState.getClassSchema());
    private static final SingleObject SHARDS = new SingleObject(ShardState.getClassSchema());

    private StoredSerialization() {}

    /** What of a user is stored. */
    public static Serde<UserSnapshot> userSnapshots() {
        return Serdes.serdeFrom(
                (topic, value) -> value == null ? null : Stored.write(value),
                (topic, bytes) -> bytes == null ? null : Stored.toDomain((UserState) read(USERS, topic, bytes)));
    }

    /** What of a shard's sessions is stored. */
    public static Serde<StoredShard> storedShards() {
        return Serdes.serdeFrom(
                (topic, value) -> value == null ? null : SingleObject.encode(Stored.toAvro(value)),
                (topic, bytes) -> bytes == null ? null : Stored.toDomain((ShardState) read(SHARDS, topic, bytes)));
    }

    private static SpecificRecord read(SingleObject codec, String topic, byte[] bytes) {
        try {
            return codec.decode(bytes);
        } catch (UnreadableException e) {
            throw new SerializationException("a value of " + topic + " cannot be read: " + e.getMessage(), e);
        }
    }
}
