package dev.rollcall.chaos.held;

import dev.rollcall.chaos.network.Hold;
import dev.rollcall.chaos.network.Holds;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.kafka.common.KafkaException;

/**
 * Many tries to let a late request of one transaction hit the next one of the same producer: several programs at a time,
 * each of which writes two transactions a try.
 */
public final class Tries {
    /** What they write to. */
    public static final String TOPIC = "held-transactions";

    public static final int PARTITIONS = 6;

    private final String bootstrapServers;
    private final Holds holds;
    private final long seed;
    private final List<Kind> kinds;
    private final List<Transaction> transactions = new CopyOnWriteArrayList<>();
    private final Map<String, Integer> answers = new ConcurrentHashMap<>();
    private final AtomicInteger begun = new AtomicInteger();
    private final AtomicInteger late = new AtomicInteger();

    /**
     * Begins nothing yet.
     *
     * @param only the kinds whose name contains this text; empty: all
     */
    public Tries(String bootstrapServers, Holds holds, long seed, String only) {
        this.bootstrapServers = bootstrapServers;
        this.holds = holds;
        this.seed = seed;
        this.kinds = List.of(Kind.values()).stream()
                .filter(kind -> kind.name().contains(only))
                .toList();
    }

    /** Runs that many tries, so many at a time, and returns when all have ended. */
    public void run(int tries, int clients) throws InterruptedException {
        ExecutorService executor = Executors.newFixedThreadPool(clients);
        for (int client = 0; client < clients; client++) {
            int number = client;
            executor.execute(() -> runClient(number, tries));
        }
        executor.shutdown();
        if (!executor.awaitTermination(1, TimeUnit.DAYS)) {
            throw new IllegalStateException("the tries have not ended");
        }
    }

    /** How many tries let a request through that was held until its own transaction had ended. */
    public int late() {
        return late.get();
    }

    /** How the brokers answered the late requests. */
    public Map<String, Integer> answers() {
        return new TreeMap<>(answers);
    }

    List<Transaction> transactions() {
        return transactions;
    }

    private void runClient(int number, int tries) {
        SplittableRandom random = new SplittableRandom(seed * 1_000 + number);
        try (TransactionalClient client = new TransactionalClient(bootstrapServers, number)) {
            for (int next = begun.incrementAndGet(); next <= tries; next = begun.incrementAndGet()) {
                Kind kind = kinds.get(random.nextInt(kinds.size()));
                try {
                    attempt(client, kind, next, random);
                } catch (KafkaException | IOException e) {
                    client.replace(); // as a program does: the transaction that was open is aborted
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            count("a client ended: " + e);
        }
    }

    private void attempt(TransactionalClient client, Kind kind, int number, SplittableRandom random)
            throws IOException, InterruptedException {
        int one = random.nextInt(PARTITIONS);
        int other = (one + 1 + random.nextInt(PARTITIONS - 1)) % PARTITIONS;
        if (kind.needsImpatience()) {
            client.replaceWithImpatient(kind == Kind.COMMIT_TIMED_OUT);
        }
        List<Hold> held = Stream.generate(() -> client.hold(kind.held()))
                .limit(kind.heldAtMost())
                .toList();
        try {
            writeFirst(client, begin(client, kind, number + "a"), held, one, other);
            held.forEach(holds::remove); // the client's next request is not to be held
            Transaction second = begin(client, kind, number + "b");
            if (random.nextInt(8) > 0) {
                client.write(second, one);
            }
            Thread.sleep(random.nextInt(10));
            letThrough(kind, held);
            client.write(second, random.nextInt(4) == 0 ? one : other);
            client.end(second, kind.commitsSecond());
        } finally {
            held.forEach(holds::remove);
        }
    }

    private void writeFirst(TransactionalClient client, Transaction first, List<Hold> held, int one, int other)
            throws InterruptedException {
        Kind kind = first.kind();
        if (kind == Kind.ADD_PARTITIONS) {
            held.forEach(holds::add);
            boolean isWritten = client.isWritten(first, one);
            client.end(first, isWritten);
            return;
        }
        client.write(first, one);
        client.write(first, other);
        held.forEach(holds::add);
        switch (kind) {
            case PRODUCE -> {
                if (client.isWritten(first, one)) {
                    count("written in spite of all: " + kind);
                }
                client.end(first, false);
            }
            case COMMIT_GIVEN_UP, COMMIT_TIMED_OUT -> {
                if (client.isCommitted(first)) {
                    count("committed in spite of all: " + kind);
                }
                if (kind == Kind.COMMIT_TIMED_OUT) {
                    held.forEach(holds::remove);
                    Thread.sleep(TransactionalClient.SHORT_TRANSACTION
                            .multipliedBy(2)
                            .toMillis());
                    count("%s: the client tried again, committed: %s".formatted(kind, client.isCommitted(first)));
                }
                client.replace();
            }
            default -> client.end(first, kind.commitsFirst());
        }
    }

    private void letThrough(Kind kind, List<Hold> held) throws IOException {
        int through = 0;
        for (Hold hold : held) {
            if (hold.hasRequest()) {
                count("%s: %s".formatted(kind, hold.letThrough().errorCounts().keySet()));
                through++;
            }
        }
        if (through == 0) {
            count("no such request was sent: " + kind);
        } else {
            late.incrementAndGet();
        }
    }

    private Transaction begin(TransactionalClient client, Kind kind, String id) throws InterruptedException {
        Transaction transaction = new Transaction(id, kind);
        transactions.add(transaction);
        client.begin();
        return transaction;
    }

    private void count(String what) {
        answers.merge(what, 1, Integer::sum);
    }
}
