package dev.rollcall.client.sending;

import dev.rollcall.client.sending.HeartbeatThrottle.Verdict;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;

/** Sends one shard's heartbeats of devices: of those with a connection in its session, of the others with a lease. */
final class DeviceHeartbeats {
    private final PublisherSettings settings;
    private final EventRecords records;
    private final ShardSession session;
    private final Outbox outbox;

    DeviceHeartbeats(PublisherSettings settings, EventRecords records, ShardSession session, Outbox outbox) {
        this.settings = settings;
        this.records = records;
        this.session = session;
        this.outbox = outbox;
    }

    /**
     * The session holds the device from now on.
     *
     * @param state null: a live device keeps its state
     */
    CompletableFuture<Void> open(TrackedDevice.Key key, @Nullable PresenceState state, int limit) {
        return sendInSession(key, state, false, limit);
    }

    /** Ends the device if the session holds it. */
    CompletableFuture<Void> end(TrackedDevice.Key key, int limit) {
        return sendInSession(key, null, true, limit);
    }

    private CompletableFuture<Void> sendInSession(
            TrackedDevice.Key key, @Nullable PresenceState state, boolean connectionEnded, int limit) {
        ProducerRecord<byte[], byte[]> record = records.heartbeat(
                key.user(),
                new Heartbeat(
                        key.deviceId(), state, connectionEnded, OptionalLong.empty(), settings.shard(), session.id()));
        return outbox.add(record.topic(), () -> session.send(record), limit);
    }

    /**
     * Sends a heartbeat with a lease if it changes something or is due.
     *
     * @param state null: the device keeps its state
     * @return complete if nothing had to be sent
     */
    CompletableFuture<Void> poll(
            TrackedDevice.Key key, TrackedDevice.Polls polls, @Nullable PresenceState state, long now) {
        Verdict verdict = polls.throttle.decide(state, now);
        // The broker stamps on arrival, so a heartbeat in flight counts as much as a new one.
        boolean isCovered = verdict == Verdict.DUE && polls.inFlight.get() > 0;
        if (verdict == Verdict.TOO_SOON || isCovered) {
            return CompletableFuture.completedFuture(null);
        }
        try {
            int limit = verdict == Verdict.DUE ? settings.halfOfPending() : settings.maxPending();
            CompletableFuture<Void> sent = sendWithLease(key, polls.throttle.state(), false, limit);
            polls.inFlight.incrementAndGet();
            var unused = sent.whenComplete((done, failure) -> polls.inFlight.decrementAndGet());
            return sent;
        } catch (Throwable e) {
            polls.throttle.failed(now);
            throw e;
        }
    }

    /** Ends a device that has only polled. */
    CompletableFuture<Void> endPolls(TrackedDevice.Key key) {
        return sendWithLease(key, null, true, settings.maxPending());
    }

    private CompletableFuture<Void> sendWithLease(
            TrackedDevice.Key key, @Nullable PresenceState state, boolean connectionEnded, int limit) {
        OptionalLong lease = OptionalLong.of(settings.leaseMs() + PublisherSettings.TRAVEL.toMillis());
        Heartbeat heartbeat = new Heartbeat(key.deviceId(), state, connectionEnded, lease, settings.shard());
        return outbox.add(records.heartbeat(key.user(), heartbeat), limit);
    }
}
