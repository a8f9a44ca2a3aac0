package dev.rollcall.session;

import java.util.List;

/**
 * What of a shard's sessions has to survive a crash. Times in ms, of the partition's clock.
 *
 * @param lastHeard when the shard was last heard, as of the last write
 * @param clockAheadMs by how much the partition's time was ahead of the stamps then
 * @param sessions the latest that was heard is the first
 */
public record StoredShard(long lastHeard, long clockAheadMs, List<StoredSession> sessions) {
    /**
     * One session.
     *
     * @param startedAt when it began, by the shard's clock
     * @param endsAt see {@link Session#endsAt}; of one that is alive, as of the last write
     * @param heldUntil see {@link Session#heldUntil}
     */
    public record StoredSession(
            String session, int life, Session.State state, long startedAt, long leaseMs, long endsAt, long heldUntil) {}
}
