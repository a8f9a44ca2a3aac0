package dev.rollcall.chaos.check;

import java.util.List;

/**
 * What the checker found.
 *
 * @param undecided users for whom there are too many ways in which the logs may have been read: neither right nor wrong
 * @param expiries each expiry that changed what was emitted, of the users without a violation
 */
public record Verdict(
        List<Violation> violations,
        List<String> undecided,
        int users,
        long heartbeats,
        long shardHeartbeats,
        long ticks,
        long texts,
        long flags,
        long emitted,
        long unusable,
        List<Expiry> expiries) {

    public boolean isClean() {
        return violations.isEmpty() && undecided.isEmpty();
    }
}
