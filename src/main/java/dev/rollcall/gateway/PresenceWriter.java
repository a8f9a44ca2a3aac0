package dev.rollcall.gateway;

import dev.rollcall.client.PresencePublisher;
import dev.rollcall.client.sending.EventSender;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.wire.Topics;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Writes the events of HTTP clients to Kafka. Each future completes when all in-sync brokers have the record. It fails with
 * an {@link UnavailableException} if they do not have it within 5 s, and then the record is not sent later either.
 *
 * <p>A state that a client names is sent each time. Keep-alives name no state, since another instance may have received a
 * newer one. Thread-safe; no call blocks.
 */
public final class PresenceWriter implements AutoCloseable {
    /** Long enough that devices stay online over a restart of this instance, if their clients reconnect. */
    private static final Duration LEASE = Duration.ofSeconds(30);

    private static final Duration SEND_TIMEOUT = Duration.ofSeconds(5);
    private static final int MAX_QUEUED = 10_000;
    private static final OptionalLong LEASE_MS =
            OptionalLong.of(LEASE.plusSeconds(1).toMillis());

    private final String shard;
    private final EventSender sender;
    private final PresencePublisher publisher;

    /** One thread keeps a client's events in order; the producer may block it for up to {@code max.block.ms}. */
    private final ThreadPoolExecutor sending;

    /**
     * Connects to the cluster; the brokers need not be up yet.
     *
     * @param settings of a Kafka producer; {@code bootstrap.servers} is required
     * @param shard names this instance in the heartbeats of open streams, 1 to 255 bytes
     * @param keepAlive the time between two heartbeats of a device with an open stream. Must be shorter than the grace after
     *     a connection's end: when a client has moved to another instance, that one's heartbeats then cancel the end that
     *     the first one sends late
     */
    public PresenceWriter(Topics topics, Map<String, ?> settings, String shard, Duration keepAlive) {
        this.shard = shard;
        Map<String, Object> bounded = new HashMap<>(settings);
        // A write that was answered with 503 must not be sent afterwards.
        bounded.put("max.block.ms", (int) SEND_TIMEOUT.toMillis() / 2);
        bounded.put("linger.ms", 0);
        bounded.put("request.timeout.ms", (int) SEND_TIMEOUT.toMillis() / 2);
        bounded.put("delivery.timeout.ms", (int) SEND_TIMEOUT.toMillis());
        bounded.put("reconnect.backoff.max.ms", 1_000);
        sender = new EventSender(topics, bounded);
        publisher = PresencePublisher.forShard(shard)
                .topics(topics)
                .lease(LEASE)
                .keepAlive(keepAlive)
                .start(settings);
        sending = new ThreadPoolExecutor(1, 1, 0, TimeUnit.SECONDS, new ArrayBlockingQueue<>(MAX_QUEUED), task -> {
            Thread thread = new Thread(task, "presence-writer");
            thread.setDaemon(true);
            return thread;
        });
    }

    /** Sets the device's state, for the default lease. */
    public CompletableFuture<Void> state(UserId user, String device, PresenceState state) {
        Heartbeat heartbeat = new Heartbeat(device, state, false, OptionalLong.empty(), null);
        return send(() -> sender.heartbeat(user, heartbeat));
    }

    /** Ends the device's connection. */
    public CompletableFuture<Void> ended(UserId user, String device) {
        Heartbeat heartbeat = new Heartbeat(device, null, true, OptionalLong.empty(), null);
        return send(() -> sender.heartbeat(user, heartbeat));
    }

    /**
     * Sets the state of a device whose stream opens. State and lease are one record, so that no other state is published
     * in between. Once the future has completed, the device is kept alive until {@link #closed}, which must be called once.
     */
    public CompletableFuture<Void> opened(UserId user, String device, PresenceState state) {
        Heartbeat heartbeat = new Heartbeat(device, state, false, LEASE_MS, shard);
        return send(() -> sender.heartbeat(user, heartbeat)).thenAccept(done -> {
            try {
                var unused = publisher.opened(user, device);
            } catch (IllegalStateException e) {
                throw new UnavailableException("this instance is closing", e);
            }
        });
    }

    /** Ends the device's connection if this was its last open stream at this instance. */
    public CompletableFuture<Void> closed(UserId user, String device) {
        try {
            return publisher.closed(user, device);
        } catch (IllegalStateException e) {
            return CompletableFuture.completedFuture(null); // close() has ended all devices
        }
    }

    /** Sets the user's status text; {@link StatusText#NONE} clears it. */
    public CompletableFuture<Void> status(UserId user, StatusText text) {
        return send(() -> sender.status(user, text));
    }

    /** Makes the user appear OFFLINE whatever the devices do, or ends that. */
    public CompletableFuture<Void> appearOffline(UserId user, boolean appearOffline) {
        return send(() -> sender.appearOffline(user, appearOffline));
    }

    /** Ends all devices with open streams, and waits up to 2.5 s for that. */
    @Override
    public void close() {
        sending.shutdownNow();
        publisher.close(SEND_TIMEOUT.dividedBy(2));
        sender.close();
    }

    private CompletableFuture<Void> send(Supplier<CompletableFuture<Void>> record) {
        CompletableFuture<Void> sent = new CompletableFuture<>();
        try {
            sending.execute(() -> handOver(record, sent));
        } catch (RejectedExecutionException e) {
            return CompletableFuture.failedFuture(new UnavailableException("too many events are waiting for Kafka", e));
        }
        // The producer has time-outs of its own; this one covers the queue before it.
        return sent.orTimeout(2 * SEND_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
                .exceptionally(failure -> {
                    throw new UnavailableException("Kafka has not accepted the event", failure);
                });
    }

    private static void handOver(Supplier<CompletableFuture<Void>> record, CompletableFuture<Void> sent) {
        if (sent.isDone()) {
            return; // timed out in the queue, so the client has been answered with 503
        }
        try {
            var unused = record.get().whenComplete((done, failure) -> {
                if (failure == null) {
                    sent.complete(null);
                } else {
                    sent.completeExceptionally(failure);
                }
            });
        } catch (Throwable e) {
            sent.completeExceptionally(e);
        }
    }
}
