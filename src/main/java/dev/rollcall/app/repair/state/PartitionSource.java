package dev.rollcall.app.repair.state;

import dev.rollcall.app.repair.Clients;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.PresenceUpdate;
import dev.rollcall.domain.UserId;
import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.partition.RebuildCounts;
import dev.rollcall.partition.RebuildResult;
import dev.rollcall.partition.RebuiltPartition;
import dev.rollcall.session.StoredShard;
import dev.rollcall.topology.Rerouting;
import dev.rollcall.topology.UserPartitioner;
import dev.rollcall.wire.CarriedHeartbeat;
import dev.rollcall.wire.Inbound;
import dev.rollcall.wire.Topic;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * Reads what is left of a partition's users. Heartbeats are read up to what the processor's group has committed, as the rest is yet
 * to be read by it; of texts and flags the last ones hold, for compaction may have removed those before. If nothing is
 * committed, all is read, and that becomes what is.
 */
final class PartitionSource {
    private final Clients clients;
    private final UserPartitioner partitioner;
    private final Map<TopicPartition, Long> committed;
    private final long holdMs;
    private long heartbeats;
    private boolean isWhole = true;

    private record Carried(UserId user, Heartbeat heartbeat, long stamp) {}

    PartitionSource(Clients clients, int partitions, Map<TopicPartition, Long> committed, long holdMs) {
        this.clients = clients;
        this.partitioner = new UserPartitioner(partitions);
        this.committed = committed;
        this.holdMs = holdMs;
    }

    /** How many heartbeats were read. */
    long heartbeats() {
        return heartbeats;
    }

    /** Whether none were deleted. */
    boolean isWhole() {
        return isWhole;
    }

    /** @param writer null: nothing is written */
    RebuildCounts read(int partition, @Nullable RebuildWriter writer) {
        TopicPartition log = new TopicPartition(clients.topics().heartbeats().name(), partition);
        Map<TopicPartition, OffsetAndMetadata> ends = new HashMap<>();
        for (Topic<UserId, Inbound> input : clients.topics().inputs()) {
            TopicPartition at = new TopicPartition(input.name(), partition);
            ends.put(at, new OffsetAndMetadata(clients.scan().end(at)));
        }
        long begin = clients.scan().begin(log);
        long read = committed.getOrDefault(log, 0L);
        boolean isCommitted = read > begin; // offsets that were reset are none
        long end = isCommitted ? read : clients.scan().end(log);
        isWhole &= begin == 0;
        RebuiltPartition rebuilt = new RebuiltPartition(clients.config().rules(), holdMs, begin == 0);
        readPresence(partition, rebuilt);
        ofThePartition(clients.topics().appearOffline(), partition, (user, record, content) -> {
            if (content instanceof Inbound.AppearOffline flag) {
                rebuilt.appearOffline(
                        user, flag.appearOffline(), firstTime(record), Rerouting.isMarked(record.headers()));
            }
        });
        List<Carried> carried = new ArrayList<>();
        ofThePartition(clients.topics().statuses(), partition, (user, record, content) -> {
            Inbound.@Nullable Content with = CarriedHeartbeat.of(record.headers());
            if (content instanceof Inbound.Status status && !(with instanceof Inbound.Rejected)) {
                rebuilt.text(user, status.text(), firstTime(record), Rerouting.isMarked(record.headers()));
                if (with instanceof Inbound.Beat beat) {
                    carried.add(new Carried(user, beat.heartbeat(), firstTime(record)));
                }
            }
        });
        carried.sort(Comparator.comparingLong(Carried::stamp));
        play(log, end, rebuilt, new ArrayDeque<>(carried));
        if (writer == null) {
            return rebuilt.finish(NOWHERE);
        }
        writer.begin(partition);
        RebuildCounts counts = rebuilt.finish(writer);
        writer.commit(isCommitted ? Map.of() : ends);
        return counts;
    }

    private void readPresence(int partition, RebuiltPartition rebuilt) {
        Topic<UserId, Presence> topic = clients.topics().presence();
        Consumer<ConsumerRecord<byte[], byte[]>> each = record -> {
            if (record.key() == null) {
                return; // not Rollcall's
            }
            UserId user = UserId.ofBytes(record.key());
            if (partitioner.partitionOf(user) == partition) {
                rebuilt.published(
                        user,
                        topic.values().deserializer().deserialize(topic.name(), record.value()),
                        record.timestamp());
            }
        };
        if (clients.scan().partitions(topic.name()) == partitioner.partitions()) {
            clients.scan().partition(topic.name(), partition, each);
        } else {
            clients.scan().all(topic.name(), each);
        }
    }

    private interface Each {
        void accept(UserId user, ConsumerRecord<byte[], byte[]> record, Inbound.Content content);
    }

    /** The users' records of an input; what was misrouted lies in the right partition once more. */
    private void ofThePartition(Topic<UserId, Inbound> topic, int partition, Each each) {
        clients.scan().partition(topic.name(), partition, record -> {
            if (isAUsers(record)) {
                each.accept(UserId.ofBytes(record.key()), record, content(topic, record));
            }
        });
    }

    private boolean isAUsers(ConsumerRecord<byte[], byte[]> record) {
        if (record.key() == null) {
            return false;
        }
        UserId user = UserId.ofBytes(record.key());
        return user.isValid()
                && (!partitioner.isMisrouted(user, record.partition()) || Rerouting.isMarked(record.headers()));
    }

    private void play(TopicPartition log, long end, RebuiltPartition rebuilt, Deque<Carried> carried) {
        clients.scan().partition(log.topic(), log.partition(), record -> {
            if (record.offset() >= end) {
                rebuilt.unread(record.timestamp());
                return;
            }
            for (Carried next = carried.peek(); next != null && next.stamp() <= record.timestamp(); ) {
                rebuilt.carriedHeartbeat(next.user(), next.heartbeat(), next.stamp());
                carried.remove();
                next = carried.peek();
            }
            play(record, content(clients.topics().heartbeats(), record), rebuilt);
        });
    }

    private void play(ConsumerRecord<byte[], byte[]> record, Inbound.Content content, RebuiltPartition rebuilt) {
        long stamp = record.timestamp();
        if (content instanceof Inbound.ClockTick) {
            rebuilt.clockTick(stamp);
        } else if (content instanceof Inbound.ShardBeat beat) {
            rebuilt.shardHeartbeat(beat.heartbeat(), stamp);
        } else if (content instanceof Inbound.Beat beat && isAUsers(record)) {
            heartbeats++;
            UserId user = UserId.ofBytes(record.key());
            if (Rerouting.isMarked(record.headers())) {
                rebuilt.misroutedHeartbeat(user, beat.heartbeat(), firstTime(record), stamp);
            } else {
                rebuilt.heartbeat(user, beat.heartbeat(), stamp);
            }
        }
    }

    private static Inbound.Content content(Topic<UserId, Inbound> topic, ConsumerRecord<byte[], byte[]> record) {
        return topic.values()
                .deserializer()
                .deserialize(record.topic(), record.value())
                .content();
    }

    private static long firstTime(ConsumerRecord<byte[], byte[]> record) {
        return Rerouting.firstTime(record.headers(), record.timestamp());
    }

    private static final RebuildResult NOWHERE = new RebuildResult() {
        @Override
        public void user(UserId user, UserSnapshot snapshot, List<PresenceUpdate> updates) {
            // only counted
        }

        @Override
        public void shard(String shard, StoredShard stored) {
            // only counted
        }
    };
}
