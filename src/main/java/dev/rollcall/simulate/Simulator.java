package dev.rollcall.simulate;

import dev.rollcall.client.sending.EventSender;
import dev.rollcall.client.sending.PreparedHeartbeat;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.Printable;
import dev.rollcall.simulate.Plan.Event;
import dev.rollcall.wire.Inbound.Beat;
import dev.rollcall.wire.Inbound.Flag;
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
 * Carries out a plan against a cluster: each event when it is due or, if nobody set a pace, as fast as the brokers take
 * them. One thread runs it; {@link #stop} and {@link #totals} are for any.
 *
 * <p>It sends with an {@link EventSender}, without a publisher's throttle: the heartbeats on the topic are as many as
 * were asked for.
 */
public final class Simulator implements AutoCloseable {
    /** Large batches: it stands for many shards that fill theirs together, and throughput is what is asked of it. */
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

    /** Devices have few ids here, so that few heartbeats differ but in their user. */
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
     * @param paced whether the plan's seconds are real ones; else they pass as fast as they can be sent
     * @param settings a Kafka producer's, over what suits the load; {@code bootstrap.servers} is required
     */
    public Simulator(Population population, boolean paced, Topics topics, Map<String, ?> settings) {
        this.plan = new Plan(population);
        this.paced = paced;
        Map<String, Object> all = new HashMap<>(PRODUCER);
        all.putAll(settings);
        this.sender = new EventSender(topics, all);
    }

    public int devices() {
        return plan.devices();
    }

    /** Runs for so many real seconds, or until it is stopped. */
    public void run(long seconds) {
        long start = System.nanoTime();
        long end = seconds > Long.MAX_VALUE / 2 / 1_000_000_000L ? Long.MAX_VALUE : seconds * 1_000_000_000L;
        while (goesOn(start, end)) {
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

    /** Ends it: waits a few seconds at most for the brokers' answers, so that all is acknowledged or failed. */
    public Totals finish() {
        stop();
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
            sent = sender.heartbeat(event.user(), prepared.computeIfAbsent(beat.heartbeat(), sender::prepare));
        } else if (event.content() instanceof Status status) {
            texts.increment();
            sent = sender.status(event.user(), status.text());
        } else if (event.content() instanceof Flag flag) {
            flags.increment();
            sent = sender.appearOffline(event.user(), flag.appearOffline());
        } else {
            throw new IllegalStateException("nobody plans " + Printable.of(event.content()));
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
