package dev.rollcall.chaos;

import dev.rollcall.domain.UserId;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.jspecify.annotations.Nullable;

/**
 * The sessions of a shard that holds connections: beats for the one that runs into each partition, and for the one before as
 * long as that is a zombie. Times in ms. Each is used by one thread; others read which session runs, and cut it off.
 */
final class HoldingShard {
    private static final long BEAT_EVERY = Timing.SHARD_LEASE.toMillis() / 3;

    private final String shard;
    private final AnyPartitionProducer producer;
    private final Consumer<CompletableFuture<RecordMetadata>> sending;
    private volatile ShardSession current;
    private @Nullable ShardSession before;
    private boolean hasEnded;
    private long nextBeat;
    private long nextZombieBeat;
    private volatile int cutOffFrom = -1;
    private volatile long cutOffUntil;

    HoldingShard(String shard, AnyPartitionProducer producer, Consumer<CompletableFuture<RecordMetadata>> sending) {
        this.shard = shard;
        this.producer = producer;
        this.sending = sending;
        this.current = newSession(0);
    }

    ShardSession current() {
        return current;
    }

    /** The session before this one; null: there was none. */
    @Nullable
    ShardSession before() {
        return before;
    }

    /** Begins another session, which beats at once. */
    void begin() {
        before = current;
        current = newSession(current.startedAt());
        hasEnded = false;
        nextBeat = 0;
    }

    private ShardSession newSession(long after) {
        long startedAt = Math.max(System.currentTimeMillis(), after + 1);
        return new ShardSession(shard, "session-" + startedAt, startedAt);
    }

    /** Ends in good order. */
    void end() {
        hasEnded = true;
        beat(current, true);
    }

    void beatIfDue(long now) {
        if (!hasEnded && now >= nextBeat) {
            nextBeat = now + BEAT_EVERY;
            beat(current, false);
        }
    }

    void beatAsZombieIfDue(long now) {
        if (before != null && now >= nextZombieBeat) {
            nextZombieBeat = now + BEAT_EVERY;
            beat(before, false);
        }
    }

    /** Nothing reaches that partition until then. */
    void cutOff(int partition, long until) {
        cutOffUntil = until;
        cutOffFrom = partition;
    }

    boolean reaches(UserId user, long now) {
        return reaches(AnyPartitionProducer.partitionOf(user), now);
    }

    private boolean reaches(int partition, long now) {
        return partition != cutOffFrom || now >= cutOffUntil;
    }

    private void beat(ShardSession session, boolean ended) {
        for (int partition = 0; partition < Timing.PARTITIONS; partition++) {
            if (reaches(partition, LoadGenerator.nowMs())) {
                sending.accept(producer.shard(partition, session.heartbeat(ended)));
            }
        }
    }
}
