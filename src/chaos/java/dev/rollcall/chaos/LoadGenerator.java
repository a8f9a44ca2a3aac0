package dev.rollcall.chaos;

import dev.rollcall.client.sending.EventSender;
import dev.rollcall.domain.UserId;
import dev.rollcall.wire.Topics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.LongAdder;
import org.apache.kafka.clients.producer.ProducerConfig;

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

    private static final int MAX_DEVICES = 2;

    private final Map<String, SimulatedShard> shards = new TreeMap<>();
    private final SpecialUsers special;
    private final LongAdder sent = new LongAdder();
    private final LongAdder acknowledged = new LongAdder();
    private final LongAdder failed = new LongAdder();

    private LoadGenerator(String bootstrapServers, int users, long seed) {
        special = new SpecialUsers(bootstrapServers, seed);
        AnyPartitionProducer sessions = new AnyPartitionProducer(bootstrapServers);
        List<SimulatedShard> all = new ArrayList<>();
        for (int number = 0; number < SHARDS; number++) {
            String name = "shard-" + number;
            HoldingShard holding = holdsConnections(number) ? new HoldingShard(name, sessions, this::count) : null;
            SimulatedShard shard = new SimulatedShard(
                    name, connect(bootstrapServers), holding, new SplittableRandom(seed + number), this::count);
            shards.put(name, shard);
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
        load.shards.values().forEach(shard -> new Thread(shard::run, shard.name()).start());
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
            case "adopt" -> shard(words[1]).adopt();
            case "restart" -> shard(words[1]).tell(SimulatedShard::restart);
            case "zombie" -> shard(words[1]).tell(shard -> shard.beZombie(Long.parseLong(words[2])));
            case "move" -> shard(words[1]).tell(shard -> shard.moveTo(shard(words[2])));
            case "end" -> shard(words[1]).tell(shard -> shard.endFor(shard(words[2])));
            case "cut" ->
                shard(words[1]).holding().cutOff(Integer.parseInt(words[2]), nowMs() + Long.parseLong(words[3]));
            case "leave" -> special.leave(Long.parseLong(words[1]));
            case "quiesce" -> quiesce();
            default -> throw new IllegalArgumentException("unknown command " + line);
        }
    }

    private SimulatedShard shard(String name) {
        SimulatedShard shard = shards.get(name);
        if (shard == null) {
            throw new IllegalArgumentException("no shard " + name);
        }
        return shard;
    }

    private void quiesce() {
        shards.values().forEach(SimulatedShard::stop);
        special.stop();
        Timeout timeout = new Timeout("everything is acknowledged", Duration.ofMinutes(2));
        try {
            while (!special.isAnswered()
                    || acknowledged.sum() + failed.sum() < sent.sum()
                    || shards.values().stream().anyMatch(shard -> !shard.hasEnded())) {
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

    static long nowMs() {
        return System.nanoTime() / 1_000_000;
    }
}
