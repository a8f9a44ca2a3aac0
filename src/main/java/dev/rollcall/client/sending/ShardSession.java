package dev.rollcall.client.sending;

import dev.rollcall.domain.UserId;
import dev.rollcall.session.ShardHeartbeat;
import dev.rollcall.text.Printable;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.BitSet;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One life of a shard (rule 14): writes a shard heartbeat into each partition every third of the lease, at a time of the
 * partition's own, and before the first device that is opened there. All times are in ms from any fixed point, unless they
 * are the brokers'.
 *
 * <p>Records go to the producer in the order of the {@link Outbox}, from one thread at a time, so that the order of a
 * heartbeat and an open is the log's. A partition has one heartbeat on the way at most: the broker stamps it on arrival.
 */
public final class ShardSession {
    /** When a heartbeat that has failed is sent again: sooner than its partition's turn comes. */
    private static final long RETRY_MS = 1_000;

    private static final Logger LOG = LoggerFactory.getLogger(ShardSession.class);
    private static final long WARN_EVERY_MS = 10_000;
    private static final long NO_STAMP = -1;

    /** What one partition has heard. Guarded by itself, except as noted. */
    private static final class Partition {
        private final int number;
        private final long phaseMs;
        private long dueAt;
        private boolean isOnItsWay;

        /** Whether a heartbeat was handed to the producer. Only read and written while records are handed over. */
        private boolean hasBegun;

        /** When a heartbeat was acknowledged last; before that, when the first one was handed over. */
        private long heardAt;

        /** Its stamp by the broker, in ms since the epoch; or none. */
        private long stamp = NO_STAMP;

        /** Whether devices that are connected may be unknown here. */
        private boolean isNew;

        private Partition(int number, long phaseMs, long dueAt, boolean isNew) {
            this.number = number;
            this.phaseMs = phaseMs;
            this.dueAt = dueAt;
            this.isNew = isNew;
        }
    }

    /**
     * The partitions that have heard a heartbeat since the last time.
     *
     * @param heard all of them
     * @param silent those where the session may have ended before, and with it its devices
     */
    record Heard(BitSet heard, BitSet silent) {}

    private final PublisherSettings settings;
    private final EventRecords records;
    private final EventSender sender;
    private final Outbox outbox;
    private final InstantSource clock;
    private final ShardHeartbeat heartbeat;
    private final long startMs;

    /** So that shards that start together do not send together. */
    private final long offsetMs;

    private final AtomicBoolean isLooking = new AtomicBoolean();

    /** Since the last warning. */
    private final AtomicLong failures = new AtomicLong();

    private volatile @Nullable Throwable lastFailure;
    private long nextWarning = Long.MIN_VALUE;

    /** Empty as long as they are not known. */
    private volatile Partition[] partitions = {};

    private BitSet heard = new BitSet();
    private BitSet silent = new BitSet();

    /** {@code startedAt} is in ms since the epoch; the clock is any. */
    public ShardSession(
            PublisherSettings settings,
            EventRecords records,
            EventSender sender,
            Outbox outbox,
            InstantSource clock,
            long startedAt) {
        this.settings = settings;
        this.records = records;
        this.sender = sender;
        this.outbox = outbox;
        this.clock = clock;
        this.startMs = clock.millis();
        this.offsetMs = ThreadLocalRandom.current().nextLong(settings.intervalMs());
        this.heartbeat = new ShardHeartbeat(
                settings.shard(), UUID.randomUUID().toString(), startedAt, OptionalLong.of(settings.leaseMs()), false);
    }

    String id() {
        return heartbeat.session();
    }

    /** Where the user's records go; -1 as long as the partitions are not known. */
    int partition(UserId user) {
        int count = partitions.length;
        return count == 0 ? -1 : partition(user.bytes(), count);
    }

    private static int partition(byte[] key, int count) {
        return Utils.toPositive(Utils.murmur2(key)) % count;
    }

    /** Has the heartbeats that are due sent. Does not block. */
    public void tick(long now) {
        Partition[] known = partitions;
        if (known.length == 0 && isLooking.compareAndSet(false, true)) {
            var unused = outbox.add(records.heartbeats(), this::look, Outbox.NO_LIMIT)
                    .whenComplete((done, failure) -> isLooking.set(false));
        }
        for (Partition partition : known) {
            boolean isDue;
            synchronized (partition) {
                isDue = !partition.isOnItsWay && partition.dueAt <= now;
                partition.isOnItsWay |= isDue;
            }
            if (isDue) {
                var unused = outbox.add(records.heartbeats(), () -> sendInTurn(partition), Outbox.NO_LIMIT)
                        .whenComplete((done, failure) -> hasArrived(partition, failure));
            }
        }
        warnOfFailures(now);
    }

    /** What the brokers have acknowledged since the last call. */
    synchronized Heard takeHeard() {
        Heard taken = new Heard(heard, silent);
        heard = new BitSet();
        silent = new BitSet();
        return taken;
    }

    /**
     * Writes a last heartbeat into each partition.
     *
     * @param ended whether the session ends with it; if not, its devices live on for a lease
     */
    public void leave(boolean ended) {
        ShardHeartbeat last = new ShardHeartbeat(
                heartbeat.shard(), heartbeat.session(), heartbeat.startedAt(), heartbeat.leaseMs(), ended);
        var unused = outbox.add(
                records.heartbeats(),
                () -> CompletableFuture.allOf(Arrays.stream(partitions)
                        .map(partition -> send(partition, last))
                        .toArray(CompletableFuture<?>[]::new)),
                Outbox.NO_LIMIT);
    }

    // ---- while records are handed over, by one thread at a time; these may block ----

    /** Sends a device's heartbeat in this session. */
    CompletableFuture<Void> send(ProducerRecord<byte[], byte[]> record) {
        if (partitions.length == 0) {
            CompletableFuture<Void> looked = look();
            if (looked.isCompletedExceptionally()) {
                return looked;
            }
        }
        Partition partition = partitions[partition(record.key(), partitions.length)];
        if (!partition.hasBegun) {
            CompletableFuture<Void> first = send(partition, heartbeat);
            if (first.isCompletedExceptionally()) {
                return first;
            }
        }
        // Named, since the producer may know of more partitions by now.
        return sender.send(new ProducerRecord<>(record.topic(), partition.number, record.key(), record.value()));
    }

    private CompletableFuture<Void> sendInTurn(Partition partition) {
        CompletableFuture<Void> looked = look();
        return looked.isCompletedExceptionally() ? looked : send(partition, heartbeat);
    }

    /** Learns how many partitions there are. The producer waits only if it does not know the topic. */
    private CompletableFuture<Void> look() {
        try {
            int count = sender.partitions(records.heartbeats());
            Partition[] known = partitions;
            if (count != known.length) {
                Partition[] all = Arrays.copyOf(known, count);
                for (int number = known.length; number < count; number++) {
                    long phase = offsetMs + settings.intervalMs() * number / count;
                    all[number] = new Partition(number, phase, nextTurn(phase, clock.millis()), known.length > 0);
                }
                partitions = all;
            }
            return CompletableFuture.completedFuture(null);
        } catch (KafkaException | IllegalStateException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private CompletableFuture<Void> send(Partition partition, ShardHeartbeat beat) {
        long now = clock.millis();
        if (!partition.hasBegun) {
            synchronized (partition) {
                partition.heardAt = now;
            }
        }
        CompletableFuture<Void> sent = new CompletableFuture<>();
        sender.send(records.shardHeartbeat(partition.number, beat), (metadata, failure) -> {
            if (failure == null) {
                hear(partition, now, metadata.hasTimestamp() ? metadata.timestamp() : NO_STAMP);
                sent.complete(null);
            } else {
                sent.completeExceptionally(failure);
            }
        });
        partition.hasBegun |= !sent.isCompletedExceptionally();
        return sent;
    }

    // ---- when the brokers answer ----

    private void hear(Partition partition, long sentAt, long stamp) {
        long now = clock.millis();
        boolean wasSilent;
        synchronized (partition) {
            // The stamps are what the processor goes by. This clock is for stamps that step back, as with another
            // leader.
            boolean isStamped = stamp != NO_STAMP && partition.stamp != NO_STAMP;
            wasSilent = partition.isNew
                    || now - partition.heardAt >= settings.leaseMs()
                    || (isStamped && stamp - partition.stamp >= settings.leaseMs());
            partition.isNew = false;
            partition.heardAt = now;
            partition.stamp = stamp;
            partition.dueAt = nextTurn(partition.phaseMs, sentAt);
        }
        synchronized (this) {
            heard.set(partition.number);
            if (wasSilent) {
                silent.set(partition.number);
            }
        }
    }

    private void hasArrived(Partition partition, @Nullable Throwable failure) {
        synchronized (partition) {
            partition.isOnItsWay = false;
            if (failure != null) {
                partition.dueAt = clock.millis() + Math.min(RETRY_MS, settings.intervalMs());
            }
        }
        if (failure != null) {
            lastFailure = failure;
            failures.incrementAndGet();
        }
    }

    private void warnOfFailures(long now) {
        if (failures.get() > 0 && now >= nextWarning) {
            nextWarning = now + WARN_EVERY_MS;
            LOG.warn(
                    "{} shard heartbeats of {} could not be sent, the last of them because of {}; they are tried again",
                    failures.getAndSet(0),
                    Printable.of(settings.shard()),
                    String.valueOf(lastFailure));
        }
    }

    private long nextTurn(long phaseMs, long now) {
        return now + settings.intervalMs() - Math.floorMod(now - startMs - phaseMs, settings.intervalMs());
    }
}
