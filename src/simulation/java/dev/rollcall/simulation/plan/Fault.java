package dev.rollcall.simulation.plan;

import dev.rollcall.simulation.time.Chance;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;

/**
 * Something that goes wrong.
 *
 * @param number which of the plan's; it draws the rest
 * @param atMs since the beginning of the run
 * @param lengthMs how long it lasts, where it lasts
 */
public record Fault(int number, Kind kind, long atMs, long lengthMs) {
    /** What can go wrong. */
    public enum Kind {
        KILL_PROCESSOR(8),
        KILL_IN_MIDST(8),
        KILL_AND_WIPE(3),
        STOP_PROCESSOR(6),
        PAUSE_PROCESSOR(8),
        STOP_ALL_PROCESSORS(4),
        MOVE_PARTITIONS(5),
        FAIL_COMMIT(6),
        REPEAT_COMMITS(3),
        PROCESSOR_CLOCK(4),
        STOP_BROKER(6),
        STOP_ALL_BROKERS(2),
        MOVE_LEADERS(5),
        STEP_CLOCK(4),
        LEAP_CLOCK(1),
        DRIFT_CLOCK(3),
        BLOCK_PARTITION(5),
        FOREIGN_TRANSACTION(3),
        GARBAGE(5),
        PAUSE_SHARD(5),
        RESTART_SHARD(6),
        END_SHARD(3),
        ZOMBIE_SHARD(4),
        SILENCE_SHARD(4);

        /** Those that may last for months, where a run is that long: without brokers every day is the same. */
        private static final Set<Kind> LASTING = EnumSet.of(
                KILL_PROCESSOR, KILL_AND_WIPE, STOP_PROCESSOR, STOP_ALL_PROCESSORS, END_SHARD, RESTART_SHARD);

        private final int weight;

        Kind(int weight) {
            this.weight = weight;
        }

        private static Kind draw(Chance chance) {
            int left = 0;
            for (Kind kind : values()) {
                left += kind.weight;
            }
            left = chance.below(left);
            for (Kind kind : values()) {
                left -= kind.weight;
                if (left < 0) {
                    return kind;
                }
            }
            throw new IllegalStateException();
        }
    }

    static Fault draw(long seed, int number, long durationMs, long leaseMs) {
        Chance chance = Chance.of(seed, "fault", number);
        Kind kind = Kind.draw(chance);
        long at = chance.between(1_000, Math.max(1_001, durationMs * 9 / 10));
        long longest = Kind.LASTING.contains(kind) ? Math.max(36_000_000, durationMs / 8) : 36_000_000;
        long length =
                chance.with(0.1) ? chance.magnitude(60_000, longest) : chance.magnitude(200, 4 * leaseMs + 60_000);
        return new Fault(number, kind, at, Math.min(length, Math.max(1_000, durationMs / 8)));
    }

    @Override
    public String toString() {
        return "%s for %.1f s".formatted(kind.name().toLowerCase(Locale.ROOT).replace('_', ' '), lengthMs / 1000.0);
    }
}
