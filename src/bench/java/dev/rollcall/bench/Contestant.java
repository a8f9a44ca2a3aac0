package dev.rollcall.bench;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/** Who runs: Rollcall, what one would write instead, and what bounds them all. */
enum Contestant {
    /** Kafka Streams, and a processor that does nothing: the limit of the engine. */
    NOOP,

    /** A plain consumer, the decoder and a map, nothing durable: what any JVM solution pays. */
    CONSUMER,

    /** A row in RocksDB read and written per heartbeat, and all rows scanned once a second. */
    TEXTBOOK,

    /** As {@link #TEXTBOOK}, with a second store in the order of the deadlines instead of the scan. */
    INDEXED,

    /** The real topology with the program's settings. */
    ROLLCALL,

    /** An earlier version of {@link #ROLLCALL}, by its classes: what a change costs or saves, in one run. */
    BEFORE,

    /** {@link #NOOP} that sends every second record on: what writing costs where half of all records are transitions. */
    EVERY_SECOND,

    /** {@link #EVERY_SECOND} with Rollcall's producer settings, where that has Kafka Streams' defaults. */
    EVERY_SECOND_TUNED,

    /** {@link #NOOP} that sends every hundredth record on. */
    EVERY_HUNDREDTH,

    /** Flink: keyed state on the heap, event-time timers, a checkpoint each second, output exactly once. */
    FLINK_HEAP,

    /** As {@link #FLINK_HEAP}, with the state and the timers in RocksDB and incremental checkpoints. */
    FLINK_ROCKSDB,

    /** As {@link #FLINK_HEAP}, but what it emits is counted and thrown away. */
    FLINK_HEAP_DISCARD,

    /** Redis or Valkey with a hash per user and a sorted set of deadlines, between a consumer and an idempotent producer. */
    REDIS;

    /** Those that are jobs of Flink. */
    static final Set<Contestant> ON_FLINK = EnumSet.of(FLINK_HEAP, FLINK_ROCKSDB, FLINK_HEAP_DISCARD);

    /** Those that need the Maven profile {@code rivals}. */
    static final Set<Contestant> RIVALS = EnumSet.of(FLINK_HEAP, FLINK_ROCKSDB, FLINK_HEAP_DISCARD, REDIS);

    /** Those that send every so many records on and know no presence: what they emit proves their work by its number. */
    static final Set<Contestant> FORWARDERS = EnumSet.of(EVERY_SECOND, EVERY_SECOND_TUNED, EVERY_HUNDREDTH);

    /** As on the command line and in the results. */
    String id() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    static Contestant ofId(String id) {
        return Arrays.stream(values())
                .filter(contestant -> contestant.id().equals(id))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("there is no contestant \"%s\"; there are %s"
                        .formatted(
                                id, Arrays.stream(values()).map(Contestant::id).collect(Collectors.joining(", ")))));
    }

    /**
     * By how much its rounds are shorter, so that a run ends in reasonable time: it is slow by its nature, and its rate is
     * the same all along or, as its stores grow, becomes lower.
     */
    int shorterBy() {
        return this == TEXTBOOK || this == INDEXED ? 5 : 1;
    }
}
