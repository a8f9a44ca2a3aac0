package dev.rollcall.bench;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.UserId;
import dev.rollcall.wire.Inbound;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Pipeline;
import redis.clients.jedis.Response;
import redis.clients.jedis.resps.Tuple;

/**
 * Presence in Redis: a hash per user ({@link RedisUser}), and per partition a sorted set of devices by their deadlines. A batch of
 * heartbeats takes two round trips, whatever its size: one reads the users, one writes what has changed and all deadlines.
 */
final class RedisUsers {
    private static final int EXPIRE_AT_ONCE = 1_000;

    private final Jedis jedis;
    private final long leaseMs;

    /** A record for the topic of presence. */
    record Change(UserId user, Presence presence) {}

    RedisUsers(Jedis jedis, long leaseMs) {
        this.jedis = jedis;
        this.leaseMs = leaseMs;
    }

    /** Applies a batch of one partition, and returns what follows, in order. */
    List<Change> take(int partition, List<ConsumerRecord<UserId, Inbound>> batch) {
        List<UserId> ids = batch.stream()
                .filter(record -> record.value().content() instanceof Inbound.Beat)
                .map(ConsumerRecord::key)
                .distinct()
                .toList();
        Map<UserId, RedisUser> users = read(ids);
        Map<Entry, Double> deadlines = new HashMap<>();
        List<Change> changes = new ArrayList<>();
        for (ConsumerRecord<UserId, Inbound> record : batch) {
            if (record.value().content() instanceof Inbound.Beat beat) {
                Heartbeat heartbeat = beat.heartbeat();
                RedisUser user = requireNonNull(users.get(record.key()));
                add(changes, record.key(), user.take(heartbeat, record.timestamp()));
                deadlines.put(
                        new Entry(record.key(), heartbeat.deviceId()),
                        (double) record.timestamp() + heartbeat.leaseMs().orElse(leaseMs));
            }
        }
        try (Pipeline pipeline = jedis.pipelined()) {
            write(pipeline, users);
            if (!deadlines.isEmpty()) {
                IdentityHashMap<byte[], Double> scores =
                        new IdentityHashMap<>(); // as each entry has an array of its own
                deadlines.forEach((entry, deadline) -> scores.put(entry.bytes(), deadline));
                pipeline.zadd(deadlines(partition), scores);
            }
        }
        return changes;
    }

    /** Ends the leases of a partition that have ended by now, and returns what follows, in the order of their ends. */
    List<Change> expire(int partition, long now) {
        List<Change> changes = new ArrayList<>();
        while (true) {
            List<Tuple> due = jedis.zrangeByScoreWithScores(
                    deadlines(partition), Double.NEGATIVE_INFINITY, (double) now, 0, EXPIRE_AT_ONCE);
            if (due.isEmpty()) {
                return changes;
            }
            List<Entry> entries = due.stream()
                    .map(one -> Entry.ofBytes(one.getBinaryElement()))
                    .toList();
            Map<UserId, RedisUser> users =
                    read(entries.stream().map(Entry::user).distinct().toList());
            try (Pipeline pipeline = jedis.pipelined()) {
                for (int i = 0; i < entries.size(); i++) {
                    Entry entry = entries.get(i);
                    long deadline = (long) due.get(i).getScore();
                    RedisUser user = requireNonNull(users.get(entry.user));
                    add(changes, entry.user, user.expire(entry.device, deadline, deadline - leaseMs));
                    pipeline.hdel(key(entry.user), entry.device);
                }
                write(pipeline, users);
                pipeline.zrem(
                        deadlines(partition),
                        due.stream().map(Tuple::getBinaryElement).toArray(byte[][]::new));
            }
        }
    }

    private Map<UserId, RedisUser> read(List<UserId> ids) {
        Map<UserId, Response<Map<String, String>>> answers = new LinkedHashMap<>();
        try (Pipeline pipeline = jedis.pipelined()) {
            ids.forEach(id -> answers.put(id, pipeline.hgetAll(key(id))));
        }
        Map<UserId, RedisUser> users = new LinkedHashMap<>();
        answers.forEach((id, hash) -> users.put(id, new RedisUser(hash.get())));
        return users;
    }

    private static void write(Pipeline pipeline, Map<UserId, RedisUser> users) {
        users.forEach((id, user) -> {
            if (!user.changed().isEmpty()) {
                pipeline.hset(key(id), user.changed());
            }
        });
    }

    private static void add(List<Change> changes, UserId user, @Nullable Presence presence) {
        if (presence != null) {
            changes.add(new Change(user, presence));
        }
    }

    private static String key(UserId user) {
        return "user:" + user;
    }

    private static byte[] deadlines(int partition) {
        return ("deadlines:" + partition).getBytes(UTF_8);
    }

    /** A device in the sorted set. Neither user nor device has a space in its id here. */
    private record Entry(UserId user, String device) {
        private static Entry ofBytes(byte[] bytes) {
            String text = new String(bytes, UTF_8);
            int space = text.indexOf(' ');
            return new Entry(UserId.of(text.substring(0, space)), text.substring(space + 1));
        }

        private byte[] bytes() {
            return (user + " " + device).getBytes(UTF_8);
        }
    }
}
