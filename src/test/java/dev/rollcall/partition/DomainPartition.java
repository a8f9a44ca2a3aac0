package dev.rollcall.partition;

import dev.rollcall.domain.Decision;
import dev.rollcall.domain.Decision.StoreWrite;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceRules;
import dev.rollcall.domain.Rejection.Reason;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.session.ShardHeartbeat;
import dev.rollcall.session.StoredShard;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The domain alone: a {@link PresencePartition}, whose decisions are carried out on a map. */
final class DomainPartition implements Partition {
    private final PresenceRules rules;
    private final Map<UserId, UserSnapshot> stored = new HashMap<>();
    private final Map<String, StoredShard> storedShards = new HashMap<>();
    private final List<Emitted> emitted = new ArrayList<>();
    private PresencePartition presence;
    private @Nullable Reason rejection;

    DomainPartition(PresenceRules rules) {
        this.rules = rules;
        this.presence = new PresencePartition(rules, stored::get);
    }

    PresencePartition presence() {
        return presence;
    }

    @Override
    public void heartbeat(UserId user, Heartbeat heartbeat, long at) {
        carryOut(user, presence.heartbeat(user, heartbeat, at));
    }

    @Override
    public void shardHeartbeat(ShardHeartbeat heartbeat, long at) {
        presence.shardHeartbeat(heartbeat, at);
        storeShards();
    }

    private void storeShards() {
        presence.drainShards((shard, stored) -> {
            if (stored == null) {
                storedShards.remove(shard);
            } else {
                storedShards.put(shard, stored);
            }
        });
    }

    @Override
    public void stampedHeartbeat(UserId user, Heartbeat heartbeat, long stamp) {
        heartbeat(user, heartbeat, stamp);
    }

    @Override
    public void stampedTick(long stamp) {
        tick(stamp);
    }

    @Override
    public void misroutedHeartbeat(UserId user, Heartbeat heartbeat, long first, long at) {
        carryOut(user, presence.misroutedHeartbeat(user, heartbeat, first, at, null));
    }

    @Override
    public void status(UserId user, StatusText status, long at) {
        carryOut(user, presence.status(user, status, at));
    }

    @Override
    public void misroutedStatus(UserId user, StatusText status, long first, long at) {
        carryOut(user, presence.misroutedStatus(user, status, first, at));
    }

    @Override
    public void appearOffline(UserId user, boolean on, long at) {
        carryOut(user, presence.appearOffline(user, on, at));
    }

    @Override
    public void misroutedAppearOffline(UserId user, boolean on, long first, long at) {
        carryOut(user, presence.misroutedAppearOffline(user, on, first, at));
    }

    @Override
    public void tick(long at) {
        presence.tick(at);
        storeShards();
        presence.sweep(this::carryOut);
    }

    @Override
    public void review(UserId user) {
        carryOut(user, presence.review(user));
    }

    @Override
    public void restart() {
        presence = new PresencePartition(rules, stored::get);
        Map.copyOf(storedShards).forEach(presence::restoreShard);
        Map.copyOf(stored).forEach(presence::restore);
    }

    @Override
    public List<Emitted> emitted() {
        List<Emitted> all = List.copyOf(emitted);
        emitted.clear();
        return all;
    }

    @Override
    public @Nullable Reason rejection() {
        return rejection;
    }

    @Override
    public @Nullable UserSnapshot stored(UserId user) {
        return stored.get(user);
    }

    @Override
    public void close() {}

    private void carryOut(UserId user, Decision decision) {
        rejection = decision.rejection() == null ? null : decision.rejection().reason();
        decision.updates().forEach(update -> emitted.add(new Emitted(user, update)));
        if (decision.write() instanceof StoreWrite.Put put) {
            stored.put(user, put.snapshot());
        } else if (decision.write() instanceof StoreWrite.Delete) {
            stored.remove(user);
        }
    }
}
