package dev.rollcall.partition;

import dev.rollcall.domain.PresenceUpdate;
import dev.rollcall.domain.UserId;
import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.session.StoredShard;
import java.util.List;

/** Takes what comes of a {@link RebuiltPartition}. */
public interface RebuildResult {
    /** To be stored of a user, and to be published, mostly nothing. */
    void user(UserId user, UserSnapshot snapshot, List<PresenceUpdate> updates);

    /** To be stored of a shard. */
    void shard(String shard, StoredShard stored);
}
