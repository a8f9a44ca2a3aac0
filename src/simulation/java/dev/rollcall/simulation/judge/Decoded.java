package dev.rollcall.simulation.judge;

import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What an input record says, or why it says nothing (rule 12). */
sealed interface Decoded {

    /** {@code lease} 0: none named. {@code shard} and {@code session} null: not named. */
    record Heartbeat(
            String device,
            @Nullable State state,
            boolean closed,
            long lease,
            @Nullable String shard,
            @Nullable String session)
            implements Decoded {}

    /** A {@code ShardHeartbeat}; {@code lease} 0: none named. */
    record ShardBeat(String shard, String session, long startedAt, long lease, boolean ended) implements Decoded {}

    /** A {@code ClockPulse}. */
    record Tick() implements Decoded {}

    /** A status text; {@code text} null or empty: cleared. {@code expiresAt} {@link Long#MAX_VALUE}: never. */
    record Text(@Nullable String text, long expiresAt) implements Decoded {}

    /** The flag of rule 9. */
    record Flag(boolean hidden) implements Decoded {}

    /** Bad input, with every reason that applies: rules.md does not say which one of several is given. */
    record Bad(Set<String> reasons) implements Decoded {}
}
