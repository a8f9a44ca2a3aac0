package dev.rollcall.simulate;

import dev.rollcall.client.sending.EventSender;
import dev.rollcall.client.sending.PreparedHeartbeat;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.simulate.Plan.Event;
import dev.rollcall.text.Printable;
import dev.rollcall.wire.Inbound.AppearOffline;
import dev.rollcall.wire.Inbound.Beat;
import dev.rollcall.wire.Inbound.Status;
import dev.rollcall.wire.Topics;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.ProducerConfig;

/**
 * Sends a plan's events to a cluster: each when it is due or, without a pace, as fast as the brokers accept them. One thread
 * runs it; any thread may call {@link #stop} and {@link #totals}.
 *
 * <p>Clients that poll are sent for by an {@link EventSender}, because the throttle of a publisher would drop heartbeats; the
 * shards with connections have a publisher each. Without a pace there are none: a shard would restart many times a second.
 */
public final class Simulator implements AutoCloseable {
    /** Large batches, for throughput: one producer stands for many shards. */
    private static final Map<String, Object> PRODUCER = Map.of(
            ProducerConfig.LINGER_MS_CONFIG,
            20,
            ProducerConfig.BATCH_SIZE_CONFIG,
            256 * 1024,
            ProducerConfig.BUFFER_MEMORY_CONFIG,
            64L * 1024 * 1024,
            ProducerConfig.COMPRESSION_TYPE_CONFIG,
            "lz4");

    private static final long WORTH_WAITING_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    private final Plan plan;
    private final boolean paced;
    private final EventSender sender;
    private final ConnectedShards connected;

    /** Few heartbeats differ in more than the user, because the devices have few ids. */
    private final Map<Heartbeat, PreparedHeartbeat> prepared = new HashMap<>();

    private final LongAdder heartbeats = new LongAdder();
    private final LongAdder changes = new LongAdder();
    private final LongAdder ends = new LongAdder();
    private final LongAdder texts = new LongAdder();
    private final LongAdder flags = new LongAdder();
    private final LongAdder acknowledged = new LongAdder();
    private final LongAdder failed = new LongAdder();

    private volatile boolean stopped;

    /**
     * Connects.
     *
     * @param paced whether a second of the plan takes a second; else events are sent as fast as possible
     * @param settings settings of the Kafka producer; {@code bootstrap.servers} is required
     */
    public Simulator(Population population, Tempo tempo, boolean paced, Topics topics, Map<String, ?> settings) {
        this.plan = new Plan(population, paced, tempo);
        this.paced = paced;
        Map<String, Object> all = new HashMap<>(PRODUCER);
        all.putAll(settings);
        this.sender = new EventSender(topics, all);
        this.connected = new ConnectedShards(topics, settings);
    }

    public int devices() {
        return plan.devices();
    }

    /** Runs for so many real seconds, or until it is stopped. */
    public void run(long seconds) {
        long start = System.nanoTime();
        long end = seconds > Long.MAX_VALUE / 2 / 1_000_000_000L ? Long.MAX_VALUE : seconds * 1_000_000_000L;
        while (goesOn(start, end)) {
            connected.stop(shard -> plan.isDown(shard, plan.now()));
            plan.nextSecond(event -> {
                if (paced) {
                    awaitNanos(start, Math.min(end, TimeUnit.MILLISECONDS.toNanos(event.atMs())));
                }
                if (goesOn(start, end)) {
                    send(event);
                }
            });
        }
    }

    /** Ends {@link #run} before its time. */
    public void stop() {
        stopped = true;
    }

    public Totals totals() {
        return new Totals(
                heartbeats.sum(),
                changes.sum(),
                ends.sum(),
                texts.sum(),
                flags.sum(),
                acknowledged.sum(),
                failed.sum());
    }

    /** Stops, and waits a few seconds at most until each record is acknowledged or failed. */
    public Totals finish() {
        stop();
        connected.close();
        sender.close();
        return totals();
    }

    @Override
    public void close() {
        finish();
    }

    private boolean goesOn(long start, long end) {
        return !stopped && System.nanoTime() - start < end;
    }

    private void awaitNanos(long start, long due) {
        for (long left = due - (System.nanoTime() - start);
                left > WORTH_WAITING_NANOS && !stopped;
                left = due - (System.nanoTime() - start)) {
            LockSupport.parkNanos(Math.min(left, TimeUnit.MILLISECONDS.toNanos(100)));
        }
    }

    private void send(Event event) {
        CompletableFuture<Void> sent;
        if (event.content() instanceof Beat beat) {
            count(beat.heartbeat());
            sent = beat.heartbeat().session() != null
                    ? connected.send(event, beat.heartbeat())
                    : sender.heartbeat(event.user(), prepared.computeIfAbsent(beat.heartbeat(), sender::prepare));
        } else if (event.content() instanceof Status status) {
            texts.increment();
            sent = sender.status(event.user(), status.text());
        } else if (event.content() instanceof AppearOffline flag) {
            flags.increment();
            sent = sender.appearOffline(event.user(), flag.appearOffline());
        } else {
            throw new IllegalStateException("not an event of a plan: " + Printable.of(event.content()));
        }
        var unused = sent.whenComplete((done, failure) -> (failure == null ? acknowledged : failed).increment());
    }

    private void count(Heartbeat heartbeat) {
        heartbeats.increment();
        if (heartbeat.state() != null) {
            changes.increment();
        }
        if (heartbeat.connectionEnded()) {
            ends.increment();
        }
    }
}
