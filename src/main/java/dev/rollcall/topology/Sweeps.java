package dev.rollcall.topology;

import dev.rollcall.domain.Decision;
import dev.rollcall.domain.UserId;
import dev.rollcall.partition.PresencePartition;
import java.time.Duration;
import java.util.function.BiConsumer;
import org.apache.kafka.streams.processor.Cancellable;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.jspecify.annotations.Nullable;

/**
 * Ends what is due on a partition, for a few ms at a time. In between the thread handles other records and polls, so that even a
 * million silent devices delay nobody, and the group does not take the member for dead.
 */
final class Sweeps {
    /** Several partitions may take so long, one after the other, before their thread handles records again. */
    private static final Duration SWEEP_FOR = Duration.ofMillis(5);

    /** Where no record has come in for {@link #ALONE_AFTER}, the thread waits for one between two sweeps, so each does more. */
    private static final Duration SWEEP_ALONE_FOR = Duration.ofMillis(25);

    private static final Duration ALONE_AFTER = Duration.ofMillis(500);

    /** As soon as the thread comes around again. */
    private static final Duration BETWEEN_SWEEPS = Duration.ofMillis(1);

    private final ProcessorContext<?, ?> context;
    private final PresencePartition partition;
    private final BiConsumer<UserId, Decision> decisions;
    private @Nullable Cancellable further;
    private long lastReadNanos;

    /** Streams has cancelled the sweeps of a life before. */
    Sweeps(ProcessorContext<?, ?> context, PresencePartition partition, BiConsumer<UserId, Decision> decisions) {
        this.context = context;
        this.partition = partition;
        this.decisions = decisions;
    }

    void recordRead() {
        lastReadNanos = System.nanoTime();
    }

    void sweep() {
        long now = System.nanoTime();
        boolean isAlone = now - lastReadNanos > ALONE_AFTER.toNanos();
        long until = now + (isAlone ? SWEEP_ALONE_FOR : SWEEP_FOR).toNanos();
        boolean finished;
        do {
            finished = partition.sweep(decisions);
        } while (!finished && System.nanoTime() - until < 0);
        if (!finished && further == null) {
            further = context.schedule(BETWEEN_SWEEPS, PunctuationType.WALL_CLOCK_TIME, at -> sweep());
        } else if (finished && further != null) {
            further.cancel();
            further = null;
        }
    }
}
