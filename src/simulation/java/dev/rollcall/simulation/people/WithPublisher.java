package dev.rollcall.simulation.people;

import dev.rollcall.client.PresencePublisher;
import dev.rollcall.client.SimulatedPublisher;
import dev.rollcall.client.sending.Background;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.simulation.kafka.ClientProducer;
import dev.rollcall.simulation.kafka.Cluster;
import dev.rollcall.simulation.kafka.Producer;
import dev.rollcall.simulation.time.EventQueue;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** Tells all to a real {@link PresencePublisher}. What it is told while it is paused, it does afterwards. */
final class WithPublisher implements ShardProcess {
    private final EventQueue time;
    private final Shard shard;
    private final String session;
    private final long leaseMs;
    private final boolean handsOver;
    private final Producer sending;
    private final ClientProducer producer;
    private final PresencePublisher publisher;
    private final Deque<Runnable> waiting = new ArrayDeque<>();
    private boolean isPaused;
    private boolean isOver;

    /**
     * Starts one.
     *
     * @param unitMs a second of these people's lives: the publisher looks at what is due as often as it would in a real one
     * @param handsOver whether it ends in good order where it will be replaced
     */
    WithPublisher(
            EventQueue time,
            Cluster cluster,
            Producer sending,
            Shard shard,
            long startedAt,
            long leaseMs,
            long unitMs,
            boolean handsOver) {
        this.time = time;
        this.shard = shard;
        this.leaseMs = leaseMs;
        this.handsOver = handsOver;
        this.sending = sending;
        session = shard.name() + "@" + startedAt; // Build has it named so
        producer = new ClientProducer(time, cluster, sending, this::run);
        publisher = SimulatedPublisher.start(
                shard.name(), Duration.ofMillis(leaseMs), time::millis, startedAt, producer, new Background() {
                    @Override
                    public Executor sending() {
                        return Runnable::run;
                    }

                    @Override
                    public void every(Duration pause, Runnable task) {
                        repeat(pause.toMillis() * unitMs / 1_000, task);
                    }

                    @Override
                    public void close() {}
                });
        reachabilityChanged();
    }

    private void repeat(long pauseMs, Runnable task) {
        time.afterMillis(pauseMs, () -> {
            if (!isOver) {
                if (!isPaused) {
                    task.run();
                }
                repeat(pauseMs, task);
            }
        });
    }

    /** Does it, as soon as the process runs. */
    private void run(Runnable task) {
        if (isOver) {
            return;
        }
        if (isPaused) {
            waiting.add(task);
        } else {
            task.run();
        }
    }

    @Override
    public String session() {
        return session;
    }

    @Override
    public long pollLeaseMs() {
        return leaseMs;
    }

    @Override
    public void opened(Device device, @Nullable PresenceState state) {
        run(() -> {
            UserId user = UserId.ofBytes(device.user());
            CompletableFuture<Void> unused = switch (device.link()) {
                case SESSION ->
                    state == null ? publisher.opened(user, device.id()) : publisher.opened(user, device.id(), state);
                case LEASE ->
                    state == null ? publisher.polled(user, device.id()) : publisher.state(user, device.id(), state);
                case LONG_POLL, BARE -> publisher.heartbeat(user, device.heartbeat(state, false));
            };
            device.isKnownTo(this);
        });
    }

    @Override
    public void polled(Device device) {
        run(() -> {
            UserId user = UserId.ofBytes(device.user());
            var unused = device.link() == Device.Link.LEASE
                    ? publisher.polled(user, device.id())
                    : publisher.heartbeat(user, device.heartbeat(null, false));
            device.isKnownTo(this);
        });
    }

    @Override
    public void stateSet(Device device, PresenceState state) {
        run(() -> {
            UserId user = UserId.ofBytes(device.user());
            boolean isTracked = device.link() == Device.Link.SESSION || device.link() == Device.Link.LEASE;
            var unused = isTracked
                    ? publisher.state(user, device.id(), state)
                    : publisher.heartbeat(user, device.heartbeat(state, false));
        });
    }

    @Override
    public boolean closed(Device device, boolean isLast) {
        run(() -> {
            var unused = publisher.closed(UserId.ofBytes(device.user()), device.id());
        });
        return isLast;
    }

    @Override
    public void heartbeat(byte[] user, Heartbeat heartbeat) {
        run(() -> {
            var unused = publisher.heartbeat(UserId.ofBytes(user), heartbeat);
        });
    }

    @Override
    public void status(byte[] user, StatusText text, @Nullable Heartbeat carried) {
        run(() -> {
            UserId id = UserId.ofBytes(user);
            var unused = carried == null ? publisher.status(id, text) : publisher.heartbeat(id, carried, text);
        });
    }

    @Override
    public void appearOffline(byte[] user, boolean on, Runnable whenAcknowledged) {
        run(() -> {
            var unused = publisher.appearOffline(UserId.ofBytes(user), on).thenRun(whenAcknowledged);
        });
    }

    @Override
    public void reachabilityChanged() {
        if (shard.silentOn() >= 0) {
            producer.cutOff(shard.silentOn());
        } else {
            producer.reconnect();
        }
    }

    @Override
    public void calm() {
        sending.calm();
    }

    @Override
    public void pause() {
        isPaused = true;
    }

    @Override
    public void goOn() {
        isPaused = false;
        while (!isOver && !isPaused && !waiting.isEmpty()) {
            waiting.poll().run();
        }
    }

    @Override
    public void end() {
        if (!isOver) {
            publisher.close(Duration.ZERO);
            isOver = true;
        }
    }

    @Override
    public void vanish() {
        if (!isOver && !isPaused && handsOver) {
            publisher.handOver(Duration.ZERO);
        }
        isOver = true;
        producer.kill();
    }

    @Override
    public void speakAsZombie(Device device, boolean closed) {
        if (closed) {
            closed(device, true);
        } else {
            run(() -> {
                var unused = publisher.state(UserId.ofBytes(device.user()), device.id(), PresenceState.IDLE);
            });
        }
    }

    @Override
    public void goOnAsZombie(long inMs, long forMs) {
        pause();
        time.afterMillis(inMs, this::goOn);
        time.afterMillis(inMs + forMs, this::vanish);
    }
}
