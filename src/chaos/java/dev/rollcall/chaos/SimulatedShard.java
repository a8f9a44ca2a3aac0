package dev.rollcall.chaos;

import dev.rollcall.client.sending.EventSender;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.StatusText;
import java.util.List;
import java.util.Objects;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A simulated homeserver shard: a thread that takes its devices' steps when they are due. It beats for each device, or it
 * holds their connections in sessions. Times in ms.
 */
final class SimulatedShard {
    private record Due(long atMs, long order, Connection connection) implements Comparable<Due> {
        @Override
        public int compareTo(Due other) {
            int byTime = Long.compare(atMs, other.atMs);
            return byTime != 0 ? byTime : Long.compare(order, other.order);
        }
    }

    private static final double TEXT_SHARE = 0.02;
    private static final double FLAG_SHARE = 0.008;
    private static final long ZOMBIE_STEP_MS = 100;

    private final EventSender sender;
    private final Consumer<CompletableFuture<?>> sending;
    private final SplittableRandom random;
    private final PriorityQueue<Due> queue = new PriorityQueue<>();
    private final Queue<Consumer<SimulatedShard>> commands = new ConcurrentLinkedQueue<>();

    /** Null: it beats for each device. */
    private final @Nullable HoldingShard holding;

    /** Whose session opens its devices; mostly its own. */
    private @Nullable HoldingShard speaker;

    private long zombieUntilMs;
    private long nextZombieStepMs;
    private long order;
    private long startMs;
    private String name; // the thread's own, once it runs
    private volatile long silentUntilMs;
    private volatile boolean adopted;
    private volatile boolean stopped;
    private volatile boolean ended;

    SimulatedShard(
            String name,
            EventSender sender,
            @Nullable HoldingShard holding,
            SplittableRandom random,
            Consumer<CompletableFuture<?>> sending) {
        this.name = name;
        this.sender = sender;
        this.holding = holding;
        this.speaker = holding;
        this.random = random;
        this.sending = sending;
    }

    void add(Connection connection) {
        schedule(connection, 0);
    }

    private void schedule(Connection connection, long nowMs) {
        queue.add(new Due(nowMs + connection.device().nextInMs(), order++, connection));
    }

    void silence(long ms) {
        silentUntilMs = LoadGenerator.nowMs() + ms;
    }

    /** In its own thread. */
    void tell(Consumer<SimulatedShard> command) {
        commands.add(command);
    }

    HoldingShard holding() {
        return Objects.requireNonNull(holding, "it holds no connections");
    }

    void restart() {
        holding().begin();
        speaker = holding;
        silentUntilMs = 0;
        comeBack();
    }

    void moveTo(SimulatedShard other) {
        speaker = other.holding();
        // Some connections are known to be gone, before or after the other shard opens the device; others are
        // half-open.
        queue.stream()
                .filter(due -> random.nextInt(3) == 0)
                .forEach(due -> send(
                        due.connection(),
                        holding().current().of(due.connection().device().end())));
    }

    void endFor(SimulatedShard other) {
        holding().end();
        speaker = other.holding();
        comeBack();
    }

    void adopt() {
        adopted = true;
    }

    void beZombie(long ms) {
        zombieUntilMs = LoadGenerator.nowMs() + ms;
    }

    void stop() {
        stopped = true;
    }

    boolean hasEnded() {
        return ended;
    }

    String name() {
        return name;
    }

    void run() {
        long start = LoadGenerator.nowMs();
        startMs = start;
        try {
            while (!stopped) {
                if (adopted) {
                    adopted = false;
                    comeBackElsewhere();
                }
                for (Consumer<SimulatedShard> command = commands.poll(); command != null; command = commands.poll()) {
                    command.accept(this);
                }
                if (holding != null) {
                    holdOn();
                }
                Due due = queue.peek();
                if (due == null
                        || LoadGenerator.nowMs() < silentUntilMs
                        || LoadGenerator.nowMs() - start < due.atMs()) {
                    Thread.sleep(2);
                    continue;
                }
                queue.remove();
                step(due.connection());
                // Counted from the plan, not from now; but what a silence has swallowed is not made up for.
                schedule(
                        due.connection(),
                        Math.max(due.atMs(), LoadGenerator.nowMs() - start - Timing.PULSE.toMillis()));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            ended = true;
        }
    }

    /** The devices of a shard that holds connections find it again; the others a new one. */
    private void comeBackElsewhere() {
        if (holding == null) {
            name = name + "-heir";
            silentUntilMs = 0;
            comeBack();
        } else {
            restart();
        }
    }

    private void comeBack() {
        long atMs = LoadGenerator.nowMs() - startMs;
        List<Due> all = List.copyOf(queue);
        queue.clear();
        all.forEach(due -> {
            due.connection().cutOff();
            schedule(due.connection(), atMs);
        });
    }

    private void holdOn() {
        long now = LoadGenerator.nowMs();
        if (now >= silentUntilMs) {
            holding().beatIfDue(now);
        }
        if (now < zombieUntilMs) {
            holding().beatAsZombieIfDue(now);
            ShardSession zombie = holding().before();
            if (zombie != null && now >= nextZombieStepMs) {
                nextZombieStepMs = now + ZOMBIE_STEP_MS;
                queue.stream()
                        .skip(random.nextInt(Math.max(1, queue.size())))
                        .findFirst()
                        .ifPresent(
                                due -> send(due.connection(), due.connection().stepOfZombie(zombie, random)));
            }
        }
    }

    private void step(Connection connection) {
        Heartbeat heartbeat = speaker == null ? connection.step(name) : connection.step(speaker.current(), random);
        if (heartbeat != null) {
            send(connection, heartbeat);
        }
        if (connection.isFirst() && random.nextDouble() < TEXT_SHARE) {
            sending.accept(sender.status(connection.user(), text()));
        }
        if (connection.isFirst() && random.nextDouble() < FLAG_SHARE) {
            sending.accept(sender.appearOffline(connection.user(), random.nextInt(100) < 45));
        }
    }

    private void send(Connection connection, Heartbeat heartbeat) {
        if (holding == null || holding.reaches(connection.user(), LoadGenerator.nowMs())) {
            sending.accept(sender.heartbeat(connection.user(), heartbeat));
        }
    }

    private StatusText text() {
        int draw4 = random.nextInt(4);
        if (draw4 == 0) {
            return StatusText.NONE;
        }
        Long expiresAt = draw4 == 1 ? null : (Long) (System.currentTimeMillis() + 500 + random.nextLong(10_000));
        return new StatusText("text " + random.nextInt(1_000_000), expiresAt);
    }
}
