package dev.rollcall.simulation.processor;

import org.jspecify.annotations.Nullable;

/** Whoever reads the topic {@code presence}, in the order of each partition, what was committed. */
public interface PresenceTopic {
    void published(int partition, byte[] key, byte @Nullable [] value, long timestamp);
}
