package dev.rollcall.client;

import dev.rollcall.client.HeartbeatThrottle.Verdict;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.wire.Topics;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;
import org.apache.kafka.clients.producer.BufferExhaustedException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Presence for a homeserver shard. The shard says what happens, and this sends what is worth sending:
 *
 * <pre>{@code
 * try (PresencePublisher presence = PresencePublisher.forShard("shard-1")
 *         .start(Map.of("bootstrap.servers", "localhost:9092"))) {
 *     UserId alice = UserId.of("@alice:example.org");
 *     presence.opened(alice, "phone");                        // a connection opened
 *     presence.state(alice, "phone", PresenceState.IDLE);     // the app says so
 *     presence.status(alice, new StatusText("at lunch", null));
 *     presence.closed(alice, "phone");                        // and closed
 * }
 * }</pre>
 *
 * <p><b>Connections.</b> Say {@code opened} and {@code closed} once each for every connection; a device ends with its
 * last one. In between it is kept alive without a word from the shard. A shard that has calls instead of connections
 * says {@code polled} for each: such a device is not kept alive, and goes when its lease does. Both can be combined.
 *
 * <p><b>Heartbeats.</b> What changes something goes out at once. Of heartbeats that change nothing a device sends one
 * per third of its lease at most (or per {@link Builder#keepAlive}), so that two of them can be lost. (The first one after a change may come sooner, since
 * each device beats in a phase of its own: shards that restart make no synchronised spikes.) They say a lease one second
 * longer than the configured one, because the third heartbeat after one that arrived leaves just a lease after it, and
 * has to travel. Keep-alives repeat the last state that was named, so that a device whose lease ran out while the
 * brokers could not be reached comes back as what it is.
 *
 * <p><b>Delivery.</b> No call waits. Each returns a future that completes when all in-sync brokers have the record
 * ({@code acks=all}, idempotent: in order per user, none twice) or at once if nothing had to be sent. It fails if
 *
 * <ul>
 *   <li>the brokers don't have it within {@code delivery.timeout.ms} of its being handed to the producer (120 000 ms
 *       unless set otherwise), with Kafka's exception. It may take longer to hear of that: an idempotent producer that
 *       has to ask for a new producer id looks at its time-outs when a broker answers, or when it is closed (seen in
 *       kafka-clients 4.3.1, {@code Sender.runOnce});
 *   <li>the producer found no metadata for the topic, or no memory, in {@code max.block.ms} (60 000 ms);
 *   <li>as many records as {@link Builder#maxPending} are waiting, at once, with a {@link BufferExhaustedException};
 *   <li>the publisher was closed before it could be sent.
 * </ul>
 *
 * <p>So nothing that was accepted goes missing in silence. A failed heartbeat needs no repeating while the device stays
 * open: the next keep-alive says the same. A failed {@code closed} is made up for by the end of the lease. A failed text
 * or flag has to be said again. Futures complete on the producer's own thread: don't wait for anything there.
 *
 * <p><b>While a broker is absent</b> changes, ends, texts and flags queue up, and are delivered in order when it is back
 * before {@code delivery.timeout.ms} is over. Keep-alives don't: a device that has a heartbeat on its way sends no other that says the same, because the
 * broker stamps it on arrival, and so one that arrives late is worth as much as a new one. They take up at most half of
 * {@code maxPending}, and leave the rest to what must not be dropped. Memory is bounded by {@code maxPending} records,
 * the producer's {@code buffer.memory}, and the devices that are open.
 *
 * <p>Thread-safe.
 */
public final class PresencePublisher implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PresencePublisher.class);

    static final Duration TICK = Duration.ofMillis(100);
    static final Duration TRAVEL = Duration.ofSeconds(1);

    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);
    private static final Duration MAX_LEASE = Duration.ofDays(1).minus(TRAVEL);
    private static final long WARN_EVERY_MS = 10_000;

    /** Of keep-alives that are due at one tick, how many more than an even share of all of them may go. */
    private static final int MAX_SHARES_PER_TICK = 3;

    /** With so few at a time nobody notices a spike. */
    private static final int MIN_PER_TICK = 100;

    private final String shard;
    private final long leaseMs;
    private final long intervalMs;
    private final int maxPending;
    private final EventRecords records;
    private final Outbox outbox;
    private final InstantSource clock;
    private final Background background;

    private final ConcurrentHashMap<TrackedDevice.Key, TrackedDevice> devices = new ConcurrentHashMap<>();
    private final WakeUps wakeUps = new WakeUps();

    /** Shared by calls and ticks, taken alone to close: after that, none is still on its way. */
    private final ReadWriteLock open = new ReentrantReadWriteLock();

    private boolean closed;

    private final AtomicLong failedKeepAlives = new AtomicLong();

    // Of the ticks alone.
    private long nextWarning = Long.MIN_VALUE;
    private @Nullable Throwable surprise;

    private PresencePublisher(Builder builder, EventSender sender, InstantSource clock, Background background) {
        this.shard = builder.shard;
        this.leaseMs = builder.lease.toMillis();
        this.intervalMs = Math.min((leaseMs + 2) / 3, builder.keepAlive.toMillis());
        this.maxPending = builder.maxPending;
        this.records = new EventRecords(builder.topics);
        this.outbox = new Outbox(sender, background.sending());
        this.clock = clock;
        this.background = background;
        background.every(TICK, this::tick);
    }

    /** Begins with the shard's name, 1 to 255 bytes, which every heartbeat says. It should outlive a restart. */
    public static Builder forShard(String shard) {
        return new Builder(shard);
    }

    /** What a publisher can be told before it starts. */
    public static final class Builder {
        private final String shard;
        private Duration lease = Duration.ofSeconds(30);
        private Duration keepAlive = MAX_LEASE;
        private int maxPending = 100_000;
        private Topics topics = Topics.ofContract();
        private @Nullable InstantSource clock;

        private Builder(String shard) {
            this.shard = shard;
        }

        /** How long a device outlives its last heartbeat, 1 s to a day less a second; 30 s unless set. */
        public Builder lease(Duration newLease) {
            if (newLease.compareTo(Duration.ofSeconds(1)) < 0 || newLease.compareTo(MAX_LEASE) > 0) {
                throw new IllegalArgumentException(
                        "the lease must be 1 s to %d s: it is %s".formatted(MAX_LEASE.toSeconds(), newLease));
            }
            lease = newLease;
            return this;
        }

        /**
         * How long at most between two heartbeats of a device that change nothing, at least 1 ms; a third of the lease
         * unless set to less. Less than the processor's grace time lets a device go on unseen when its connection moves
         * from one shard to another, and the end of the old one is heard of after the begin of the new one.
         */
        public Builder keepAlive(Duration atMost) {
            if (atMost.toMillis() < 1) {
                throw new IllegalArgumentException("keepAlive must be at least 1 ms: it is " + atMost);
            }
            keepAlive = atMost;
            return this;
        }

        /** How many records may wait for the brokers' answer, at least 2; 100 000 unless set. */
        public Builder maxPending(int records) {
            if (records < 2) {
                throw new IllegalArgumentException("maxPending must be at least 2: it is " + records);
            }
            maxPending = records;
            return this;
        }

        /** The topics, if they have other names than the usual ones. */
        public Builder topics(Topics newTopics) {
            topics = newTopics;
            return this;
        }

        /** Measures the time between heartbeats; only differences count. Unless set, a clock that nobody can turn back. */
        public Builder clock(InstantSource newClock) {
            clock = newClock;
            return this;
        }

        /**
         * Starts. {@code settings} are a Kafka producer's; {@code bootstrap.servers} is required. The brokers need not be
         * there yet, but the topics must be made before the first event: while the producer waits for one that is missing
         * ({@code max.block.ms}), all others wait behind it.
         *
         * @throws IllegalArgumentException if the shard's name is empty or too long, or for a setting that would put
         *     records on the wrong partition
         */
        public PresencePublisher start(Map<String, ?> settings) {
            requireGoodShard();
            return start(new EventSender(topics, settings), Background.threads("presence-publisher-" + shard));
        }

        PresencePublisher start(EventSender sender, Background background) {
            requireGoodShard();
            return new PresencePublisher(
                    this, sender, clock == null ? PresencePublisher::monotonic : clock, background);
        }

        private void requireGoodShard() {
            Heartbeat probe = new Heartbeat("device", null, false, OptionalLong.empty(), shard);
            var unused = new EventRecords(topics).heartbeat(UserId.of("user"), probe);
        }
    }

    /** A connection opened. A device that is live keeps its state, any other is ONLINE (rule 2). */
    public CompletableFuture<Void> opened(UserId user, String deviceId) {
        return heard(user, deviceId, null, 1);
    }

    /** A connection opened, and this is the device's state: nobody sees another one in between. */
    public CompletableFuture<Void> opened(UserId user, String deviceId, PresenceState state) {
        return heard(user, deviceId, state, 1);
    }

    /** The app said what the device's state is. */
    public CompletableFuture<Void> state(UserId user, String deviceId, PresenceState state) {
        return heard(user, deviceId, state, 0);
    }

    /** The device called. Cheap: an event loop may say so at each call. */
    public CompletableFuture<Void> polled(UserId user, String deviceId) {
        return heard(user, deviceId, null, 0);
    }

    /** A connection closed. With the device's last one the device ends, after the processor's grace time (rule 5). */
    public CompletableFuture<Void> closed(UserId user, String deviceId) {
        return whileOpen(() -> {
            Answer answer = new Answer();
            devices.compute(new TrackedDevice.Key(user, deviceId), (key, device) -> {
                if (device != null && device.connections > 1) {
                    device.connections--;
                    return device;
                }
                answer.future = end(key, maxPending);
                if (device != null) {
                    wakeUps.forget(device);
                }
                return null;
            });
            return answer.future;
        });
    }

    /** Sets the user's text, or clears it with {@link StatusText#NONE}. */
    public CompletableFuture<Void> status(UserId user, StatusText text) {
        return whileOpen(() -> outbox.add(records.status(user, text), maxPending));
    }

    /** Shows the user OFFLINE whatever the devices do, or ends that. */
    public CompletableFuture<Void> appearOffline(UserId user, boolean appearOffline) {
        return whileOpen(() -> outbox.add(records.appearOffline(user, appearOffline), maxPending));
    }

    /** How many records were accepted and are neither acknowledged nor failed. */
    public int pending() {
        return outbox.pending();
    }

    /** How many devices are tracked: those with open connections, and those that were heard from within their lease. */
    public int devices() {
        return devices.size();
    }

    /** How many entries say when a device is looked at next: about as many as there are devices, whoever has ended. */
    int scheduled() {
        return wakeUps.size();
    }

    /** Ends all devices with open connections, and waits up to 5 s for that and all else to be sent. */
    @Override
    public void close() {
        close(CLOSE_TIMEOUT);
    }

    /**
     * Ends all devices with open connections, and waits until that and all else has been sent, {@code timeout} at most;
     * the futures of what was not fail then. Calls after this throw an {@link IllegalStateException}. Not to be called
     * from a future's callback, since it waits for those.
     */
    public void close(Duration timeout) {
        open.writeLock().lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
        } finally {
            open.writeLock().unlock();
        }
        devices.values().forEach(device -> {
            if (device.connections > 0) {
                // Beyond the limit if need be: there are no more of these than devices.
                var unused = end(device.key, Integer.MAX_VALUE);
            }
        });
        devices.clear();
        try {
            outbox.close(timeout);
        } finally {
            background.close();
        }
    }

    /** Sends the keep-alives that are due, and forgets devices that have not called for a lease. */
    void tick() {
        open.readLock().lock();
        try {
            if (closed) {
                return;
            }
            long now = now();
            // After a stall everything is due at once. Going on as before, it would be at once for ever.
            long evenShare = devices.size() * TICK.toMillis() / intervalMs;
            long left = Math.max(MIN_PER_TICK, MAX_SHARES_PER_TICK * evenShare);
            while (left > 0) {
                TrackedDevice device = wakeUps.next(now);
                if (device == null) {
                    break;
                }
                lookSafely(device, now);
                left--;
            }
            warnOfFailures(now);
        } finally {
            open.readLock().unlock();
        }
    }

    private CompletableFuture<Void> heard(
            UserId user, String deviceId, @Nullable PresenceState state, int newConnections) {
        return whileOpen(() -> {
            long now = now();
            Answer answer = new Answer();
            devices.compute(new TrackedDevice.Key(user, deviceId), (key, known) -> {
                TrackedDevice device = known == null ? new TrackedDevice(key, intervalMs) : known;
                answer.future = beat(device, state, now);
                device.connections += newConnections;
                device.lastHeard = now;
                wakeUps.wake(device, nextLook(device));
                return device;
            });
            return answer.future;
        });
    }

    /** A device whose turn fails gets another one soon: without, it would never be kept alive again. */
    private void lookSafely(TrackedDevice device, long now) {
        try {
            devices.computeIfPresent(device.key, (key, current) -> current == device ? look(device, now) : current);
        } catch (Throwable e) {
            wakeUps.wake(device, now + TICK.toMillis());
            failedKeepAlives.incrementAndGet();
            surprise = e;
        }
    }

    /** Its turn has come; null: forget it. */
    private @Nullable TrackedDevice look(TrackedDevice device, long now) {
        if (device.connections == 0 && now - device.lastHeard >= leaseMs) {
            return null;
        }
        if (device.connections > 0 && device.throttle.due() <= now) {
            var unused = beat(device, null, now).whenComplete((done, failure) -> {
                if (failure != null) {
                    failedKeepAlives.incrementAndGet();
                }
            });
        }
        wakeUps.wake(device, nextLook(device));
        return device;
    }

    private long nextLook(TrackedDevice device) {
        return device.connections > 0 ? device.throttle.due() : device.lastHeard + leaseMs;
    }

    private CompletableFuture<Void> beat(TrackedDevice device, @Nullable PresenceState state, long now) {
        Verdict verdict = device.throttle.heard(state, now);
        boolean standsInForIt = verdict == Verdict.DUE && device.unanswered.get() > 0;
        if (verdict == Verdict.TOO_SOON || standsInForIt) {
            return CompletableFuture.completedFuture(null);
        }
        try {
            CompletableFuture<Void> sent = outbox.add(
                    records.heartbeat(device.key.user(), heartbeat(device.key, device.throttle.state(), false)),
                    verdict == Verdict.DUE ? maxPending / 2 : maxPending);
            device.unanswered.incrementAndGet();
            var unused = sent.whenComplete((done, failure) -> device.unanswered.decrementAndGet());
            return sent;
        } catch (Throwable e) {
            device.throttle.failed(now);
            throw e;
        }
    }

    private CompletableFuture<Void> end(TrackedDevice.Key key, int limit) {
        return outbox.add(records.heartbeat(key.user(), heartbeat(key, null, true)), limit);
    }

    private Heartbeat heartbeat(TrackedDevice.Key key, @Nullable PresenceState state, boolean connectionEnded) {
        OptionalLong lease = OptionalLong.of(leaseMs + TRAVEL.toMillis());
        return new Heartbeat(key.deviceId(), state, connectionEnded, lease, shard);
    }

    private <T> T whileOpen(Supplier<T> call) {
        open.readLock().lock();
        try {
            if (closed) {
                throw new IllegalStateException("this publisher is closed");
            }
            return call.get();
        } finally {
            open.readLock().unlock();
        }
    }

    /** Nobody holds a keep-alive's future, so this speaks for all of them. */
    private void warnOfFailures(long now) {
        if (failedKeepAlives.get() > 0 && now >= nextWarning) {
            nextWarning = now + WARN_EVERY_MS;
            long failed = failedKeepAlives.getAndSet(0);
            Throwable cause = surprise;
            surprise = null;
            if (cause == null) {
                LOG.warn("{} keep-alives could not be sent; are the brokers there?", failed);
            } else {
                LOG.error("{} keep-alives failed here, and will be tried again; the last of them with", failed, cause);
            }
        }
    }

    private long now() {
        return clock.millis();
    }

    private static Instant monotonic() {
        return Instant.ofEpochMilli(TimeUnit.NANOSECONDS.toMillis(System.nanoTime()));
    }

    /** Carries a future out of a map's update. */
    private static final class Answer {
        private CompletableFuture<Void> future = CompletableFuture.completedFuture(null);
    }
}
