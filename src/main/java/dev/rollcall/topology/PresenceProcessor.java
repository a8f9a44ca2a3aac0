package dev.rollcall.topology;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.Decision;
import dev.rollcall.domain.PresencePartition;
import dev.rollcall.domain.PresenceUpdate;
import dev.rollcall.domain.PresenceUpdate.Presence;
import dev.rollcall.domain.Printable;
import dev.rollcall.domain.Refusal;
import dev.rollcall.domain.RoutingView;
import dev.rollcall.domain.UserId;
import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.topology.HeartbeatBundles.Bundle;
import dev.rollcall.wire.Defect;
import dev.rollcall.wire.Defect.Reason;
import dev.rollcall.wire.Inbound;
import java.time.Clock;
import java.time.Duration;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.streams.errors.StreamsException;
import org.apache.kafka.streams.processor.Cancellable;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.NullUnmarked;
import org.jspecify.annotations.Nullable;

/** Calls the roll of one partition: hands what comes in to the {@link PresencePartition}, and does what it decides. */
@NullUnmarked // set in init, which Streams calls first, and again after a failure
final class PresenceProcessor implements Processor<UserId, Object, Object, Object> {
    /** As soon as the thread comes around again. */
    private static final Duration BETWEEN_SWEEPS = Duration.ofMillis(1);

    private final RollcallConfig config;
    private final Clock clock;
    private final UserPartitioner home;
    private final HeartbeatSource heartbeats;
    private final OutputLimits limits;
    private final OutputLimits.Limit presence;
    private final OutputLimits.Limit routing;
    private final OutputLimits.Limit deadLetters;
    private final Inbound.ClockTick tick;

    private ProcessorContext<Object, Object> context;
    private KeyValueStore<UserId, UserSnapshot> users;
    private PresencePartition partition;
    private StampSteps stamps;
    private StoreWalk walk;
    private ProcessorMetrics metrics;
    private @Nullable Cancellable furtherSweeps;

    PresenceProcessor(
            RollcallConfig config,
            Clock clock,
            UserPartitioner home,
            HeartbeatSource heartbeats,
            OutputLimits limits,
            String instance) {
        this.config = config;
        this.clock = clock;
        this.home = home;
        this.heartbeats = heartbeats;
        this.limits = limits;
        this.presence = limits.of(config.topics().presence());
        this.routing = limits.of(config.topics().routing());
        this.deadLetters = limits.of(config.topics().deadLetters());
        this.tick = new Inbound.ClockTick(instance);
    }

    @Override
    public void init(ProcessorContext<Object, Object> context) {
        this.context = context;
        users = context.getStateStore(PresenceTopology.USERS);
        partition = new PresencePartition(config.rules(), users::get);
        walk = new StoreWalk(users, config.rules().retentionMs());
        metrics = new ProcessorMetrics(context);
        stamps = new StampSteps(metrics);
        furtherSweeps = null; // Streams has cancelled those of a life before
        heartbeats.forget(context.taskId().partition());
        takeOverAll();
        metrics.state(partition);
        context.schedule(
                Duration.ofMillis(config.tickIntervalMs()), PunctuationType.WALL_CLOCK_TIME, this::writeClockTick);
    }

    @Override
    public void process(Record<UserId, Object> record) {
        if (record.value() instanceof Bundle bundle) {
            metrics.read(bundle.records().size());
            partition.expect(bundle.users());
            heartbeats.open(bundle, this::arrive);
        } else {
            metrics.read(1);
            RecordMetadata source = context.recordMetadata().orElseThrow();
            arrive(new InputRecord(
                    record.key(),
                    (Inbound) record.value(),
                    record.timestamp(),
                    record.headers(),
                    source.topic(),
                    source.partition(),
                    source.offset()));
        }
    }

    private void arrive(InputRecord arrival) {
        stamps.see(arrival);
        handle(arrival, false);
    }

    /** @param early whether others that were written before it are still to come */
    private void handle(InputRecord arrival, boolean early) {
        Inbound.Content content = arrival.value().content();
        if (content instanceof Inbound.ClockTick) {
            tick(arrival.stamp());
        } else if (content instanceof Inbound.Bad bad) {
            deadLetter(arrival, bad.defect());
        } else if (arrival.user() == null) {
            deadLetter(arrival, new Defect(Reason.NULL_KEY, "the key must be the user id: it is null"));
        } else if (!arrival.user().isValid()) {
            deadLetter(
                    arrival,
                    new Defect(
                            Reason.INVALID_KEY,
                            "the key must be 1 to %d bytes of UTF-8: it has %d bytes"
                                    .formatted(UserId.MAX_BYTES, arrival.user().bytes().length)));
        } else if (isMisrouted(arrival)) {
            reroute(arrival);
        } else {
            if (!(content instanceof Inbound.Beat)) {
                heartbeats.takeUntil(arrival.partition(), arrival.user(), arrival.stamp(), one -> handle(one, true));
            }
            Decision decision = decide(arrival, content, early);
            carryOut(arrival.user(), decision);
            if (decision.refusal() != null) {
                deadLetter(arrival, defect(decision.refusal()));
            }
        }
    }

    @Override
    public void close() {
        if (metrics != null) { // init may have failed
            metrics.close();
        }
    }

    private void takeOverAll() {
        try (KeyValueIterator<UserId, UserSnapshot> all = users.all()) {
            while (all.hasNext()) {
                UserId user = all.peekNextKey();
                try {
                    partition.takeOver(user, all.next().value);
                } catch (SerializationException e) {
                    // To skip it would be to forget somebody. Whoever runs this has to know, and to decide.
                    throw new StreamsException(
                            "what is stored of %s, task %s, cannot be read: was it written by a later version?"
                                    .formatted(Printable.of(user), context.taskId()),
                            e);
                }
            }
        }
    }

    private Decision decide(InputRecord arrival, Inbound.Content content, boolean early) {
        UserId user = arrival.user();
        long stamp = arrival.stamp();
        boolean wasMisrouted = Rerouting.isMarked(arrival.headers());
        long first = wasMisrouted ? Rerouting.firstTime(arrival.headers(), stamp) : stamp;
        if (content instanceof Inbound.Beat beat) {
            if (wasMisrouted) {
                return partition.misroutedHeartbeat(user, beat.heartbeat(), first, stamp);
            }
            return early
                    ? partition.earlyHeartbeat(user, beat.heartbeat(), stamp)
                    : partition.heartbeat(user, beat.heartbeat(), stamp);
        } else if (content instanceof Inbound.Status status) {
            return wasMisrouted
                    ? partition.misroutedStatus(user, status.text(), first, stamp)
                    : partition.status(user, status.text(), stamp);
        } else if (content instanceof Inbound.Flag flag) {
            return wasMisrouted
                    ? partition.misroutedAppearOffline(user, flag.appearOffline(), first, stamp)
                    : partition.appearOffline(user, flag.appearOffline(), stamp);
        }
        throw new IllegalStateException("nobody decides about " + Printable.of(content));
    }

    /** The partition's clock ticks: what is due ends, and some of those who were quiet for long are forgotten. */
    private void tick(long at) {
        partition.tick(at);
        sweep();
        for (UserId user : walk.dueBy(partition.now())) {
            carryOut(user, partition.review(user));
        }
        metrics.state(partition);
    }

    /**
     * Ends what is due, slice by slice. Between two of them the thread handles what else there is, and polls, so that even a
     * million silent devices hold nobody up, and do not look like a dead processor to the group.
     */
    private void sweep() {
        boolean finished = partition.sweep(this::carryOut);
        if (!finished && furtherSweeps == null) {
            furtherSweeps = context.schedule(BETWEEN_SWEEPS, PunctuationType.WALL_CLOCK_TIME, now -> sweep());
        } else if (finished && furtherSweeps != null) {
            furtherSweeps.cancel();
            furtherSweeps = null;
        }
    }

    /**
     * Writes a clock tick into this task's own heartbeat partition, if there is something that time can end. It counts when it
     * is read back: behind everything that was written before it, and with the broker's stamp.
     */
    private void writeClockTick(long wallClockMs) {
        if (partition.needsClockTicks() || walk.needsTime(wallClockMs)) {
            PartitionTick value = new PartitionTick(context.taskId().partition(), tick);
            context.forward(new Record<>(null, value, wallClockMs), PresenceTopology.CLOCK_TICKS);
        }
    }

    private void carryOut(UserId user, Decision decision) {
        for (PresenceUpdate update : decision.updates()) {
            Presence value = update instanceof Presence presence ? presence : null;
            long at = presence.stamp(update.at(), clock);
            context.forward(new Record<>(user, value, at), PresenceTopology.PRESENCE);
            metrics.emitted();
        }
        for (RoutingView view : decision.routing()) {
            long at = routing.stamp(view.at(), clock);
            context.forward(new Record<>(user, view, at), PresenceTopology.ROUTING);
            if (view.reason() == RoutingView.Reason.FORGOTTEN) {
                context.forward(new Record<>(user, null, at), PresenceTopology.ROUTING);
            }
        }
        if (decision.durable() instanceof Decision.Save save) {
            users.put(user, save.snapshot());
        } else if (decision.durable() instanceof Decision.Erase) {
            users.delete(user);
        }
    }

    private boolean isMisrouted(InputRecord arrival) {
        return !home.isHome(arrival.user(), arrival.partition()) && !Rerouting.isMarked(arrival.headers());
    }

    /** A producer with another partitioner put it here: sends it, once, where the rest of the user is. */
    private void reroute(InputRecord arrival) {
        byte[] key = arrival.user().bytes();
        byte[] value = arrival.value().raw();
        Headers original = limits.of(arrival.topic()).fitting(arrival.headers(), key, value, Rerouting.MARK_BYTES);
        Headers headers = Rerouting.mark(original, arrival.stamp());
        context.forward(new Record<>(key, value, arrival.stamp(), headers), PresenceTopology.REROUTED);
        metrics.rerouted(arrival.user(), arrival);
    }

    private static Defect defect(Refusal refusal) {
        return switch (refusal) {
            case TOO_MANY_DEVICES ->
                new Defect(
                        Reason.TOO_MANY_DEVICES,
                        "the user has as many live devices already as max.devices.per.user allows, or as can be stored");
        };
    }

    private void deadLetter(InputRecord arrival, Defect defect) {
        context.forward(DeadLetter.of(arrival, defect, deadLetters, clock), PresenceTopology.DEAD_LETTERS);
        metrics.deadLetter(defect, arrival);
    }
}
