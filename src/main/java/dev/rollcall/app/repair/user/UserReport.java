package dev.rollcall.app.repair.user;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rollcall.app.repair.Clients;
import dev.rollcall.app.repair.Output;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.UserId;
import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.domain.UserSnapshot.DeviceSnapshot;
import dev.rollcall.domain.UserSnapshot.Emitted;
import dev.rollcall.session.SessionId;
import dev.rollcall.session.StoredShard;
import dev.rollcall.session.StoredShard.StoredSession;
import dev.rollcall.topology.Rerouting;
import dev.rollcall.topology.UserPartitioner;
import dev.rollcall.wire.Inbound;
import dev.rollcall.wire.Topic;
import dev.rollcall.wire.stored.StoredSerialization;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** Reads what is known of one user, from the user's partition of each topic. */
final class UserReport {
    private final Clients clients;
    private final RollcallConfig config;
    private final UserId user;
    private final int partitions;
    private final int partition;

    UserReport(Clients clients, UserId user) {
        this.clients = clients;
        this.config = clients.config();
        this.user = user;
        partitions = clients.scan().partitions(config.topics().deviceHeartbeat());
        partition = new UserPartitioner(partitions).partitionOf(user);
    }

    ObjectNode read(boolean withHeartbeats) {
        Map<TopicPartition, Long> offsets = clients.offsets();
        @Nullable
        ConsumerRecord<byte[], byte[]> presence =
                last(clients.topics().presence().name());
        @Nullable ConsumerRecord<byte[], byte[]> row = last(clients.usersChangelog());
        @Nullable
        ConsumerRecord<byte[], byte[]> text = last(clients.topics().statuses().name());
        @Nullable
        ConsumerRecord<byte[], byte[]> flag =
                last(clients.topics().appearOffline().name());
        @Nullable
        Presence published = presence == null
                ? null
                : clients.topics().presence().values().deserializer().deserialize(presence.topic(), presence.value());
        @Nullable
        UserSnapshot stored = row == null
                ? null
                : StoredSerialization.userSnapshots().deserializer().deserialize(row.topic(), row.value());

        ObjectNode all = Output.object();
        all.put("user", user.toString());
        all.put("partition", partition).put("partitions", partitions);
        all.put("known", presence != null || row != null || text != null || flag != null);
        all.set("presence", published(presence, published));
        all.set("stored", stored(row, stored));
        all.set("status", input(text, clients.topics().statuses(), offsets));
        all.set("appear_offline", input(flag, clients.topics().appearOffline(), offsets));
        if (withHeartbeats) {
            all.set("heartbeats", heartbeats());
        }
        Differences differences = new Differences(all.putArray("differences"));
        differences.ofTheOutput(stored, published);
        if (isRead(text, offsets)) {
            differences.ofTheText(stored, content(text, clients.topics().statuses()));
        }
        if (isRead(flag, offsets)) {
            differences.ofTheFlag(stored, content(flag, clients.topics().appearOffline()));
        }
        return all;
    }

    /** Whether what is stored has to agree with the record: it was read, and was not written elsewhere before. */
    private static boolean isRead(@Nullable ConsumerRecord<byte[], byte[]> record, Map<TopicPartition, Long> offsets) {
        return record != null
                && !Rerouting.isMarked(record.headers())
                && record.offset() < offsets.getOrDefault(new TopicPartition(record.topic(), record.partition()), 0L);
    }

    private static Inbound.@Nullable Content content(
            @Nullable ConsumerRecord<byte[], byte[]> record, Topic<UserId, Inbound> topic) {
        return record == null
                ? null
                : topic.values()
                        .deserializer()
                        .deserialize(record.topic(), record.value())
                        .content();
    }

    private @Nullable ConsumerRecord<byte[], byte[]> last(String topic) {
        int count = (int) clients.scan().find(topic).orElse(0);
        if (count == 0) {
            return null;
        }
        Map<UserId, ConsumerRecord<byte[], byte[]>> last = new HashMap<>();
        clients.scan().partition(topic, new UserPartitioner(count).partitionOf(user), record -> {
            if (Arrays.equals(record.key(), user.bytes())) {
                last.put(user, record);
            }
        });
        return last.get(user);
    }

    // ---- what is told of each ----

    private static ObjectNode place(ConsumerRecord<byte[], byte[]> record) {
        return Output.object().put("offset", record.offset()).put("timestamp", Output.time(record.timestamp()));
    }

    private static @Nullable ObjectNode published(
            @Nullable ConsumerRecord<byte[], byte[]> record, @Nullable Presence presence) {
        if (record == null) {
            return null;
        }
        ObjectNode node = place(record).put("forgotten", presence == null);
        if (presence != null) {
            node.put("state", presence.state().name())
                    .put("since", Output.time(presence.since()))
                    .put("text", presence.status())
                    .put("last_active", Output.time(presence.lastActive()))
                    .put("sequence", presence.sequence());
        }
        return node;
    }

    private static @Nullable ObjectNode input(
            @Nullable ConsumerRecord<byte[], byte[]> record,
            Topic<UserId, Inbound> topic,
            Map<TopicPartition, Long> offsets) {
        if (record == null) {
            return null;
        }
        long read = offsets.getOrDefault(new TopicPartition(record.topic(), record.partition()), 0L);
        ObjectNode node = place(record).put("read", record.offset() < read);
        Inbound.@Nullable Content content = content(record, topic);
        if (content instanceof Inbound.Status status) {
            node.put("text", status.text().text())
                    .put("expires_at", Output.time(status.text().expiresAt()));
        } else if (content instanceof Inbound.AppearOffline one) {
            node.put("appear_offline", one.appearOffline());
        } else if (content instanceof Inbound.Rejected rejected) {
            node.put("refused", rejected.rejection().detail());
        }
        return node;
    }

    private @Nullable ObjectNode stored(
            @Nullable ConsumerRecord<byte[], byte[]> record, @Nullable UserSnapshot stored) {
        if (record == null || stored == null) {
            return null;
        }
        ObjectNode node = place(record)
                .put("appear_offline", stored.appearOffline())
                .put("appear_offline_at", Output.time(stored.appearOfflineAt()))
                .put("text", stored.status().text())
                .put("text_expires_at", Output.time(stored.status().expiresAt()))
                .put("text_at", Output.time(stored.statusAt()));
        @Nullable Emitted emitted = stored.emitted();
        if (emitted != null) {
            node.putObject("published")
                    .put("state", emitted.state().name())
                    .put("since", Output.time(emitted.since()))
                    .put("at", Output.time(emitted.at()))
                    .put("sequence", emitted.sequence());
        }
        node.put("last_active", Output.time(stored.lastActive()));
        if (stored.forgettableSince() != UserSnapshot.NEVER) {
            node.put(
                    "forgotten_at",
                    Output.time(stored.forgettableSince() + config.rules().retentionMs()));
        }
        Map<String, StoredShard> shards = shards(stored);
        ArrayNode devices = node.putArray("devices");
        stored.devices().forEach(device -> devices.add(device(device, stored.clockAheadMs(), shards)));
        return node;
    }

    private Map<String, StoredShard> shards(UserSnapshot stored) {
        Map<String, StoredShard> shards = new HashMap<>();
        boolean anySession = stored.devices().stream().anyMatch(device -> device.session() != null);
        if (anySession && clients.scan().find(clients.shardsChangelog()).isPresent()) {
            clients.scan().partition(clients.shardsChangelog(), partition, record -> {
                String name = String.valueOf(Output.text(record.key()));
                @Nullable
                StoredShard shard =
                        StoredSerialization.storedShards().deserializer().deserialize(record.topic(), record.value());
                if (shard == null) {
                    shards.remove(name);
                } else {
                    shards.put(name, shard);
                }
            });
        }
        return shards;
    }

    private ObjectNode device(DeviceSnapshot device, long aheadMs, Map<String, StoredShard> shards) {
        ObjectNode node = Output.object()
                .put("device_id", device.id())
                .put("state", device.state().name())
                .put("since", Output.time(device.since()))
                .put("last_heard", Output.time(device.lastRecord() - aheadMs));
        @Nullable SessionId session = device.session();
        if (session != null) {
            node.put("shard", session.shard()).put("session", session.session());
        } else if (device.shard() != null) {
            node.put("shard", device.shard());
        }
        if (device.connectionEnded()) {
            return node.put("ends_at", Output.time(device.deadline() - aheadMs))
                    .put("because", "its connection ended, and the state holds until then (rule 5)");
        } else if (session != null) {
            return session(node, device, aheadMs, find(session, shards.get(session.shard())));
        }
        return node.put("lease_ms", device.leaseMs())
                .put("ends_at", Output.time(device.deadline() - aheadMs))
                .put(
                        "because",
                        "its lease is over then, counted from the last heartbeat that is stored; later ones that change"
                                + " nothing are stored every %d ms, so it may live longer%s"
                                        .formatted(
                                                config.rules().lastSeenPersistMs(),
                                                device.shard() == null
                                                        ? ""
                                                        : ", and is held while its whole shard is silent (rule 13)"));
    }

    private static @Nullable StoredSession find(SessionId id, @Nullable StoredShard shard) {
        return shard == null
                ? null
                : shard.sessions().stream()
                        .filter(one -> one.session().equals(id.session()) && one.life() == id.life())
                        .findFirst()
                        .orElse(null);
    }

    private static ObjectNode session(
            ObjectNode node, DeviceSnapshot device, long aheadMs, @Nullable StoredSession session) {
        if (session == null) {
            return node.put("ends_at", Output.time(device.deadline() - aheadMs))
                    .put("because", "its session was not heard of: it lives as long as if it had been then (rule 14)");
        }
        return switch (session.state()) {
            case ALIVE, UNHEARD ->
                node.put("session_state", session.state().name())
                        .putNull("ends_at")
                        .put("because", "its session is alive by what is stored, and it lives as long (rule 14)");
            case SILENT, ENDED, SUPERSEDED ->
                node.put("session_state", session.state().name())
                        .put("session_ended_at", Output.time(session.endsAt() - aheadMs))
                        .put("ends_at", Output.time(session.heldUntil() - aheadMs))
                        .put("because", "its session has ended, and it is held until then (rule 14)");
        };
    }

    /** The last one of each device that is kept. */
    private ArrayNode heartbeats() {
        Map<String, ObjectNode> last = new LinkedHashMap<>();
        Topic<UserId, Inbound> topic = clients.topics().heartbeats();
        clients.scan().partition(topic.name(), partition, record -> {
            if (Arrays.equals(record.key(), user.bytes()) && content(record, topic) instanceof Inbound.Beat beat) {
                Heartbeat heartbeat = beat.heartbeat();
                last.put(
                        heartbeat.deviceId(),
                        place(record)
                                .put("device_id", heartbeat.deviceId())
                                .put(
                                        "state",
                                        heartbeat.state() == null
                                                ? null
                                                : heartbeat.state().name())
                                .put("closed", heartbeat.connectionEnded())
                                .put(
                                        "lease_ms",
                                        heartbeat
                                                .leaseMs()
                                                .orElse(config.rules().leaseMs()))
                                .put("shard", heartbeat.shard())
                                .put("session", heartbeat.session()));
            }
        });
        ArrayNode all = Output.object().putArray("heartbeats");
        last.values().forEach(all::add);
        return all;
    }
}
