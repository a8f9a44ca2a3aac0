package dev.rollcall.client.sending;

import dev.rollcall.client.sending.HeartbeatThrottle.Verdict;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Sends one shard's heartbeats, unless the throttle or a heartbeat in flight makes them superfluous. */
final class DeviceHeartbeats {
    private final PublisherSettings settings;
    private final EventRecords records;
    private final Outbox outbox;

    DeviceHeartbeats(PublisherSettings settings, EventRecords records, Outbox outbox) {
        this.settings = settings;
        this.records = records;
        this.outbox = outbox;
    }

    /**
     * Sends a heartbeat if it changes something or is due.
     *
     * @param state null: the device keeps its state
     * @return complete if nothing had to be sent
     */
    CompletableFuture<Void> send(TrackedDevice device, @Nullable PresenceState state, long now) {
        Verdict verdict = device.throttle.decide(state, now);
        // The broker stamps on arrival, so a heartbeat in flight counts as much as a new one.
        boolean isCovered = verdict == Verdict.DUE && device.inFlight.get() > 0;
        if (verdict == Verdict.TOO_SOON || isCovered) {
            return CompletableFuture.completedFuture(null);
        }
        try {
            // Keep-alives get half of the queue, so that there is room for changes.
            int limit = verdict == Verdict.DUE ? settings.maxPending() / 2 : settings.maxPending();
            CompletableFuture<Void> sent = send(device.key, device.throttle.state(), false, limit);
            device.inFlight.incrementAndGet();
            var unused = sent.whenComplete((done, failure) -> device.inFlight.decrementAndGet());
            return sent;
        } catch (Throwable e) {
            device.throttle.failed(now);
            throw e;
        }
    }

    CompletableFuture<Void> sendEnd(TrackedDevice.Key key) {
        return send(key, null, true, settings.maxPending());
    }

    /** Also beyond {@code maxPending}: the number of tracked devices is the bound. */
    CompletableFuture<Void> sendEndBeyondLimit(TrackedDevice.Key key) {
        return send(key, null, true, Integer.MAX_VALUE);
    }

    private CompletableFuture<Void> send(
            TrackedDevice.Key key, @Nullable PresenceState state, boolean connectionEnded, int limit) {
        OptionalLong lease = OptionalLong.of(settings.leaseMs() + PublisherSettings.TRAVEL.toMillis());
        Heartbeat heartbeat = new Heartbeat(key.deviceId(), state, connectionEnded, lease, settings.shard());
        return outbox.add(records.heartbeat(key.user(), heartbeat), limit);
    }
}
