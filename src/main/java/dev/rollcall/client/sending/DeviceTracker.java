package dev.rollcall.client.sending;

import dev.rollcall.client.sending.ShardSession.Heard;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.UserId;
import java.util.BitSet;
import java.util.Iterator;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One shard's devices. A device with connections is in the shard's session; it leaves with the end of its last one. One that
 * only polls has a lease, and is forgotten a lease after its last call. Thread-safe; all times are in ms from any fixed point.
 *
 * <p>Nobody repeats what a session has heard once. So what the brokers may not have is sent again, as soon as they have
 * acknowledged a heartbeat of the session on the device's partition: opens and ends that failed, and everything that is
 * connected where the session was silent for its lease.
 */
public final class DeviceTracker {
    private static final Logger LOG = LoggerFactory.getLogger(DeviceTracker.class);

    /** A tick may always send as many again: they make no noticeable spike. */
    private static final int MIN_PER_TICK = 100;

    private final PublisherSettings settings;
    private final ShardSession session;
    private final Outbox outbox;
    private final DeviceHeartbeats heartbeats;
    private final ConcurrentHashMap<TrackedDevice.Key, TrackedDevice> devices = new ConcurrentHashMap<>();

    /** Ends that failed since the last tick. */
    private final Queue<TrackedDevice.Key> failedEnds = new ConcurrentLinkedQueue<>();

    /** How many of the devices are unsent ends. */
    private final AtomicInteger unsentEnds = new AtomicInteger();

    /** Whether a device may be {@link TrackedDevice#isMissing}. */
    private volatile boolean someAreMissing;

    // For tick(), of which there is one call at a time.
    private @Nullable Pass pass;
    private long nextForgetting = Long.MIN_VALUE;

    public DeviceTracker(PublisherSettings settings, EventRecords records, ShardSession session, Outbox outbox) {
        this.settings = settings;
        this.session = session;
        this.outbox = outbox;
        this.heartbeats = new DeviceHeartbeats(settings, records, session, outbox);
    }

    /**
     * A connection opened.
     *
     * @param state null: the device keeps its state
     * @return completes when the brokers have it
     */
    public CompletableFuture<Void> opened(UserId user, String deviceId, @Nullable PresenceState state) {
        Result result = new Result();
        devices.compute(new TrackedDevice.Key(user, deviceId), (key, known) -> {
            TrackedDevice device = known == null ? new TrackedDevice(key) : known;
            result.inSession(device, state != null || !device.isMissing ? state : device.state);
            if (device.isUnsentEnd() && known != null) {
                unsentEnds.decrementAndGet();
            }
            if (device.polls != null) {
                device.state = device.polls.throttle.state();
                device.polls = null;
            }
            device.state = state == null ? device.state : state;
            device.connections++;
            return device;
        });
        return result.watched();
    }

    /**
     * The device made a request, or its state was set.
     *
     * @param state null: the device keeps its state
     * @return completes when the brokers have it, at once if nothing had to be sent
     */
    public CompletableFuture<Void> called(UserId user, String deviceId, @Nullable PresenceState state, long now) {
        Result result = new Result();
        devices.compute(new TrackedDevice.Key(user, deviceId), (key, known) -> {
            if (known != null && known.connections > 0) {
                boolean isChange = state != null && (state != known.state || known.isMissing);
                if (isChange) {
                    result.inSession(known, state);
                    known.state = state;
                }
                return known;
            }
            TrackedDevice device = known == null ? new TrackedDevice(key) : known;
            TrackedDevice.Polls polls =
                    device.polls == null ? new TrackedDevice.Polls(key, settings.intervalMs()) : device.polls;
            result.future = heartbeats.poll(key, polls, state, now);
            if (device.isUnsentEnd() && known != null) {
                unsentEnds.decrementAndGet(); // its lease takes it over from the session
            }
            polls.lastCall = now;
            device.polls = polls;
            return device;
        });
        return result.watched();
    }

    /**
     * A heartbeat that is sent as it is, and does not say that the device is connected here, or polls. A state in it is the
     * device's from then on, and its end is that of a device that has only polled.
     *
     * @param send queues it
     */
    public CompletableFuture<Void> given(UserId user, Heartbeat heartbeat, Supplier<CompletableFuture<Void>> send) {
        Result result = new Result();
        devices.compute(new TrackedDevice.Key(user, heartbeat.deviceId()), (key, known) -> {
            result.future = send.get();
            if (known == null || (heartbeat.connectionEnded() && known.polls != null)) {
                return null;
            }
            PresenceState state = heartbeat.state();
            if (state != null && !heartbeat.connectionEnded()) {
                result.stateOf(known, state);
            }
            return known;
        });
        return result.watched();
    }

    /** A connection closed. The device ends if it was the last one, or if the device is not known. */
    public CompletableFuture<Void> closed(UserId user, String deviceId) {
        Result result = new Result();
        devices.compute(new TrackedDevice.Key(user, deviceId), (key, device) -> {
            if (device != null && device.connections > 1) {
                device.connections--;
                return device;
            }
            if (device != null && device.polls != null) {
                result.future = heartbeats.endPolls(key);
            } else {
                result.end(key, settings.maxPending());
                if (device != null && device.isUnsentEnd()) {
                    unsentEnds.decrementAndGet();
                }
            }
            return null;
        });
        return result.watched();
    }

    /** How many devices are tracked. */
    public int size() {
        return devices.size();
    }

    /** Forgets devices that have not polled for a lease, and sends again what has to be, a bounded number per call. */
    public void tick(long now) {
        keepFailedEnds();
        if (now >= nextForgetting) {
            nextForgetting = now + settings.intervalMs();
            devices.values().stream()
                    .filter(device -> isOver(device, now))
                    .forEach(device -> devices.computeIfPresent(
                            device.key, (key, current) -> isOver(current, now) ? null : current));
        }
        if (pass == null) {
            Heard heard = session.takeHeard();
            if (!heard.silent().isEmpty() || (someAreMissing && !heard.heard().isEmpty())) {
                someAreMissing = false;
                pass = new Pass(heard);
            }
        }
        if (pass != null && pass.goOn()) {
            pass = null;
        }
    }

    private boolean isOver(TrackedDevice device, long now) {
        TrackedDevice.Polls polls = device.polls;
        return polls != null && now - polls.lastCall >= settings.leaseMs();
    }

    private void keepFailedEnds() {
        int givenUp = 0;
        for (TrackedDevice.Key key = failedEnds.poll(); key != null; key = failedEnds.poll()) {
            if (unsentEnds.get() >= settings.maxPending()) {
                givenUp++;
                continue;
            }
            devices.computeIfAbsent(key, ended -> {
                unsentEnds.incrementAndGet();
                TrackedDevice device = new TrackedDevice(ended);
                device.isMissing = true;
                return device;
            });
            someAreMissing = true;
        }
        if (givenUp > 0) {
            LOG.error(
                    "the ends of {} devices are given up, since as many as may be wait already: the devices stay as they"
                            + " were until this shard's session ends",
                    givenUp);
        }
    }

    /** Walks over all devices, and sends again those that the processor may not know as they are. */
    private final class Pass {
        private final Heard partitions;
        private final Iterator<TrackedDevice> left = devices.values().iterator();
        private final long budget =
                Math.max(MIN_PER_TICK, 1 + devices.size() * PublisherSettings.TICK.toMillis() / settings.intervalMs());

        Pass(Heard partitions) {
            this.partitions = partitions;
        }

        /** Returns whether it is through. */
        boolean goOn() {
            for (long sent = 0; sent < budget && left.hasNext(); ) {
                if (outbox.pending() >= settings.halfOfPending()) {
                    return false;
                }
                TrackedDevice device = left.next();
                if (isUnknown(device)) {
                    sendAgain(device);
                    sent++;
                } else if (device.isMissing) {
                    someAreMissing = true;
                }
            }
            return !left.hasNext();
        }

        private boolean isUnknown(TrackedDevice device) {
            BitSet which = device.isMissing ? partitions.heard() : partitions.silent();
            int partition = session.partition(device.key.user());
            return partition >= 0 && which.get(partition);
        }
    }

    private void sendAgain(TrackedDevice device) {
        Result result = new Result();
        devices.computeIfPresent(device.key, (key, current) -> {
            if (current != device || device.polls != null) {
                return current; // it is another one by now, or polls
            }
            if (device.isUnsentEnd()) {
                result.end(key, Outbox.NO_LIMIT);
                unsentEnds.decrementAndGet();
                return null;
            }
            result.inSession(device, device.state);
            return device;
        });
        var unused = result.watched();
    }

    /** Carries a future out of a map's update. */
    private final class Result {
        private CompletableFuture<Void> future = CompletableFuture.completedFuture(null);
        private @Nullable TrackedDevice device;
        private TrackedDevice.@Nullable Key ended;

        void inSession(TrackedDevice opened, @Nullable PresenceState state) {
            future = heartbeats.open(opened.key, state, settings.maxPending());
            opened.isMissing = false;
            device = opened;
        }

        /** Where it is not sent, a device that is connected is opened again, with it. */
        void stateOf(TrackedDevice known, PresenceState state) {
            if (known.polls != null) {
                known.polls.throttle.stateWasSet(state);
            } else {
                known.state = state;
                device = known;
            }
        }

        void end(TrackedDevice.Key key, int limit) {
            future = heartbeats.end(key, limit);
            ended = key;
        }

        /** Not within the update: the future may be complete already. */
        CompletableFuture<Void> watched() {
            TrackedDevice opened = device;
            TrackedDevice.Key closed = ended;
            if (opened != null) {
                var unused = future.whenComplete((done, failure) -> {
                    if (failure != null) {
                        opened.isMissing = true;
                        someAreMissing = true;
                    }
                });
            } else if (closed != null) {
                var unused = future.whenComplete((done, failure) -> {
                    if (failure != null) {
                        failedEnds.add(closed);
                    }
                });
            }
            return future;
        }
    }
}
