package dev.rollcall.client;

import dev.rollcall.client.sending.Background;
import dev.rollcall.client.sending.DeviceTracker;
import dev.rollcall.client.sending.EventRecords;
import dev.rollcall.client.sending.EventSender;
import dev.rollcall.client.sending.KeepAlives;
import dev.rollcall.client.sending.Outbox;
import dev.rollcall.client.sending.PublisherSettings;
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
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;
import org.apache.kafka.clients.producer.BufferExhaustedException;
import org.jspecify.annotations.Nullable;

/**
 * Sends a homeserver shard's presence events. The shard reports what happens; the publisher decides what to send:
 *
 * <pre>{@code
 * try (PresencePublisher presence = PresencePublisher.forShard("shard-1")
 *         .start(Map.of("bootstrap.servers", "localhost:9092"))) {
 *     UserId alice = UserId.of("@alice:example.org");
 *     presence.opened(alice, "phone");                        // a connection opened
 *     presence.state(alice, "phone", PresenceState.IDLE);     // the app set a state
 *     presence.status(alice, new StatusText("at lunch", null));
 *     presence.closed(alice, "phone");                        // the connection closed
 * }
 * }</pre>
 *
 * <p><b>Connections.</b> Call {@code opened} and {@code closed} once each per connection; a device ends with its last
 * one. In between the publisher keeps it alive. A shard that has requests instead of connections calls {@code polled} for
 * each: such a device is not kept alive, and expires with its lease. Both can be combined.
 *
 * <p><b>Heartbeats.</b> A heartbeat that changes something is sent at once. Of those that change nothing, a device sends
 * at most one per third of its lease (or per {@link Builder#keepAlive}), so that two of them can be lost. The first one
 * after a change may come sooner: each device has a phase of its own, so that a shard's restart causes no synchronised
 * spikes. The lease on the wire is one second longer than the configured one: the third heartbeat after one that arrived
 * is sent just a lease later, and has to travel. Keep-alives repeat the last state that was given, so that a device whose
 * lease ran out while the brokers were away returns in that state.
 *
 * <p><b>Delivery.</b> No call blocks. Each returns a future that completes when all in-sync brokers have the record
 * ({@code acks=all}, idempotent: in order per user, without duplicates), or at once if nothing had to be sent. It fails if
 *
 * <ul>
 *   <li>the brokers don't have the record {@code delivery.timeout.ms} after it was handed to the producer (120 000 ms
 *       unless set otherwise), with Kafka's exception. The future may fail later than that: an idempotent producer that
 *       needs a new producer id checks its timeouts when a broker answers, or when it is closed (seen in kafka-clients
 *       4.3.1, {@code Sender.runOnce});
 *   <li>the producer got no metadata of the topic, or no memory, within {@code max.block.ms} (60 000 ms);
 *   <li>{@link Builder#maxPending} records are pending: at once, with a {@link BufferExhaustedException};
 *   <li>the publisher was closed before the record could be sent.
 * </ul>
 *
 * <p>So no accepted record is lost without a failed future. A failed heartbeat needs no retry while the device stays
 * open: the next keep-alive repeats its state. After a failed {@code closed} the device expires with its lease. A failed
 * text or flag has to be sent again. Futures complete on the producer's own thread: don't block there.
 *
 * <p><b>While a broker is away</b> changes, ends, texts and flags queue up, and are delivered in order if it is back
 * before {@code delivery.timeout.ms}. Keep-alives don't queue up: the broker stamps a heartbeat on arrival, so a device
 * with one in flight needs no second one. They fill at most half of {@code maxPending}. Memory is bounded by {@code
 * maxPending} records, the producer's {@code buffer.memory}, and the number of tracked devices.
 *
 * <p>Thread-safe.
 */
public final class PresencePublisher implements AutoCloseable {
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);
    private static final Duration MAX_LEASE = Duration.ofDays(1).minus(PublisherSettings.TRAVEL);

    private final int maxPending;
    private final EventRecords records;
    private final Outbox outbox;
    private final DeviceTracker devices;
    private final KeepAlives keepAlives;
    private final InstantSource clock;
    private final Background background;

    /** Calls and ticks hold the read lock; {@link #close} takes the write lock, so that none is under way after it. */
    private final ReadWriteLock open = new ReentrantReadWriteLock();

    private boolean closed;

    private PresencePublisher(
            PublisherSettings settings, Topics topics, EventSender sender, InstantSource clock, Background background) {
        this.maxPending = settings.maxPending();
        this.records = new EventRecords(topics);
        this.outbox = new Outbox(sender, background.sending());
        this.devices = new DeviceTracker(settings, records, outbox);
        this.keepAlives = new KeepAlives(devices, settings);
        this.clock = clock;
        this.background = background;
        background.every(KeepAlives.TICK, this::tick);
    }

    /** Takes the shard's name, 1 to 255 bytes, which is in every heartbeat. It should be the same after a restart. */
    public static Builder forShard(String shard) {
        return new Builder(shard);
    }

    /** A publisher's settings. */
    public static final class Builder {
        private final String shard;
        private Duration lease = Duration.ofSeconds(30);
        private Duration keepAlive = MAX_LEASE;
        private int maxPending = 100_000;
        private Topics topics = Topics.ofContract();
        private InstantSource clock = PresencePublisher::monotonic;

        private Builder(String shard) {
            this.shard = shard;
        }

        /** How long a device lives after its last heartbeat, 1 s to a day less a second; 30 s unless set. */
        public Builder lease(Duration newLease) {
            if (newLease.compareTo(Duration.ofSeconds(1)) < 0 || newLease.compareTo(MAX_LEASE) > 0) {
                throw new IllegalArgumentException(
                        "the lease must be 1 s to %d s: it is %s".formatted(MAX_LEASE.toSeconds(), newLease));
            }
            lease = newLease;
            return this;
        }

        /**
         * The longest time between two heartbeats of a device that change nothing, at least 1 ms; a third of the lease
         * unless set to less. If it is below the processor's grace time, a device stays visible when its connection
         * moves to another shard and the old shard's end arrives after the new shard's beginning.
         */
        public Builder keepAlive(Duration atMost) {
            if (atMost.toMillis() < 1) {
                throw new IllegalArgumentException("keepAlive must be at least 1 ms: it is " + atMost);
            }
            keepAlive = atMost;
            return this;
        }

        /** How many records may be pending, at least 2; 100 000 unless set. */
        public Builder maxPending(int records) {
            if (records < 2) {
                throw new IllegalArgumentException("maxPending must be at least 2: it is " + records);
            }
            maxPending = records;
            return this;
        }

        /** The topics, if they don't have the usual names. */
        public Builder topics(Topics newTopics) {
            topics = newTopics;
            return this;
        }

        /** Measures the time between heartbeats; only differences count. A monotonic clock unless set. */
        public Builder clock(InstantSource newClock) {
            clock = newClock;
            return this;
        }

        /**
         * Starts. {@code settings} are a Kafka producer's; {@code bootstrap.servers} is required. The brokers need not be
         * reachable yet, but the topics must exist before the first event: while the producer waits for a missing one
         * ({@code max.block.ms}), all other records wait behind it.
         *
         * @throws IllegalArgumentException if the shard's name is empty or too long, or for a setting that would put
         *     records on the wrong partition
         */
        public PresencePublisher start(Map<String, ?> settings) {
            requireValidShard();
            return start(new EventSender(topics, settings), Background.threads("presence-publisher-" + shard));
        }

        PresencePublisher start(EventSender sender, Background background) {
            requireValidShard();
            return new PresencePublisher(
                    new PublisherSettings(shard, lease, keepAlive, maxPending), topics, sender, clock, background);
        }

        private void requireValidShard() {
            Heartbeat sample = new Heartbeat("device", null, false, OptionalLong.empty(), shard);
            var unused = new EventRecords(topics).heartbeat(UserId.of("user"), sample);
        }
    }

    /** A connection opened. A live device keeps its state, any other becomes ONLINE (rule 2). */
    public CompletableFuture<Void> opened(UserId user, String deviceId) {
        return called(user, deviceId, null, 1);
    }

    /** A connection opened, with the device's state: no other state is visible in between. */
    public CompletableFuture<Void> opened(UserId user, String deviceId, PresenceState state) {
        return called(user, deviceId, state, 1);
    }

    /** The app set the device's state. */
    public CompletableFuture<Void> state(UserId user, String deviceId, PresenceState state) {
        return called(user, deviceId, state, 0);
    }

    /** The device made a request. Cheap enough for an event loop to call at each request. */
    public CompletableFuture<Void> polled(UserId user, String deviceId) {
        return called(user, deviceId, null, 0);
    }

    /** A connection closed. After its last one the device ends when the processor's grace time is over (rule 5). */
    public CompletableFuture<Void> closed(UserId user, String deviceId) {
        return whileOpen(() -> devices.closed(user, deviceId));
    }

    /** Sets the user's text, or clears it with {@link StatusText#NONE}. */
    public CompletableFuture<Void> status(UserId user, StatusText text) {
        return whileOpen(() -> outbox.add(records.status(user, text), maxPending));
    }

    /** Shows the user as OFFLINE whatever the devices do, or stops doing so. */
    public CompletableFuture<Void> appearOffline(UserId user, boolean appearOffline) {
        return whileOpen(() -> outbox.add(records.appearOffline(user, appearOffline), maxPending));
    }

    /** How many records were accepted and are neither acknowledged nor failed. */
    public int pending() {
        return outbox.pending();
    }

    /** How many devices are tracked: those with open connections, and those that called within their lease. */
    public int devices() {
        return devices.size();
    }

    /** See {@link DeviceTracker#scheduled}. */
    int scheduled() {
        return devices.scheduled();
    }

    /** Ends all devices with open connections, and waits up to 5 s until all records are sent. */
    @Override
    public void close() {
        close(CLOSE_TIMEOUT);
    }

    /**
     * Ends all devices with open connections, and waits up to {@code timeout} until all records are sent; the futures of
     * the others fail. Later calls throw an {@link IllegalStateException}. Not to be called from a future's callback:
     * it waits for those.
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
        devices.endAll();
        try {
            outbox.close(timeout);
        } finally {
            background.close();
        }
    }

    private void tick() {
        open.readLock().lock();
        try {
            if (!closed) {
                keepAlives.tick(clock.millis());
            }
        } finally {
            open.readLock().unlock();
        }
    }

    private CompletableFuture<Void> called(
            UserId user, String deviceId, @Nullable PresenceState state, int newConnections) {
        return whileOpen(() -> devices.called(user, deviceId, state, newConnections, clock.millis()));
    }

    private CompletableFuture<Void> whileOpen(Supplier<CompletableFuture<Void>> call) {
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

    private static Instant monotonic() {
        return Instant.ofEpochMilli(TimeUnit.NANOSECONDS.toMillis(System.nanoTime()));
    }
}
