package dev.rollcall.client.sending;

import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.UserId;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * One shard's devices: how many connections each has, and when its next keep-alive is due. A device leaves with the end
 * of its last connection, or, without connections, a lease after its last call. Thread-safe; all times are in ms from any
 * fixed point.
 */
public final class DeviceTracker {
    private final PublisherSettings settings;
    private final DeviceHeartbeats heartbeats;
    private final ConcurrentHashMap<TrackedDevice.Key, TrackedDevice> devices = new ConcurrentHashMap<>();
    private final DeviceSchedule schedule = new DeviceSchedule();

    public DeviceTracker(PublisherSettings settings, EventRecords records, Outbox outbox) {
        this.settings = settings;
        this.heartbeats = new DeviceHeartbeats(settings, records, outbox);
    }

    /**
     * The device called, and may have opened connections.
     *
     * @param state null: the device keeps its state
     * @return completes when the brokers have the heartbeat, at once if none had to be sent
     */
    public CompletableFuture<Void> called(
            UserId user, String deviceId, @Nullable PresenceState state, int newConnections, long now) {
        Result result = new Result();
        devices.compute(new TrackedDevice.Key(user, deviceId), (key, known) -> {
            TrackedDevice device = known == null ? new TrackedDevice(key, settings.intervalMs()) : known;
            result.future = heartbeats.send(device, state, now);
            device.connections += newConnections;
            device.lastCall = now;
            schedule.schedule(device, nextDue(device));
            return device;
        });
        return result.future;
    }

    /** A connection closed. The device ends if it was the last one, or if the device is not known. */
    public CompletableFuture<Void> closed(UserId user, String deviceId) {
        Result result = new Result();
        devices.compute(new TrackedDevice.Key(user, deviceId), (key, device) -> {
            if (device != null && device.connections > 1) {
                device.connections--;
                return device;
            }
            result.future = heartbeats.sendEnd(key);
            if (device != null) {
                schedule.cancel(device);
            }
            return null;
        });
        return result.future;
    }

    /** Ends all devices with open connections, and tracks none any more. */
    public void endAll() {
        devices.values().forEach(device -> {
            if (device.connections > 0) {
                var unused = heartbeats.sendEndBeyondLimit(device.key);
            }
        });
        devices.clear();
    }

    /** How many devices are tracked. */
    public int size() {
        return devices.size();
    }

    /** How many entries the schedule has, cancelled ones included: about as many as there are devices. */
    public int scheduled() {
        return schedule.size();
    }

    /** Removes and returns the device that is due for longest; null: none is due. */
    @Nullable
    TrackedDevice pollDue(long now) {
        return schedule.poll(now);
    }

    /**
     * Deals with a device from {@link #pollDue}: sends its keep-alive if it has connections, forgets it if its lease
     * ran out, and schedules it again otherwise.
     *
     * @return completes when the brokers have the keep-alive, at once if none had to be sent
     */
    CompletableFuture<Void> keepAlive(TrackedDevice device, long now) {
        Result result = new Result();
        devices.computeIfPresent(device.key, (key, current) -> {
            if (current != device) {
                return current; // ended since, and begun again
            }
            if (device.connections == 0 && now - device.lastCall >= settings.leaseMs()) {
                return null;
            }
            if (device.connections > 0 && device.throttle.due() <= now) {
                result.future = heartbeats.send(device, null, now);
            }
            schedule.schedule(device, nextDue(device));
            return device;
        });
        return result.future;
    }

    /** Schedules a device whose {@link #keepAlive} failed: without that it would never be kept alive again. */
    void retryAt(TrackedDevice device, long at) {
        schedule.schedule(device, at);
    }

    private long nextDue(TrackedDevice device) {
        return device.connections > 0 ? device.throttle.due() : device.lastCall + settings.leaseMs();
    }

    /** Carries a future out of a map's update. */
    private static final class Result {
        private CompletableFuture<Void> future = CompletableFuture.completedFuture(null);
    }
}
