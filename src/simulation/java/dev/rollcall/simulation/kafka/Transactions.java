package dev.rollcall.simulation.kafka;

import dev.rollcall.simulation.time.Chance;
import dev.rollcall.simulation.time.EventQueue;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.jspecify.annotations.Nullable;

/** The transactions of processors, and their coordinator: it ends what is open for too long, and writes each end into the logs. */
public final class Transactions {
    /** {@code transaction.timeout.ms} of a processor. */
    private static final long TIMEOUT_MS = 10_000;

    /** What producers and topics take by default. */
    public static final int MAX_RECORD_BYTES = 1 << 20;

    private final EventQueue time;
    private final Chance chance;
    private final Promises promises;
    private final long markerMicros;

    /**
     * What the brokers' transactions promise.
     *
     * @param exactlyOnce if not, all that is written counts at once, whatever becomes of its transaction
     * @param ownEpochs each has an epoch of its own, so that a request that arrives late is of none (KIP-890)
     */
    public record Promises(boolean exactlyOnce, boolean ownEpochs) {}

    /** A record that no broker takes. */
    public static final class RecordTooLargeException extends RuntimeException {
        private static final long serialVersionUID = 1;

        RecordTooLargeException(long bytes) {
            super("a record of " + bytes + " bytes");
        }
    }

    public Transactions(EventQueue time, Chance chance, Promises promises) {
        this.time = time;
        this.chance = chance;
        this.promises = promises;
        this.markerMicros = chance.magnitude(500, 50_000);
    }

    /** Begins one, which is aborted after a while unless it has ended; {@code onTimeout} hears of that. */
    public Transaction begin(Runnable onTimeout) {
        Transaction transaction = new Transaction(time.micros());
        time.afterMillis(TIMEOUT_MS, () -> {
            if (transaction.isOpen()) {
                end(transaction, false);
                onTimeout.run();
            }
        });
        return transaction;
    }

    /** Writes a record into an input; where that cannot be written, as soon as it can. */
    public void write(
            Transaction transaction, Log log, byte @Nullable [] key, byte @Nullable [] value, Headers headers) {
        check(key, value, headers);
        if (!promises.exactlyOnce) {
            log.whenAvailable(() -> log.append(key, value, headers, time.millis(), time.millis()));
            return;
        }
        transaction.expect();
        log.whenAvailable(() -> {
            transaction.arrived();
            if (transaction.isOpen()) { // else a broker refuses it
                log.append(key, value, headers, transaction);
            }
        });
    }

    /** Writes something else, which counts with the commit. */
    public void write(Transaction transaction, Runnable effect) {
        if (promises.exactlyOnce) {
            transaction.onCommit(effect);
        } else {
            effect.run();
        }
    }

    /** Throws if no broker takes a record of this size. */
    public static void check(byte @Nullable [] key, byte @Nullable [] value, Headers headers) {
        long bytes = 70L + (key == null ? 0 : key.length) + (value == null ? 0 : value.length);
        for (Header header : headers) {
            bytes += 2L + header.key().length() + (header.value() == null ? 0 : header.value().length);
        }
        if (bytes > MAX_RECORD_BYTES) {
            throw new RecordTooLargeException(bytes);
        }
    }

    /** A request to commit the one before arrives a second time. */
    public void repeatedEnd(Transaction transaction) {
        if (!promises.ownEpochs && transaction.isOpen()) {
            transaction.tear();
        }
    }

    /** Decides; readers of the logs see it a little later. */
    public void end(Transaction transaction, boolean commit) {
        if (commit) {
            transaction.commit();
        } else {
            transaction.abort();
        }
        for (Log log : transaction.logs()) {
            long delay = chance.between(markerMicros / 2, markerMicros);
            time.afterMicros(delay, () -> log.whenAvailable(() -> log.end(transaction)));
        }
    }
}
