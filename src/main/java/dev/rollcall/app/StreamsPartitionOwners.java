package dev.rollcall.app;

import dev.rollcall.domain.Presence;
import dev.rollcall.domain.UserId;
import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.domain.UserSnapshot.Emitted;
import dev.rollcall.gateway.PartitionOwners;
import dev.rollcall.gateway.UnavailableException;
import dev.rollcall.topology.PresenceTopology;
import dev.rollcall.topology.UserPartitioner;
import dev.rollcall.wire.Serialization;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyQueryMetadata;
import org.apache.kafka.streams.errors.StreamsException;
import org.apache.kafka.streams.query.KeyQuery;
import org.apache.kafka.streams.query.QueryResult;
import org.apache.kafka.streams.query.StateQueryRequest;
import org.apache.kafka.streams.state.HostInfo;
import org.jspecify.annotations.Nullable;

/** Finds the owners of users, and reads the users stored here, by Kafka Streams' interactive queries. */
final class StreamsPartitionOwners implements PartitionOwners {
    private static final Serializer<UserId> KEYS = Serialization.userIds().serializer();

    private final KafkaStreams streams;
    private final Address self;
    private final UserPartitioner partitioner;

    /**
     * @param advertised this instance's {@code host:port}
     * @param partitioner for as many partitions as each input has
     */
    StreamsPartitionOwners(KafkaStreams streams, String advertised, UserPartitioner partitioner) {
        HostInfo host = HostInfo.buildFromEndpoint(advertised);
        this.streams = streams;
        this.self = new Address(host.host(), host.port());
        this.partitioner = partitioner;
    }

    @Override
    public Address self() {
        return self;
    }

    @Override
    public Address ownerOf(UserId user) {
        KeyQueryMetadata metadata;
        try {
            metadata = streams.queryMetadataForKey(PresenceTopology.USERS, user, KEYS);
        } catch (StreamsException | IllegalStateException e) {
            throw new UnavailableException("nobody has the user at the moment", e);
        }
        if (metadata == null
                || metadata.equals(KeyQueryMetadata.NOT_AVAILABLE)
                || metadata.activeHost().host().equals("unavailable")) {
            throw new UnavailableException("nobody has the user at the moment");
        }
        return new Address(metadata.activeHost().host(), metadata.activeHost().port());
    }

    @Override
    public Optional<Presence> emitted(UserId user) {
        int partition = partitioner.partitionOf(user);
        QueryResult<UserSnapshot> result;
        try {
            StateQueryRequest<UserSnapshot> query = StateQueryRequest.inStore(PresenceTopology.USERS)
                    .withQuery(KeyQuery.<UserId, UserSnapshot>withKey(user))
                    .withPartitions(Set.of(partition))
                    .requireActive();
            result = streams.query(query).getPartitionResults().get(partition);
        } catch (StreamsException | IllegalStateException e) {
            throw new UnavailableException("this instance cannot answer yet", e);
        }
        if (result == null || result.isFailure()) {
            throw new UnavailableException("this instance does not have the user, or is still restoring");
        }
        UserSnapshot snapshot = result.getResult();
        return snapshot == null || snapshot.emitted() == null
                ? Optional.empty()
                : Optional.of(presence(snapshot.emitted(), snapshot.status().text()));
    }

    /** As it was published, but for the state before, which nobody asks the edge for. */
    private static Presence presence(Emitted emitted, @Nullable String text) {
        Long lastActive = emitted.lastActive() == UserSnapshot.NEVER ? null : (Long) emitted.lastActive();
        return new Presence(emitted.state(), null, text, emitted.since(), lastActive, emitted.sequence());
    }
}
