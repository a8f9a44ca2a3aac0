package dev.rollcall.topology;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.consumer.HeartbeatBundles.Bundle;
import dev.rollcall.domain.Decision;
import dev.rollcall.domain.Decision.StoreWrite;
import dev.rollcall.domain.Limits;
import dev.rollcall.domain.PresenceUpdate;
import dev.rollcall.domain.Rejection;
import dev.rollcall.domain.Rejection.Reason;
import dev.rollcall.domain.RoutingUpdate;
import dev.rollcall.domain.RoutingView;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.domain.UserSnapshot.TakenEarly;
import dev.rollcall.partition.PresencePartition;
import dev.rollcall.session.ShardHeartbeat;
import dev.rollcall.session.StoredShard;
import dev.rollcall.store.UserStores;
import dev.rollcall.text.Printable;
import dev.rollcall.topology.meters.ProcessorMeters;
import dev.rollcall.wire.CarriedHeartbeat;
import dev.rollcall.wire.Inbound;
import java.time.Clock;
import java.time.Duration;
import java.util.function.BiConsumer;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.streams.errors.StreamsException;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.NullUnmarked;
import org.jspecify.annotations.Nullable;

/** Handles the records of one partition: hands them to the {@link PresencePartition}, and carries out what it decides. */
@NullUnmarked // set in init, which Streams calls first, and again after a failure
final class PresenceProcessor implements Processor<UserId, Object, Object, Object> {
    private final RollcallConfig config;
    private final Clock clock;
    private final UserPartitioner partitioner;
    private final HeartbeatSource heartbeats;
    private final UserStores userStores;
    private final OutputLimits limits;
    private final OutputLimits.Limit presence;
    private final OutputLimits.Limit routing;
    private final OutputLimits.Limit deadLetters;
    private final ProcessorMeters meters;
    private final Inbound.ClockTick tick;

    private ProcessorContext<Object, Object> context;
    private KeyValueStore<UserId, UserSnapshot> users;
    private KeyValueStore<String, StoredShard> shards;
    private PresencePartition partition;
    private OutOfOrderStamps stamps;
    private StoreScan scan;
    private ProcessorMetrics metrics;
    private Sweeps sweeps;

    PresenceProcessor(
            RollcallConfig config,
            Clock clock,
            UserPartitioner partitioner,
            HeartbeatSource heartbeats,
            UserStores userStores,
            OutputLimits limits,
            ProcessorMeters meters,
            String instance) {
        this.config = config;
        this.clock = clock;
        this.partitioner = partitioner;
        this.heartbeats = heartbeats;
        this.userStores = userStores;
        this.limits = limits;
        this.presence = limits.of(config.topics().presence());
        this.routing = limits.of(config.topics().routing());
        this.deadLetters = limits.of(config.topics().deadLetters());
        this.meters = meters;
        this.tick = new Inbound.ClockTick(instance);
    }

    @Override
    public void init(ProcessorContext<Object, Object> context) {
        this.context = context;
        users = context.getStateStore(PresenceTopology.USERS);
        shards = context.getStateStore(PresenceTopology.SHARDS);
        partition = new PresencePartition(config.rules(), users::get);
        scan = new StoreScan(users, config.rules().retentionMs());
        metrics = new ProcessorMetrics(context, meters);
        stamps = new OutOfOrderStamps(metrics);
        sweeps = new Sweeps(context, partition, this::carryOutEnd);
        heartbeats.forget(context.taskId().partition());
        restoreAll(shards, partition::restoreShard);
        restoreAll(users, (id, user) -> {
            partition.restore(id, user);
            heartbeats.readsAgain(context.taskId().partition(), id, user);
            metrics.restored(user);
        });
        userStores.leaveTo(partition.unstored(), context.taskId());
        metrics.state(partition);
        context.schedule(
                Duration.ofMillis(config.tickIntervalMs()), PunctuationType.WALL_CLOCK_TIME, this::writeClockTick);
    }

    @Override
    public void process(Record<UserId, Object> record) {
        sweeps.recordRead();
        if (record.value() instanceof Bundle bundle) {
            metrics.read(bundle.records().size());
            partition.prefetch(bundle.users());
            heartbeats.open(bundle, this::handle, partition::earlyHeartbeatPassed);
        } else {
            metrics.read(1);
            RecordMetadata source = context.recordMetadata().orElseThrow();
            handle(new InputRecord(
                    record.key(),
                    (Inbound) record.value(),
                    record.timestamp(),
                    record.headers(),
                    source.topic(),
                    source.partition(),
                    source.offset()));
        }
    }

    private void handle(InputRecord input) {
        stamps.observe(input);
        handle(input, null);
    }

    /** @param early those of this user up to it that are taken while others that lie in front of them wait; null: none does */
    private void handle(InputRecord input, @Nullable TakenEarly early) {
        Inbound.Content content = input.value().content();
        if (content instanceof Inbound.ClockTick) {
            if (content.equals(tick)) {
                metrics.tickCameBack();
            }
            tick(input.stamp());
        } else if (content instanceof Inbound.ShardBeat beat) {
            shardHeartbeat(input, beat.heartbeat());
        } else if (content instanceof Inbound.Rejected rejected) {
            deadLetter(input, rejected.rejection());
        } else if (input.user() == null) {
            deadLetter(input, new Rejection(Reason.NULL_KEY, "the key must be the user id: it is null"));
        } else if (!input.user().isValid()) {
            deadLetter(
                    input,
                    new Rejection(
                            Reason.INVALID_KEY,
                            "the key must be 1 to %d bytes of UTF-8: it has %d bytes"
                                    .formatted(Limits.MAX_ID_BYTES, input.user().bytes().length)));
        } else if (isMisrouted(input)) {
            reroute(input);
        } else {
            if (!(content instanceof Inbound.Beat)) {
                heartbeats.takeUntil(input.partition(), input.user(), input.stamp(), heartbeat -> {
                    boolean isVisible = !partition.appearsOffline(heartbeat.user());
                    handle(heartbeat, new TakenEarly(heartbeat.offset(), input.stamp()));
                    return isVisible;
                });
            }
            if (content instanceof Inbound.Status status) {
                status(input, status.text(), CarriedHeartbeat.of(input.headers()));
            } else {
                carryOut(input, decide(input, content, early));
            }
        }
    }

    /** @param carried a heartbeat that came with the text, or why that cannot be used; null: none did */
    private void status(InputRecord input, StatusText text, Inbound.@Nullable Content carried) {
        if (carried instanceof Inbound.Rejected rejected) {
            deadLetter(input, rejected.rejection());
        } else if (carried instanceof Inbound.Beat beat && !Rerouting.isMarked(input.headers())) {
            carryOut(input, partition.statusAndHeartbeat(input.user(), text, beat.heartbeat(), input.stamp()));
        } else {
            carryOut(input, decide(input, input.value().content(), null));
            if (carried != null) {
                carryOut(
                        input,
                        decide(input, carried, null)); // misrouted: each is compared with what is newer of its kind
            }
        }
    }

    private void carryOut(InputRecord input, Decision decision) {
        carryOut(input.user(), decision);
        if (decision.rejection() != null) {
            deadLetter(input, decision.rejection());
        }
    }

    @Override
    public void close() {
        if (metrics != null) { // init may have failed
            metrics.close();
        }
    }

    private <K, V> void restoreAll(KeyValueStore<K, V> store, BiConsumer<K, V> restore) {
        try (KeyValueIterator<K, V> all = store.all()) {
            while (all.hasNext()) {
                K key = all.peekNextKey();
                try {
                    restore.accept(key, all.next().value);
                } catch (SerializationException e) {
                    // To skip it would be to forget somebody. Whoever runs this has to know, and to decide.
                    throw new StreamsException(
                            "what is stored of %s, task %s, cannot be read, and the task writes nothing. If a later version stored it, start that one again, or see docs/operations.md, \"Roll back\""
                                    .formatted(Printable.of(key), context.taskId()),
                            e);
                }
            }
        }
    }

    private void shardHeartbeat(InputRecord input, ShardHeartbeat heartbeat) {
        if (!partition.shardHeartbeat(heartbeat, input.stamp())) {
            metrics.earlierSession(heartbeat, input);
        }
        storeShards();
    }

    private void storeShards() {
        partition.drainShards(shards::put);
    }

    private Decision decide(InputRecord input, Inbound.Content content, @Nullable TakenEarly early) {
        UserId user = input.user();
        long stamp = input.stamp();
        boolean wasMisrouted = Rerouting.isMarked(input.headers());
        long first = wasMisrouted ? Rerouting.firstTime(input.headers(), stamp) : stamp;
        if (content instanceof Inbound.Beat beat) {
            if (wasMisrouted) {
                return partition.misroutedHeartbeat(user, beat.heartbeat(), first, stamp, early);
            }
            return early == null
                    ? partition.heartbeat(user, beat.heartbeat(), stamp)
                    : partition.earlyHeartbeat(user, beat.heartbeat(), stamp, early);
        } else if (content instanceof Inbound.Status status) {
            return wasMisrouted
                    ? partition.misroutedStatus(user, status.text(), first, stamp)
                    : partition.status(user, status.text(), stamp);
        } else if (content instanceof Inbound.AppearOffline flag) {
            boolean wasHidden = partition.appearsOffline(user);
            Decision decision = wasMisrouted
                    ? partition.misroutedAppearOffline(user, flag.appearOffline(), first, stamp)
                    : partition.appearOffline(user, flag.appearOffline(), stamp);
            metrics.hid(wasHidden, partition.appearsOffline(user));
            return decision;
        }
        throw new IllegalStateException("no rule for " + Printable.of(content));
    }

    /** The partition's clock ticks: what is due ends, and a slice of the store is looked through. */
    private void tick(long at) {
        partition.tick(at);
        storeShards();
        sweeps.sweep();
        for (UserId user : scan.dueBy(partition.now())) {
            carryOut(user, partition.review(user));
        }
        metrics.state(partition);
    }

    /**
     * Writes a clock tick into this task's own heartbeat partition, if there is something that time can end. It counts when it
     * is read back: behind everything that was written before it, and with the broker's stamp.
     */
    private void writeClockTick(long wallClockMs) {
        if (partition.needsClockTicks() || scan.needsTime(wallClockMs)) {
            PartitionTick value = new PartitionTick(context.taskId().partition(), tick);
            context.forward(new Record<>(null, value, wallClockMs), PresenceTopology.CLOCK_TICKS);
            metrics.wroteTick();
        }
    }

    private void carryOutEnd(UserId user, Decision decision) {
        decision.updates().forEach(update -> metrics.late(partition.now() - update.at()));
        carryOut(user, decision);
    }

    private void carryOut(UserId user, Decision decision) {
        for (PresenceUpdate update : decision.updates()) {
            long at = presence.stamp(update.at(), clock);
            context.forward(new Record<>(user, update.presence(), at), PresenceTopology.PRESENCE);
            metrics.emitted(update);
        }
        for (RoutingUpdate update : decision.routing()) {
            long at = routing.stamp(update.at(), clock);
            context.forward(new Record<>(user, update.view(), at), PresenceTopology.ROUTING);
            if (update.view().reason() == RoutingView.Reason.FORGOTTEN) {
                context.forward(new Record<>(user, null, at), PresenceTopology.ROUTING);
            }
        }
        if (decision.write() instanceof StoreWrite.Put put) {
            users.put(user, put.snapshot());
        } else if (decision.write() instanceof StoreWrite.Delete) {
            users.put(user, null); // delete would read the row, to return it
        }
    }

    private boolean isMisrouted(InputRecord input) {
        return partitioner.isMisrouted(input.user(), input.partition()) && !Rerouting.isMarked(input.headers());
    }

    /** Sends a record once to the partition where the rest of its user is: a producer with another partitioner wrote it here. */
    private void reroute(InputRecord input) {
        byte[] key = input.user().bytes();
        byte[] value = input.value().raw();
        Headers original = limits.of(input.topic()).fitting(input.headers(), key, value, Rerouting.MARK_BYTES);
        Headers headers = Rerouting.mark(original, input.stamp());
        context.forward(new Record<>(key, value, input.stamp(), headers), PresenceTopology.REROUTED);
        metrics.rerouted(input.user(), input);
    }

    private void deadLetter(InputRecord input, Rejection rejection) {
        context.forward(DeadLetter.of(input, rejection, deadLetters, clock), PresenceTopology.DEAD_LETTERS);
        metrics.deadLetter(rejection, input);
    }
}
