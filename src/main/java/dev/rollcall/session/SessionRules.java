package dev.rollcall.session;

/**
 * The constants of rule 14, in ms. Their defaults are in {@code config/rollcall.properties}.
 *
 * @param leaseMs how long a {@link ShardHeartbeat} that names no lease keeps its session alive
 * @param holdMs how long the devices of a silent session are held beyond its end
 * @param resumeMs how long those of a session that ended otherwise are
 */
public record SessionRules(long leaseMs, long holdMs, long resumeMs) {}
