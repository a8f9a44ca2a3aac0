package dev.rollcall.http;

import java.util.List;
import java.util.Optional;

/** How the processor of this instance gets on. */
public interface Health {
    /** Of an edge without a processor. */
    Health NO_PROCESSOR = new Health() {
        @Override
        public List<String> waitsFor() {
            return List.of();
        }

        @Override
        public Optional<String> stuck() {
            return Optional.empty();
        }

        @Override
        public Optional<Status> status() {
            return Optional.empty();
        }
    };

    /**
     * What a probe's answer tells.
     *
     * @param state in lower case, as Kafka Streams has it
     * @param commitAgeMs how long ago the last commit was; 0: nothing runs
     * @param clockLagMs how long a clock tick has not come back; 0: all have
     * @param restoring empty: nothing is restored
     */
    record Status(String state, long commitAgeMs, long clockLagMs, Optional<Restoring> restoring) {}

    /**
     * How far what is stored is restored.
     *
     * @param secondsLeft -1: nobody knows yet
     */
    record Restoring(long remaining, long total, int percent, long perSecond, long secondsLeft) {}

    /** What it waits for, in words; an empty list once it is ready. */
    List<String> waitsFor();

    /** What only a restart would help against; empty: nothing. */
    Optional<String> stuck();

    /** Empty: there is no processor here. */
    Optional<Status> status();
}
