package dev.rollcall.domain.user;

import dev.rollcall.domain.PresenceRules;
import dev.rollcall.session.Sessions;
import dev.rollcall.time.PartitionClock;

/**
 * What the users of one partition share: the rules' constants, the partition's time, and what is known of its
 * shards and their sessions.
 */
public record PartitionScope(PresenceRules rules, PartitionClock clock, Shards shards, Sessions sessions) {

    /** A partition of which nothing is known yet. */
    public PartitionScope(PresenceRules rules) {
        this(rules, new PartitionClock());
    }

    private PartitionScope(PresenceRules rules, PartitionClock clock) {
        this(rules, clock, new Shards(rules), new Sessions(rules.sessions(), clock));
    }
}
