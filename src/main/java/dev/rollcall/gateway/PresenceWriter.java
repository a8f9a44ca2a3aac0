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
 * What clients of the edge say, on its way to Kafka. Each future completes when all in-sync brokers have the record, and
 * fails with an {@link UnavailableException} if they don't have it in 5 s, after which they won't get it any more.
 *
 * <p>What a client says outright is sent each time, and keep-alives name no state: with several instances another one may
 * have heard what the device's state is since, and must not be contradicted. Thread-safe; no call waits.
 */
public final class PresenceWriter implements AutoCloseable {
    /** Outlives a restart of this instance, if its clients come back then. */
    private static final Duration LEASE = Duration.ofSeconds(30);

    private static final Duration ANSWER_WITHIN = Duration.ofSeconds(5);
    private static final int MAX_WAITING = 10_000;
    private static final OptionalLong LEASE_MS =
            OptionalLong.of(LEASE.plusSeconds(1).toMillis());

    private final String shard;
    private final EventSender sender;
    private final PresencePublisher publisher;

    /** One thread, so that what a client says stays in order; the producer may make it wait. */
    private final ThreadPoolExecutor sending;

    /**
     * Connects to the cluster; the brokers need not be there yet.
     *
     * @param settings a Kafka producer's; {@code bootstrap.servers} is required
     * @param shard names this instance in the heartbeats of open streams, 1 to 255 bytes
     * @param keepAlive how often an open stream says that its device is there. Shorter than the time that a device has after
     *     its connection ended, so that a client who went from one instance to another is not ended by the first
     */
    public PresenceWriter(Topics topics, Map<String, ?> settings, String shard, Duration keepAlive) {
        this.shard = shard;
        Map<String, Object> impatient = new HashMap<>(settings);
        // A client that was told "not now" must not see it happen later all the same.
        impatient.put("max.block.ms", (int) ANSWER_WITHIN.toMillis() / 2);
        impatient.put("linger.ms", 0);
        impatient.put("request.timeout.ms", (int) ANSWER_WITHIN.toMillis() / 2);
        impatient.put("delivery.timeout.ms", (int) ANSWER_WITHIN.toMillis());
        impatient.put("reconnect.backoff.max.ms", 1_000);
        sender = new EventSender(topics, impatient);
        publisher = PresencePublisher.forShard(shard)
                .topics(topics)
                .lease(LEASE)
                .keepAlive(keepAlive)
                .start(settings);
        sending = new ThreadPoolExecutor(1, 1, 0, TimeUnit.SECONDS, new ArrayBlockingQueue<>(MAX_WAITING), task -> {
            Thread thread = new Thread(task, "presence-writer");
            thread.setDaemon(true);
            return thread;
        });
    }

    /** The device takes a state, for the default lease. */
    public CompletableFuture<Void> state(UserId user, String device, PresenceState state) {
        Heartbeat heartbeat = new Heartbeat(device, state, false, OptionalLong.empty(), null);
        return send(() -> sender.heartbeat(user, heartbeat));
    }

    /** The device's connection ended. */
    public CompletableFuture<Void> ended(UserId user, String device) {
        Heartbeat heartbeat = new Heartbeat(device, null, true, OptionalLong.empty(), null);
        return send(() -> sender.heartbeat(user, heartbeat));
    }

    /**
     * A stream opened, and this is the device's state: nobody sees another one in between. Once this has completed the
     * device is kept alive until {@link #closed}, which must be called then, once.
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

    /** A stream closed. With the device's last one here the device ends, after its grace. */
    public CompletableFuture<Void> closed(UserId user, String device) {
        try {
            return publisher.closed(user, device);
        } catch (IllegalStateException e) {
            return CompletableFuture.completedFuture(null); // closing has ended all devices already
        }
    }

    /** Sets the user's text, or clears it with {@link StatusText#NONE}. */
    public CompletableFuture<Void> status(UserId user, StatusText text) {
        return send(() -> sender.status(user, text));
    }

    /** Shows the user OFFLINE whatever the devices do, or ends that. */
    public CompletableFuture<Void> appearOffline(UserId user, boolean appearOffline) {
        return send(() -> sender.appearOffline(user, appearOffline));
    }

    /** Ends all devices with open streams, and waits up to 2 s for that. */
    @Override
    public void close() {
        sending.shutdownNow();
        publisher.close(ANSWER_WITHIN.dividedBy(2));
        sender.close();
    }

    private CompletableFuture<Void> send(Supplier<CompletableFuture<Void>> record) {
        CompletableFuture<Void> sent = new CompletableFuture<>();
        try {
            sending.execute(() -> handOver(record, sent));
        } catch (RejectedExecutionException e) {
            return CompletableFuture.failedFuture(new UnavailableException("too much is waiting for Kafka", e));
        }
        // The producer keeps to its own times; this is for when it does not.
        return sent.orTimeout(2 * ANSWER_WITHIN.toMillis(), TimeUnit.MILLISECONDS)
                .exceptionally(failure -> {
                    throw new UnavailableException("Kafka does not take it", failure);
                });
    }

    private static void handOver(Supplier<CompletableFuture<Void>> record, CompletableFuture<Void> sent) {
        if (sent.isDone()) {
            return; // it has waited so long that the client was told "not now"
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
