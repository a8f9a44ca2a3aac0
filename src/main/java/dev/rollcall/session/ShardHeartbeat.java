package dev.rollcall.session;

import java.util.OptionalLong;

/**
 * A shard that holds connections was heard from (rule 14).
 *
 * @param session one life of the shard: another one after a restart
 * @param startedAt when the session began, by the shard's clock, in ms since the epoch: says which of two is the later
 * @param leaseMs how long this keeps the session alive, in ms; empty: the default
 * @param ended whether the shard goes in good order
 */
public record ShardHeartbeat(String shard, String session, long startedAt, OptionalLong leaseMs, boolean ended) {}
