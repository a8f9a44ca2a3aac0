package dev.rollcall.gateway;

import dev.rollcall.client.PresencePublisher;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.wire.Topics;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Writes the events of HTTP clients to Kafka. Each future completes when all in-sync brokers have the record. It fails with
 * an {@link UnavailableException} if they do not have it within 5 s, and then the record is not sent later either. A state
 * that a client names is sent each time.
 *
 * <p>Open streams are connections of this instance's session (rule 14). Thread-safe; no call blocks.
 */
public final class PresenceWriter implements AutoCloseable {
    private static final Duration LEASE = Duration.ofSeconds(30);
    private static final Duration DEADLINE = Duration.ofSeconds(5);
    private static final Duration CLOSE_TIMEOUT = Duration.ofMillis(2_500);

    private final PresencePublisher publisher;

    /**
     * Connects to the cluster; the brokers need not be up yet.
     *
     * @param settings of a Kafka producer; {@code bootstrap.servers} is required
     * @param shard names this instance in the heartbeats of open streams, 1 to 255 bytes; no other may have the same
     */
    public PresenceWriter(Topics topics, Map<String, ?> settings, String shard) {
        Map<String, Object> all = new HashMap<>(settings);
        all.put("reconnect.backoff.max.ms", 1_000);
        publisher = PresencePublisher.forShard(shard)
                .topics(topics)
                .lease(LEASE)
                .deadline(DEADLINE)
                .start(all);
    }

    /** Ends the device's connection, whoever holds it. */
    public CompletableFuture<Void> ended(UserId user, String device) {
        return heartbeat(user, new Heartbeat(device, null, true, OptionalLong.empty(), null));
    }

    /** Writes a heartbeat as it is. If a stream of its device is open, here or elsewhere, its session goes on holding it. */
    public CompletableFuture<Void> heartbeat(UserId user, Heartbeat heartbeat) {
        return heartbeat(user, heartbeat, null);
    }

    /** Writes a heartbeat as it is, and the user's text unless that is null: others see both at once. */
    public CompletableFuture<Void> heartbeat(UserId user, Heartbeat heartbeat, @Nullable StatusText text) {
        return send(() -> publisher.heartbeat(user, heartbeat, text));
    }

    /**
     * Sets the state of a device whose stream opens. Once the future has completed, the session holds the device until {@link
     * #closed}, which must be called once. If it fails, the device is closed again: the brokers may have the record.
     */
    public CompletableFuture<Void> opened(UserId user, String device, PresenceState state) {
        return send(() -> publisher.opened(user, device, state)).whenComplete((done, failure) -> {
            if (failure != null) {
                var unused = closed(user, device);
            }
        });
    }

    /** Ends the device's connection if this was its last open stream at this instance; sent again until the brokers have it. */
    public CompletableFuture<Void> closed(UserId user, String device) {
        try {
            return publisher.closed(user, device);
        } catch (IllegalStateException e) {
            return CompletableFuture.completedFuture(null); // handed over: the client may come back
        }
    }

    /** Sets the user's status text; {@link StatusText#NONE} clears it. */
    public CompletableFuture<Void> status(UserId user, StatusText text) {
        return send(() -> publisher.status(user, text));
    }

    /** Makes the user appear OFFLINE whatever the devices do, or ends that. */
    public CompletableFuture<Void> appearOffline(UserId user, boolean appearOffline) {
        return send(() -> publisher.appearOffline(user, appearOffline));
    }

    /**
     * Sends what there is, for up to 2.5 s, and ends no device: clients whose streams end with this instance go to another, or
     * come back after the restart. From now on calls fail.
     */
    @Override
    public void close() {
        publisher.handOver(CLOSE_TIMEOUT);
    }

    private static CompletableFuture<Void> send(Supplier<CompletableFuture<Void>> call) {
        CompletableFuture<Void> sent;
        try {
            sent = call.get();
        } catch (IllegalStateException e) {
            return CompletableFuture.failedFuture(new UnavailableException("this instance is closing", e));
        }
        // The publisher has a deadline of its own, which a producer may exceed, see there.
        return sent.copy().orTimeout(DEADLINE.toMillis(), TimeUnit.MILLISECONDS).exceptionally(failure -> {
            throw new UnavailableException("Kafka has not accepted the event", failure);
        });
    }
}
