package dev.rollcall.simulation.kafka;

import dev.rollcall.simulation.time.Chance;
import dev.rollcall.simulation.time.EventQueue;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.kafka.common.header.Headers;
import org.jspecify.annotations.Nullable;

/**
 * An idempotent producer: what it writes to a partition stays in order, and is written once. A record that cannot be written is
 * given up after {@code delivery.timeout.ms}.
 */
public final class Producer {
    static final long DELIVERY_MS = 120_000;

    private final EventQueue time;
    private final Chance chance;
    private final long latencyMicros;

    /** One record in so many is acknowledged late, and one in ten of those never. */
    private int lateOneIn;

    private final Map<Log, Long> lastArrival = new LinkedHashMap<>();
    private boolean isAlive = true;

    public Producer(EventQueue time, Chance chance, long latencyMicros, int lateOneIn) {
        this.time = time;
        this.chance = chance;
        this.latencyMicros = latencyMicros;
        this.lateOneIn = lateOneIn;
    }

    /** What becomes of a record. */
    public interface Acknowledgement {
        /** The brokers have it, and the producer knows. */
        void at(long acknowledgedMs, LogRecord written);
    }

    /** Nothing is late from now on. */
    public void calm() {
        lateOneIn = 0;
    }

    /** The process ends: what has not left is lost. */
    public void kill() {
        isAlive = false;
    }

    public void send(
            Log log,
            byte @Nullable [] key,
            byte @Nullable [] value,
            Headers headers,
            @Nullable Acknowledgement acknowledgement) {
        long sent = time.millis();
        long travel = chance.between(latencyMicros / 2, latencyMicros);
        if (lateOneIn > 0 && chance.oneIn(lateOneIn)) {
            travel += chance.magnitude(1_000, 3_000_000);
        }
        long arrival = Math.max(time.micros() + travel, lastArrival.getOrDefault(log, 0L));
        lastArrival.put(log, arrival);
        time.at(arrival, () -> log.whenAvailable(() -> arrive(log, key, value, headers, sent, acknowledgement)));
    }

    private void arrive(
            Log log,
            byte @Nullable [] key,
            byte @Nullable [] value,
            Headers headers,
            long sent,
            @Nullable Acknowledgement acknowledgement) {
        long now = time.millis();
        if (now - sent > DELIVERY_MS || (!isAlive && now - sent > 2 * latencyMicros / 1_000 + 1)) {
            return; // given up, or its process has ended before it left
        }
        long back = chance.between(latencyMicros / 2, latencyMicros);
        boolean isLate = lateOneIn > 0 && chance.oneIn(lateOneIn);
        if (isLate) {
            back += chance.magnitude(10_000, 60_000_000);
        }
        boolean isLost = isLate && chance.oneIn(10);
        long acknowledged = isLost ? Long.MAX_VALUE : now + (back + 999) / 1_000;
        LogRecord written = log.append(key, value, headers, sent, acknowledged);
        if (acknowledgement != null && !isLost) {
            time.afterMicros(acknowledged * 1_000 - time.micros(), () -> acknowledgement.at(acknowledged, written));
        }
    }
}
