package dev.rollcall.session;

/**
 * Names a session on one partition.
 *
 * @param life 0, and one more each time that the session was heard again after its silence had ended its devices
 */
public record SessionId(String shard, String session, int life) {}
