package dev.rollcall.chaos;

import dev.rollcall.client.sending.EventSender;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.wire.Topics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.jspecify.annotations.Nullable;

/**
 * Simulated homeserver shards in a process of their own. Does what it is told on standard input, a line each:
 *
 * <pre>
 *   silence SHARD MS   sends nothing for that long, and then goes on with all its devices
 *   stop SHARD         sends nothing any more
 *   adopt SHARD        its devices come back at a new shard
 *   restart SHARD      begins another session; its devices come back one after the other
 *   zombie SHARD MS    the session before goes on writing for that long
 *   move SHARD OTHER   its devices are opened by the other shard from now on
 *   end SHARD OTHER    ends its session in good order; its devices come back at the other shard
 *   cut SHARD PARTITION MS  nothing that it sends reaches that partition for that long
 *   leave MS           all users but one on the sparse partition fall silent for that long
 *   quiesce            all of them stop; prints when everything that was sent is acknowledged
 * </pre>
 *
 * <p>Half of the shards hold connections in sessions (rule 14), the others beat for each device. Only the former understand
 * {@code restart}, {@code zombie}, {@code move}, {@code end} and {@code cut}.
 *
 * <p>What each device wants to do depends on the seed alone. What lies in the topics depends on the faults as well, and
 * only that counts.
 */
public final class LoadGenerator {
    static final String RUNNING = "the shards are running";
    static final String QUIESCED = "the shards have stopped:";
    static final int SHARDS = 6;

    private static final double TEXT_SHARE = 0.02;
    private static final double FLAG_SHARE = 0.008;
    private static final int MAX_DEVICES = 2;
    private static final long ZOMBIE_STEP_MS = 100;

    private final Map<String, Shard> shards = new TreeMap<>();
    private final SpecialUsers special;
    private final LongAdder sent = new LongAdder();
    private final LongAdder acknowledged = new LongAdder();
    private final LongAdder failed = new LongAdder();

    private LoadGenerator(String bootstrapServers, int users, long seed) {
        special = new SpecialUsers(bootstrapServers, seed);
        AnyPartitionProducer sessions = new AnyPartitionProducer(bootstrapServers);
        List<Shard> all = new ArrayList<>();
        for (int number = 0; number < SHARDS; number++) {
            String name = "shard-" + number;
            HoldingShard holding = holdsConnections(number) ? new HoldingShard(name, sessions, this::count) : null;
            Shard shard = new Shard(name, connect(bootstrapServers), holding, new SplittableRandom(seed + number));
            shards.put(shard.name, shard);
            all.add(shard);
        }
        SplittableRandom random = new SplittableRandom(seed);
        for (int user = 0; user < users; user++) {
            UserId id = UserId.of("@user-" + user + ":example.org");
            if (AnyPartitionProducer.partitionOf(id) == SpecialUsers.SPARSE_PARTITION) {
                continue;
            }
            int devices = 1 + random.nextInt(MAX_DEVICES);
            for (int device = 0; device < devices; device++) {
                all.get((user + device) % SHARDS)
                        .add(new Connection(
                                id,
                                device == 0,
                                new SimulatedDevice(
                                        random.split(), Timing.LEASE.toMillis(), Timing.GRACE.toMillis(), device)));
            }
        }
    }

    /** {@code arguments}: bootstrap servers, users, seed, whether to leave out the special users. */
    public static void main(String[] arguments) {
        LoadGenerator load =
                new LoadGenerator(arguments[0], Integer.parseInt(arguments[1]), Long.parseLong(arguments[2]));
        load.shards.values().forEach(shard -> new Thread(shard::run, shard.name).start());
        if (!Boolean.parseBoolean(arguments[3])) {
            load.special.start();
        }
        System.out.println(RUNNING);
        Lifeline.hold(load::command);
    }

    static boolean holdsConnections(int shard) {
        return shard % 2 == 1;
    }

    static EventSender connect(String bootstrapServers) {
        return new EventSender(Topics.ofContract(), producer(bootstrapServers));
    }

    /** A producer that comes through any outage of the campaign. */
    static Map<String, Object> producer(String bootstrapServers) {
        return Map.of(
                ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
                bootstrapServers,
                ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG,
                (int) Timing.REQUEST.toMillis(),
                ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG,
                600_000,
                ProducerConfig.MAX_BLOCK_MS_CONFIG,
                600_000L,
                ProducerConfig.LINGER_MS_CONFIG,
                5L,
                ProducerConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG,
                500L);
    }

    private void command(String line) {
        String[] words = line.split(" ", -1);
        switch (words[0]) {
            case "silence" -> shard(words[1]).silence(Long.parseLong(words[2]));
            case "stop" -> shard(words[1]).silence(Duration.ofDays(1).toMillis());
            case "adopt" -> shard(words[1]).adopted = true;
            case "restart" -> shard(words[1]).tell(Shard::restart);
            case "zombie" -> shard(words[1]).tell(shard -> shard.zombieUntilMs = nowMs() + Long.parseLong(words[2]));
            case "move" -> shard(words[1]).tell(shard -> shard.moveTo(shard(words[2])));
            case "end" -> shard(words[1]).tell(shard -> shard.endFor(shard(words[2])));
            case "cut" ->
                shard(words[1]).holding().cutOff(Integer.parseInt(words[2]), nowMs() + Long.parseLong(words[3]));
            case "leave" -> special.leave(Long.parseLong(words[1]));
            case "quiesce" -> quiesce();
            default -> throw new IllegalArgumentException("unknown command " + line);
        }
    }

    private Shard shard(String name) {
        Shard shard = shards.get(name);
        if (shard == null) {
            throw new IllegalArgumentException("no shard " + name);
        }
        return shard;
    }

    private void quiesce() {
        shards.values().forEach(shard -> shard.stopped = true);
        special.stop();
        Timeout timeout = new Timeout("everything is acknowledged", Duration.ofMinutes(2));
        try {
            while (!special.isAnswered()
                    || acknowledged.sum() + failed.sum() < sent.sum()
                    || shards.values().stream().anyMatch(shard -> !shard.ended)) {
                timeout.sleepOrFail(50);
            }
        } catch (InterruptedException | IllegalStateException e) {
            System.out.println(e);
        }
        System.out.printf("%s %d sent, %d failed%n", QUIESCED, sent.sum() + special.sent(), failed.sum());
    }

    private void count(CompletableFuture<?> sending) {
        sent.increment();
        var unused = sending.whenComplete((nothing, failure) -> {
            if (failure == null) {
                acknowledged.increment();
            } else {
                failed.increment();
                System.out.println("not sent: " + failure);
            }
        });
    }

    private record Due(long atMs, long order, Connection connection) implements Comparable<Due> {
        @Override
        public int compareTo(Due other) {
            int byTime = Long.compare(atMs, other.atMs);
            return byTime != 0 ? byTime : Long.compare(order, other.order);
        }
    }

    private final class Shard {
        private final EventSender sender;
        private final SplittableRandom random;
        private final PriorityQueue<Due> queue = new PriorityQueue<>();
        private final Queue<Consumer<Shard>> commands = new ConcurrentLinkedQueue<>();

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

        private Shard(String name, EventSender sender, @Nullable HoldingShard holding, SplittableRandom random) {
            this.name = name;
            this.sender = sender;
            this.holding = holding;
            this.speaker = holding;
            this.random = random;
        }

        private void add(Connection connection) {
            schedule(connection, 0);
        }

        private void schedule(Connection connection, long nowMs) {
            queue.add(new Due(nowMs + connection.device().nextInMs(), order++, connection));
        }

        private void silence(long ms) {
            silentUntilMs = nowMs() + ms;
        }

        /** In its own thread. */
        private void tell(Consumer<Shard> command) {
            commands.add(command);
        }

        private HoldingShard holding() {
            return Objects.requireNonNull(holding, "it holds no connections");
        }

        private void restart() {
            holding().begin();
            speaker = holding;
            silentUntilMs = 0;
            comeBack();
        }

        private void moveTo(Shard other) {
            speaker = other.holding();
            // Some connections are known to be gone, before or after the other shard opens the device; others are
            // half-open.
            queue.stream()
                    .filter(due -> random.nextInt(3) == 0)
                    .forEach(due -> send(
                            due.connection(),
                            holding().current().of(due.connection().device().end())));
        }

        private void endFor(Shard other) {
            holding().end();
            speaker = other.holding();
            comeBack();
        }

        private void run() {
            long start = nowMs();
            startMs = start;
            try {
                while (!stopped) {
                    if (adopted) {
                        adopted = false;
                        comeBackElsewhere();
                    }
                    for (Consumer<Shard> command = commands.poll(); command != null; command = commands.poll()) {
                        command.accept(this);
                    }
                    if (holding != null) {
                        holdOn();
                    }
                    Due due = queue.peek();
                    if (due == null || nowMs() < silentUntilMs || nowMs() - start < due.atMs()) {
                        Thread.sleep(2);
                        continue;
                    }
                    queue.remove();
                    step(due.connection());
                    // Counted from the plan, not from now; but what a silence has swallowed is not made up for.
                    schedule(due.connection(), Math.max(due.atMs(), nowMs() - start - Timing.PULSE.toMillis()));
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
            long atMs = nowMs() - startMs;
            List<Due> all = List.copyOf(queue);
            queue.clear();
            all.forEach(due -> {
                due.connection().cutOff();
                schedule(due.connection(), atMs);
            });
        }

        private void holdOn() {
            long now = nowMs();
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
                            .ifPresent(due ->
                                    send(due.connection(), due.connection().stepOfZombie(zombie, random)));
                }
            }
        }

        private void step(Connection connection) {
            Heartbeat heartbeat = speaker == null ? connection.step(name) : connection.step(speaker.current(), random);
            if (heartbeat != null) {
                send(connection, heartbeat);
            }
            if (connection.isFirst() && random.nextDouble() < TEXT_SHARE) {
                count(sender.status(connection.user(), text()));
            }
            if (connection.isFirst() && random.nextDouble() < FLAG_SHARE) {
                count(sender.appearOffline(connection.user(), random.nextInt(100) < 45));
            }
        }

        private void send(Connection connection, Heartbeat heartbeat) {
            if (holding == null || holding.reaches(connection.user(), nowMs())) {
                count(sender.heartbeat(connection.user(), heartbeat));
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

    static long nowMs() {
        return System.nanoTime() / 1_000_000;
    }
}
