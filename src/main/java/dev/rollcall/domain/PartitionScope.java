package dev.rollcall.domain;

import dev.rollcall.time.PartitionClock;

/** What the users of one partition share: the rules' constants, the partition's time, and what is known of its shards. */
public record PartitionScope(PresenceRules rules, PartitionClock clock, Shards shards) {

    /** A partition of which nothing is known yet. */
    public PartitionScope(PresenceRules rules) {
        this(rules, new PartitionClock(), new Shards(rules));
    }
}
