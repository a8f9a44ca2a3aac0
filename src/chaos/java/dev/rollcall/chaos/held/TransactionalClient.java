package dev.rollcall.chaos.held;

import dev.rollcall.chaos.held.Transaction.End;
import dev.rollcall.chaos.network.Hold;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.serialization.StringSerializer;

/** A program that writes transactions under one transactional id, with as many producers, one after the other, as it needs. */
final class TransactionalClient implements AutoCloseable {
    /** A client that waits so long for an answer closes the connection, and tries again on another one. */
    private static final Duration REQUEST = Duration.ofMillis(500);

    /** Then it gives up. */
    private static final Duration BLOCK = Duration.ofSeconds(8);

    private static final Duration IMPATIENT_BLOCK = Duration.ofMillis(1_500);

    private static final Duration TRANSACTION = Duration.ofMinutes(1);

    /** The coordinator aborts such a transaction after that. */
    static final Duration SHORT_TRANSACTION = Duration.ofSeconds(1);

    private static final int ATTEMPTS = 5;
    private static final int BEGIN_ATTEMPTS = 250;

    /** A record that is not acknowledged by then has failed. */
    private static final Duration DELIVERY = Duration.ofMillis(1_200);

    private final String bootstrapServers;
    private final String transactionalId;
    private KafkaProducer<String, String> producer;

    TransactionalClient(String bootstrapServers, int number) {
        this.bootstrapServers = bootstrapServers;
        this.transactionalId = "held-%d-".formatted(number);
        this.producer = connect(BLOCK, TRANSACTION);
        producer.initTransactions();
    }

    /** A producer that gives up a commit soon, and whose transactions may be ended by the coordinator before that. */
    void replaceWithImpatient(boolean timesOut) {
        replace(IMPATIENT_BLOCK, timesOut ? SHORT_TRANSACTION : TRANSACTION);
    }

    /** Another producer takes the place of this one, as after an error or a restart. */
    void replace() {
        replace(BLOCK, TRANSACTION);
    }

    private void replace(Duration block, Duration transaction) {
        for (int attempt = 1; ; attempt++) {
            producer.close(Duration.ZERO);
            producer = connect(block, transaction);
            try {
                producer.initTransactions();
                return;
            } catch (KafkaException e) {
                if (attempt == ATTEMPTS) {
                    throw e;
                }
            }
        }
    }

    /** Holds the next request of that kind that is about this transactional id. */
    Hold hold(ApiKeys kind) {
        // All of them name it, also one that a broker sends for the producer.
        return new Hold(frame -> frame.apiKey() == kind.id && frame.contains(transactionalId));
    }

    /** Begins a transaction, as soon as the producer has the epoch that an abort may have asked for in the background. */
    void begin() throws InterruptedException {
        for (int attempt = 1; ; attempt++) {
            try {
                producer.beginTransaction();
                return;
            } catch (IllegalStateException e) {
                if (attempt == BEGIN_ATTEMPTS) {
                    throw new KafkaException("cannot begin", e);
                }
                Thread.sleep(20);
            }
        }
    }

    /** Writes the transaction's next value, and waits until it is acknowledged. */
    void write(Transaction transaction, int partition) throws InterruptedException {
        try {
            producer.send(new ProducerRecord<>(Tries.TOPIC, partition, null, transaction.nextValue()))
                    .get();
        } catch (ExecutionException e) {
            throw new KafkaException("not written", e.getCause());
        }
    }

    /** Whether the next value is acknowledged before the client gives up. */
    boolean isWritten(Transaction transaction, int partition) throws InterruptedException {
        try {
            write(transaction, partition);
            return true;
        } catch (KafkaException e) {
            return false;
        }
    }

    /** Whether a commit is acknowledged before the client gives up, or is told that it cannot be. */
    boolean isCommitted(Transaction transaction) {
        try {
            end(transaction, true);
            return true;
        } catch (KafkaException e) {
            return false;
        }
    }

    void end(Transaction transaction, boolean commit) {
        if (commit) {
            transaction.end(End.UNKNOWN);
            producer.commitTransaction();
            transaction.end(End.COMMITTED);
        } else {
            producer.abortTransaction();
            transaction.end(End.ABORTED);
        }
    }

    @Override
    public void close() {
        producer.close(Duration.ZERO);
    }

    private KafkaProducer<String, String> connect(Duration block, Duration transaction) {
        return new KafkaProducer<>(
                Map.of(
                        ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
                        bootstrapServers,
                        ProducerConfig.TRANSACTIONAL_ID_CONFIG,
                        transactionalId,
                        ProducerConfig.TRANSACTION_TIMEOUT_CONFIG,
                        (int) transaction.toMillis(),
                        ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG,
                        (int) REQUEST.toMillis(),
                        ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG,
                        (int) DELIVERY.toMillis(),
                        ProducerConfig.MAX_BLOCK_MS_CONFIG,
                        block.toMillis(),
                        ProducerConfig.RECONNECT_BACKOFF_MS_CONFIG,
                        10L,
                        ProducerConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG,
                        50L,
                        ProducerConfig.LINGER_MS_CONFIG,
                        0L),
                new StringSerializer(),
                new StringSerializer());
    }
}
