package dev.rollcall.bench;

import dev.rollcall.domain.PresenceState;
import dev.rollcall.session.SessionRules;
import dev.rollcall.wire.Inbound;
import dev.rollcall.wire.Topics;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * What became of the first shards, which die: when their sessions ended, as the log says, and when a reader of presence had the
 * last OFFLINE of their devices. Times are in ms since the epoch, by the one clock that this machine has.
 */
final class DeadShards {
    private static final Topics CONTRACT = Topics.ofContract();

    private final int shards;

    /** By shard and partition. */
    private final long[][] lastOffline;

    private final AtomicLong seen = new AtomicLong();

    /** By shard, and in that by partition: the last heartbeats. */
    private final Map<Integer, long[]> lastHeard = new HashMap<>();

    /** By partition. */
    private final List<TreeSet<Long>> ticks =
            Stream.generate(TreeSet<Long>::new).limit(BrokerFixture.PARTITIONS).toList();

    DeadShards(int shards) {
        this.shards = shards;
        lastOffline = new long[OpenLog.SHARDS][BrokerFixture.PARTITIONS];
    }

    /** Takes a record of presence, when it arrives. */
    void emitted(ConsumerRecord<byte[], byte[]> record) {
        var emitted = CONTRACT.presence().values().deserializer().deserialize(record.topic(), record.value());
        if (emitted.state() == PresenceState.OFFLINE) {
            String user = new String(record.key(), StandardCharsets.US_ASCII);
            lastOffline[OpenLog.shard(LogPlan.user(user))][record.partition()] = System.currentTimeMillis();
        }
        seen.incrementAndGet();
    }

    /** How many records of presence were taken. */
    long seen() {
        return seen.get();
    }

    /** Takes a record of the inputs, after all is over. */
    void written(ConsumerRecord<byte[], byte[]> record) {
        Inbound.Content content = CONTRACT.heartbeats()
                .values()
                .deserializer()
                .deserialize(record.topic(), record.value())
                .content();
        if (content instanceof Inbound.ClockTick) {
            ticks.get(record.partition()).add(record.timestamp());
        } else if (content instanceof Inbound.ShardBeat beat) {
            int shard = OpenLog.shard(beat.heartbeat());
            if (shard < shards) {
                lastHeard.computeIfAbsent(shard, any -> new long[BrokerFixture.PARTITIONS])[record.partition()] =
                        record.timestamp();
            }
        }
    }

    /** When their sessions ended, by shard, and in that by partition. */
    Map<Integer, long[]> ends() {
        Map<Integer, long[]> ends = new HashMap<>();
        lastHeard.forEach((shard, heard) -> {
            long[] ended = heard.clone();
            for (int partition = 0; partition < ended.length; partition++) {
                ended[partition] += OpenLog.LEASE_MS;
            }
            ends.put(shard, ended);
        });
        return ends;
    }

    /** Of each, how long after the clock tick at which its devices had ended the last OFFLINE of a partition was there, in ms. */
    List<Double> delays(SessionRules rules) {
        List<Double> delays = new ArrayList<>();
        ends().forEach((shard, ended) -> {
            long longest = 0;
            for (int partition = 0; partition < ended.length; partition++) {
                Long tick = ticks.get(partition).ceiling(ended[partition] + rules.holdMs());
                if (tick == null) {
                    throw new BenchmarkException("shard %d has not come to its end".formatted(shard));
                }
                longest = Math.max(longest, lastOffline[shard][partition] - tick);
            }
            delays.add((double) longest);
        });
        return delays;
    }
}
