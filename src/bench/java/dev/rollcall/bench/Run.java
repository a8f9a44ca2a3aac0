package dev.rollcall.bench;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A contestant that is running in this JVM. */
interface Run extends AutoCloseable {
    /** How many records of the log it is done with, to the last few. */
    long processed();

    /** Whether what follows from the log up to these offsets, by partition, is committed. */
    boolean isDoneWith(Map<Integer, Long> ends);

    /** The one thread that processes, as {@link Thread#getId}; 0: not known yet. */
    long threadId();

    /** What it has emitted, once it is closed; null: that is on its output topic, or it emits nothing. */
    default OutputDigest.@Nullable Figures digest() {
        return null;
    }

    /** What other processes have used of the processor for it, the broker not included. */
    default long otherCpuNanos() {
        return 0;
    }

    /**
     * Whether it still goes on.
     *
     * @throws BenchmarkException if not
     */
    void check();

    @Override
    void close();
}
