package dev.rollcall.simulate;

import dev.rollcall.client.PresencePublisher;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.simulate.Plan.Event;
import dev.rollcall.wire.Topics;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** The simulated shards that hold connections: a publisher for each life of one. For one thread at a time. */
final class ConnectedShards implements AutoCloseable {
    private static final Duration TIMEOUT = Duration.ofSeconds(2);

    /** One life of a shard, by the plan's name for it. */
    private record Life(String name, PresencePublisher publisher) {}

    private final Topics topics;
    private final Map<String, ?> settings;
    private final Map<String, Life> byShard = new HashMap<>();

    ConnectedShards(Topics topics, Map<String, ?> settings) {
        this.topics = topics;
        this.settings = settings;
    }

    /** Sends what a connection does: see {@link Plan}. */
    CompletableFuture<Void> send(Event event, Heartbeat heartbeat) {
        String shard = Objects.requireNonNull(heartbeat.shard());
        PresencePublisher publisher = publisher(shard, Objects.requireNonNull(heartbeat.session()));
        @Nullable PresenceState state = heartbeat.state();
        if (heartbeat.connectionEnded() || state == null) {
            return publisher.closed(event.user(), heartbeat.deviceId());
        }
        return event.opens()
                ? publisher.opened(event.user(), heartbeat.deviceId(), state)
                : publisher.state(event.user(), heartbeat.deviceId(), state);
    }

    private PresencePublisher publisher(String shard, String life) {
        Life present = byShard.get(shard);
        if (present == null || !present.name.equals(life)) {
            if (present != null) {
                present.publisher.handOver(TIMEOUT);
            }
            present = new Life(
                    life, PresencePublisher.forShard(shard).topics(topics).start(settings));
            byShard.put(shard, present);
        }
        return present.publisher;
    }

    /** Stops the shards that are down, as for a restart. */
    void stop(Predicate<String> isDown) {
        byShard.entrySet().removeIf(shard -> {
            if (isDown.test(shard.getKey())) {
                shard.getValue().publisher.handOver(TIMEOUT);
                return true;
            }
            return false;
        });
    }

    /** All shards go for good. */
    @Override
    public void close() {
        byShard.values().forEach(life -> life.publisher.close(TIMEOUT));
        byShard.clear();
    }
}
