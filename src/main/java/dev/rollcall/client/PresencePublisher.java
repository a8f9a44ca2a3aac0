package dev.rollcall.client;

import static java.util.Objects.requireNonNull;

import dev.rollcall.client.sending.Background;
import dev.rollcall.client.sending.DeviceTracker;
import dev.rollcall.client.sending.EventRecords;
import dev.rollcall.client.sending.EventSender;
import dev.rollcall.client.sending.Outbox;
import dev.rollcall.client.sending.PublisherSettings;
import dev.rollcall.client.sending.ShardSession;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.Limits;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.wire.Topics;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
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
 *     presence.handOver();                                    // the shard restarts
 * }
 * }</pre>
 *
 * <p><b>Connections</b> (WebSockets, streams). Call {@code opened} and {@code closed} once each per connection; a device
 * ends with its last one. Each opened, changed or closed connection is one record, and in between nothing is sent: the
 * shard's session holds the device (rule 14). A publisher is one session. It writes a shard heartbeat into every partition,
 * also into those that are added, every third of the {@linkplain Builder#lease lease}, spread over that time.
 *
 * <p><b>Requests</b> (polls). Call {@code polled} for each. Such a device is not in the session; it lives for a lease after
 * its last heartbeat. Of heartbeats that change nothing, at most one is sent per third of the lease, so that two of them can
 * be lost. A device that has a connection needs none.
 *
 * <p><b>The end.</b> {@link #handOver} is for a restart: if a publisher of the same shard starts within a lease and the
 * processor's hold (30 s and 60 s by default), and within 15 s opens what is still connected, nobody goes offline. {@link
 * #close} is for a shard that goes for good: who is not opened elsewhere within 15 s is offline.
 *
 * <p><b>One at a time.</b> Of two sessions of one shard name, the one that began later by the {@linkplain Builder#wallClock
 * wall clock} counts, and nothing of the other does: never run two publishers for one name. If the wall clock of a restarted
 * shard stands before the beginning of its previous life (it was set back), nothing of the new one counts until nobody has
 * heard of the previous one for an hour; a start after the clock has passed that time counts at once.
 *
 * <p><b>Delivery.</b> No call blocks. Each returns a future that completes when all in-sync brokers have the record
 * ({@code acks=all}, idempotent: in order per user and topic, without duplicates), or at once if nothing had to be sent. It
 * fails if
 *
 * <ul>
 *   <li>the brokers don't have the record {@code delivery.timeout.ms} after it was handed to the producer (120 000 ms
 *       unless set otherwise), with Kafka's exception. It may fail later: an idempotent producer that needs a new producer
 *       id checks its timeouts when a broker answers, or when it is closed ({@code Sender.runOnce} of 4.3.1);
 *   <li>the producer got no metadata of the topic, or no memory, within {@code max.block.ms} (60 000 ms). All records of
 *       that topic that have waited behind fail at the same time;
 *   <li>{@link Builder#maxPending} records are pending: at once, with a {@link BufferExhaustedException};
 *   <li>the publisher was closed before the record could be sent.
 * </ul>
 *
 * <p>A failed {@code opened} still counts as an open connection, a failed {@code closed} as closed: they are sent again, once
 * the brokers acknowledge the session's heartbeats. A failed {@code polled} is repeated by the next. A failed text or flag
 * has to be sent again. Futures complete on the producer's own threads: don't block there.
 *
 * <p><b>While a broker is away</b> or this process is paused, records queue up, and are delivered in order if it is back
 * before {@code delivery.timeout.ms}. Where a partition had no shard heartbeat for a lease, the session may have ended:
 * all that is connected is opened again, in the last state that was given here, over a third of a lease. Memory is
 * bounded by {@code maxPending} records, as many ends to be sent again, the producer's {@code buffer.memory}, and the devices.
 * Thread-safe.
 */
public final class PresencePublisher implements AutoCloseable {
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);
    private final int maxPending;
    private final EventRecords records;
    private final Outbox outbox;
    private final ShardSession session;
    private final DeviceTracker devices;
    private final InstantSource clock;
    private final Background background;

    /** Calls and ticks hold the read lock; {@link #leave} takes the write lock, so that none is under way after it. */
    private final ReentrantReadWriteLock open = new ReentrantReadWriteLock();

    private boolean closed;

    private PresencePublisher(Builder with, EventSender sender, Background background) {
        PublisherSettings settings = new PublisherSettings(with.shard, with.lease, with.maxPending, with.maxWait);
        this.maxPending = with.maxPending;
        this.clock = with.clock;
        this.background = background;
        this.records = new EventRecords(with.topics);
        this.outbox = new Outbox(sender, background.sending(), clock, with.maxWait);
        this.session = new ShardSession(settings, records, sender, outbox, clock, with.wallClock.millis());
        this.devices = new DeviceTracker(settings, records, session, outbox);
        background.every(PublisherSettings.TICK, this::tick);
    }

    /** Takes the shard's name, 1 to 255 bytes: the same after a restart, and another one for each shard that runs. */
    public static Builder forShard(String shard) {
        return new Builder(requireNonNull(shard, "shard is null"));
    }

    /** A publisher's settings. */
    public static final class Builder {
        private final String shard;
        private Duration lease = Duration.ofSeconds(30);
        private int maxPending = 100_000;
        private Duration maxWait = Duration.ofDays(1);
        private Map<String, Object> bounds = Map.of();
        private Topics topics = Topics.ofContract();
        private InstantSource clock = () -> Instant.ofEpochMilli(TimeUnit.NANOSECONDS.toMillis(System.nanoTime()));
        private InstantSource wallClock = InstantSource.system();

        private Builder(String shard) {
            this.shard = shard;
        }

        /** How long the session and devices that poll live after their last heartbeats; 1 s to 1 h, 30 s unless set. */
        public Builder lease(Duration newLease) {
            if (newLease.compareTo(Duration.ofSeconds(1)) < 0 || newLease.toMillis() > Limits.MAX_SHARD_LEASE_MS) {
                throw new IllegalArgumentException("the lease must be 1 s to %d s: it is %s"
                        .formatted(TimeUnit.MILLISECONDS.toSeconds(Limits.MAX_SHARD_LEASE_MS), newLease));
            }
            lease = newLease;
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

        /**
         * Has records that the brokers do not have in time, at least 1 s, fail, and not be sent later: a fifth of it is for
         * the queue, a fifth for the producer to have metadata and memory. Replaces the producer's settings of these.
         */
        public Builder deadline(Duration inTime) {
            if (inTime.compareTo(Duration.ofSeconds(1)) < 0) {
                throw new IllegalArgumentException("the deadline must be at least 1 s: it is " + inTime);
            }
            maxWait = inTime.dividedBy(5);
            bounds = EventSender.deadline(maxWait, maxWait.multipliedBy(3));
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

        /** Says when the session begins, once; the system's clock unless set. */
        public Builder wallClock(InstantSource newClock) {
            wallClock = newClock;
            return this;
        }

        /**
         * Starts with a Kafka producer's settings, {@code bootstrap.servers} among them. Brokers may be away, and topics too.
         *
         * @throws IllegalArgumentException if the shard's name or a setting cannot be used
         */
        public PresencePublisher start(Map<String, ?> settings) {
            new EventRecords(topics).requireValidShard(shard);
            Map<String, Object> all = new HashMap<>(settings);
            all.putAll(bounds);
            return start(new EventSender(topics, all), Background.threads("presence-publisher-" + shard));
        }

        PresencePublisher start(EventSender sender, Background background) {
            return new PresencePublisher(this, sender, background);
        }
    }

    /** A connection opened. A live device keeps its state, any other becomes ONLINE (rule 2). */
    public CompletableFuture<Void> opened(UserId user, String deviceId) {
        requireDevice(user, deviceId);
        return whileOpen(() -> devices.opened(user, deviceId, null));
    }

    /** A connection opened, with the device's state: no other state is visible in between. */
    public CompletableFuture<Void> opened(UserId user, String deviceId, PresenceState state) {
        requireDevice(user, deviceId);
        requireNonNull(state, "state is null");
        return whileOpen(() -> devices.opened(user, deviceId, state));
    }

    /**
     * The app set the device's state. If it has a connection here and this is the state that was sent last, nothing is sent.
     * Without a connection this is a request in which the state was given.
     */
    public CompletableFuture<Void> state(UserId user, String deviceId, PresenceState state) {
        requireDevice(user, deviceId);
        requireNonNull(state, "state is null");
        return whileOpen(() -> devices.called(user, deviceId, state, clock.millis()));
    }

    /** The device made a request. Cheap enough for an event loop to call at each request. */
    public CompletableFuture<Void> polled(UserId user, String deviceId) {
        requireDevice(user, deviceId);
        return whileOpen(() -> devices.called(user, deviceId, null, clock.millis()));
    }

    /** A connection closed. After its last one the device ends when the processor's grace time is over (rule 5). */
    public CompletableFuture<Void> closed(UserId user, String deviceId) {
        requireDevice(user, deviceId);
        return whileOpen(() -> devices.closed(user, deviceId));
    }

    /**
     * Sends a heartbeat as it is, for who knows the rules: without throttle, and without taking the device for connected or
     * for one that polls. A state in it is that of the device from then on, also where that has to be said again.
     */
    public CompletableFuture<Void> heartbeat(UserId user, Heartbeat heartbeat) {
        return heartbeat(user, heartbeat, null);
    }

    /** As {@link #heartbeat(UserId, Heartbeat)}, with the user's text unless that is null: others see both at once. */
    public CompletableFuture<Void> heartbeat(UserId user, Heartbeat heartbeat, @Nullable StatusText text) {
        requireDevice(user, heartbeat.deviceId());
        return whileOpen(() ->
                devices.given(user, heartbeat, () -> outbox.add(records.heartbeat(user, heartbeat, text), maxPending)));
    }

    /** Sets the user's text, or clears it with {@link StatusText#NONE}. */
    public CompletableFuture<Void> status(UserId user, StatusText text) {
        requireNonNull(user, "user is null");
        requireNonNull(text, "text is null");
        return whileOpen(() -> outbox.add(records.status(user, text), maxPending));
    }

    /** Shows the user as OFFLINE whatever the devices do, or stops doing so. */
    public CompletableFuture<Void> appearOffline(UserId user, boolean appearOffline) {
        requireNonNull(user, "user is null");
        return whileOpen(() -> outbox.add(records.appearOffline(user, appearOffline), maxPending));
    }

    /** How many records were accepted and are neither acknowledged nor failed, shard heartbeats included. */
    public int pending() {
        return outbox.pending();
    }

    /** How many devices are tracked: connected, heard from within some lease, or with an end to be sent again. */
    public int devices() {
        return devices.size();
    }

    /** Ends for good all that is connected, and waits up to 5 s until all records are sent. */
    @Override
    public void close() {
        close(CLOSE_TIMEOUT);
    }

    /**
     * Ends for good all that is connected, and waits up to {@code timeout} until all records are sent; the others' futures
     * fail. Later calls throw an {@link IllegalStateException}. Not for a future's callback: it waits for those.
     */
    public void close(Duration timeout) {
        leave(true, timeout);
    }

    /** As {@link #handOver(Duration)}, with 5 s. */
    public void handOver() {
        handOver(CLOSE_TIMEOUT);
    }

    /** Ends nothing, for the next publisher of this shard to go on with. Otherwise as {@link #close(Duration)}. */
    public void handOver(Duration timeout) {
        leave(false, timeout);
    }

    private void leave(boolean forGood, Duration timeout) {
        open.writeLock().lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
        } finally {
            open.writeLock().unlock();
        }
        try {
            session.leave(forGood);
            outbox.close(timeout);
        } finally {
            background.close();
        }
    }

    private void tick() {
        open.readLock().lock();
        try {
            if (!closed) {
                long now = clock.millis();
                session.tick(now);
                devices.tick(now);
            }
        } finally {
            open.readLock().unlock();
        }
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

    private static void requireDevice(UserId user, String deviceId) {
        requireNonNull(user, "user is null");
        requireNonNull(deviceId, "deviceId is null");
    }
}
