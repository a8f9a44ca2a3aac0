package dev.rollcall.chaos;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.IntStream;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.jspecify.annotations.Nullable;

/**
 * Users who do what seldom happens, again and again: hide right before they come online; are written to the wrong
 * partition, close to records on the right one; have a partition nearly for themselves. Each is a chain of steps, one at
 * a time. Times in ms.
 */
final class SpecialUsers {
    /** Has none but these users, and the probe. */
    static final int SPARSE_PARTITION = Timing.PARTITIONS - 1;

    private static final int HIDING = 60;
    private static final int MISROUTED = 60;
    private static final int LEAVING = 5;

    /** Below the lease, and with the log silent in between. */
    private static final long SPARSE_BEAT = Timing.LEASE.toMillis() * 5 / 8;

    /** From an acknowledgement to the next record: what rule 7 asks for, and what is enough in a backlog. */
    private static final long CAUSE_BEFORE_EFFECT = 100;

    private static final long IN_A_BACKLOG = 20;

    private final AnyPartitionProducer producer;
    private final SplittableRandom dice;
    private final ScheduledExecutorService steps = Executors.newScheduledThreadPool(2);
    private final LongAdder sent = new LongAdder();
    private final LongAdder answered = new LongAdder();
    private volatile long leavingGoneUntil;
    private volatile boolean stopped;

    SpecialUsers(String bootstrapServers, long seed) {
        this.producer = new AnyPartitionProducer(bootstrapServers);
        this.dice = new SplittableRandom(seed);
    }

    void start() {
        users("hiding", HIDING, false).forEach(user -> later(random(0, 6_000), () -> hide(user)));
        users("misrouted", MISROUTED, false).forEach(user -> later(random(0, 3_000), () -> misroute(user)));
        List<UserId> sparse = users("sparse", LEAVING + 1, true);
        later(0, () -> stay(sparse.get(0)));
        sparse.subList(1, LEAVING + 1).forEach(user -> later(random(0, 2_000), () -> stayForAWhile(user)));
    }

    /** All but one of the users on the sparse partition fall silent for that long. */
    void leave(long ms) {
        leavingGoneUntil = nowMs() + ms;
    }

    void stop() {
        stopped = true;
        steps.shutdownNow();
    }

    boolean isAnswered() {
        return stopped && answered.sum() >= sent.sum();
    }

    long sent() {
        return sent.sum();
    }

    // ---- hide, and come online ----

    private void hide(UserId user) {
        int own = AnyPartitionProducer.partitionOf(user);
        CompletableFuture<RecordMetadata> flag = count(producer.flag(user, own, true));
        CompletableFuture<RecordMetadata> text = chance(4)
                ? count(producer.text(user, own, new StatusText("text " + random(0, 1_000_000), null)))
                : null;
        long wait = chance(2) ? CAUSE_BEFORE_EFFECT : IN_A_BACKLOG;
        acknowledged(flag, hidden -> {
            if (text == null) {
                later(wait, () -> comeOnline(user, List.of(hidden), 3));
            } else {
                acknowledged(text, set -> later(wait, () -> comeOnline(user, List.of(hidden, set), 3)));
            }
        });
    }

    private void comeOnline(UserId user, List<RecordMetadata> after, int beats) {
        PresenceState state = chance(3) ? null : PresenceState.ONLINE;
        int own = AnyPartitionProducer.partitionOf(user);
        if (beats > 0) {
            acknowledged(
                    count(producer.heartbeat(user, own, beat(state, false, OptionalLong.empty()), after)),
                    any -> later(random(300, 1_500), () -> comeOnline(user, after, beats - 1)));
        } else {
            acknowledged(
                    count(producer.heartbeat(user, own, beat(null, true, OptionalLong.empty()), after)),
                    any -> later(Timing.GRACE.toMillis() + 1_500, () -> show(user)));
        }
    }

    private void show(UserId user) {
        acknowledged(
                count(producer.flag(user, AnyPartitionProducer.partitionOf(user), false)),
                any -> later(random(1_000, 8_000), () -> hide(user)));
    }

    // ---- on the wrong partition ----

    private void misroute(UserId user) {
        int own = AnyPartitionProducer.partitionOf(user);
        int wrong = (own + 1 + (int) random(0, Timing.PARTITIONS - 1)) % Timing.PARTITIONS;
        int away = wrong == SPARSE_PARTITION || wrong == own ? (own + 1) % SPARSE_PARTITION : wrong;
        OptionalLong none = OptionalLong.empty();
        switch ((int) random(0, 9)) {
            case 0 -> oneThenOther(user, () -> text(user, away, "old"), () -> text(user, own, "new"));
            case 1 -> oneThenOther(user, () -> text(user, own, "old"), () -> text(user, away, "new"));
            case 2 -> oneThenOther(user, () -> producer.flag(user, away, false), () -> producer.flag(user, own, true));
            case 3 -> oneThenOther(user, () -> producer.flag(user, own, true), () -> producer.flag(user, away, false));
            case 4 ->
                oneThenOther(
                        user,
                        () -> heartbeat(user, away, beat(PresenceState.ONLINE, false, none)),
                        () -> heartbeat(user, own, beat(PresenceState.IDLE, false, none)));
            case 5 ->
                oneThenOther(
                        user,
                        () -> heartbeat(user, own, beat(PresenceState.IDLE, false, none)),
                        () -> heartbeat(user, away, beat(PresenceState.ONLINE, false, none)));
            case 6 ->
                oneThenOther(
                        user,
                        () -> heartbeat(user, away, beat(PresenceState.ONLINE, false, OptionalLong.of(300))),
                        () -> heartbeat(user, own, beat(null, false, none)));
            case 7 ->
                oneThenOther(
                        user,
                        () -> heartbeat(user, away, beat(null, false, none)),
                        () -> heartbeat(user, own, beat(null, true, none)));
            default ->
                oneThenOther(
                        user,
                        () -> producer.flag(user, own, false),
                        () -> heartbeat(user, own, beat(PresenceState.ONLINE, false, none)));
        }
    }

    private interface Sending {
        CompletableFuture<RecordMetadata> send();
    }

    private void oneThenOther(UserId user, Sending one, Sending other) {
        acknowledged(
                count(one.send()),
                any -> later(
                        20,
                        () -> acknowledged(
                                count(other.send()), last -> later(random(2_000, 6_000), () -> misroute(user)))));
    }

    private CompletableFuture<RecordMetadata> text(UserId user, int partition, String text) {
        return producer.text(user, partition, new StatusText(text + " " + random(0, 1_000_000), null));
    }

    private CompletableFuture<RecordMetadata> heartbeat(UserId user, int partition, Heartbeat heartbeat) {
        return producer.heartbeat(user, partition, heartbeat, List.of());
    }

    // ---- on a sparse partition ----

    private void stay(UserId user) {
        acknowledged(
                count(producer.heartbeat(user, SPARSE_PARTITION, beat(null, false, OptionalLong.empty()), List.of())),
                any -> later(SPARSE_BEAT, () -> stay(user)));
    }

    private void stayForAWhile(UserId user) {
        if (nowMs() < leavingGoneUntil) {
            later(500, () -> stayForAWhile(user));
            return;
        }
        acknowledged(
                count(producer.heartbeat(user, SPARSE_PARTITION, beat(null, false, OptionalLong.empty()), List.of())),
                any -> later(2_000, () -> stayForAWhile(user)));
    }

    // ---- steps ----

    private static Heartbeat beat(@Nullable PresenceState state, boolean closed, OptionalLong leaseMs) {
        return new Heartbeat("device", state, closed, leaseMs, null);
    }

    private interface Acknowledged {
        void with(RecordMetadata record);
    }

    private <T> CompletableFuture<T> count(CompletableFuture<T> sending) {
        sent.increment();
        return sending.whenComplete((record, failure) -> answered.increment());
    }

    private static void acknowledged(CompletableFuture<RecordMetadata> sending, Acknowledged then) {
        var unused = sending.whenComplete((record, failure) -> {
            if (failure == null) {
                then.with(record);
            } else {
                System.out.println("not sent: " + failure);
            }
        });
    }

    private void later(long ms, Runnable step) {
        if (!stopped) {
            var unused = steps.schedule(
                    () -> {
                        if (!stopped) {
                            step.run();
                        }
                    },
                    ms,
                    TimeUnit.MILLISECONDS);
        }
    }

    private synchronized long random(long least, long most) {
        return dice.nextLong(least, most);
    }

    private boolean chance(int of) {
        return random(0, of) == 0;
    }

    /** All of them on the sparse partition, or none. */
    private static List<UserId> users(String name, int count, boolean sparse) {
        List<UserId> users = new ArrayList<>();
        IntStream.iterate(0, number -> number + 1)
                .mapToObj(number -> UserId.of("@%s-%d:example.org".formatted(name, number)))
                .filter(user -> (AnyPartitionProducer.partitionOf(user) == SPARSE_PARTITION) == sparse)
                .limit(count)
                .forEach(users::add);
        return users;
    }

    private static long nowMs() {
        return System.nanoTime() / 1_000_000;
    }
}
