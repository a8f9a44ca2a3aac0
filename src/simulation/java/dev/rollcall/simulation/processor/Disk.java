package dev.rollcall.simulation.processor;

import static java.util.Objects.requireNonNull;

import dev.rollcall.topology.PresenceTopology;
import dev.rollcall.topology.Rows;
import java.util.Map;
import java.util.TreeMap;

/** What a machine's processors leave behind: the rows of each partition's stores. */
final class Disk {
    /** For so long state stays that a running process has no task for ({@code state.cleanup.delay.ms}). */
    private static final long CLEANUP_DELAY_MS = 600_000;

    record Stores(Rows users, Rows shards) {}

    private final Map<Integer, Stores> stores = new TreeMap<>();
    private final Map<Integer, Long> leftAt = new TreeMap<>();

    /** As Kafka Streams does under exactly-once: what was closed cleanly is brought up to date, all else begins anew. */
    Stores restored(Deployment deployment, int partition, long startedAt) {
        cleanUp(startedAt, deployment.time().millis());
        leftAt.remove(partition);
        Stores left = stores.remove(partition);
        Rows users = left == null ? new Rows(PresenceTopology.USERS) : left.users;
        Rows shards = left == null ? new Rows(PresenceTopology.SHARDS) : left.shards;
        Long usersOffset = users.takeOffset();
        Long shardsOffset = shards.takeOffset();
        if (usersOffset == null || shardsOffset == null) {
            users = new Rows(PresenceTopology.USERS);
            shards = new Rows(PresenceTopology.SHARDS);
            usersOffset = 0L;
            shardsOffset = 0L;
        }
        deployment.users(partition).restore(users, usersOffset);
        deployment.shards(partition).restore(shards, shardsOffset);
        Stores whole = new Stores(users, shards);
        stores.put(partition, whole);
        return whole;
    }

    Stores of(int partition) {
        return requireNonNull(stores.get(partition), "the partition's stores are not here");
    }

    /** The process has no task for it any more. */
    void left(int partition, long now) {
        leftAt.put(partition, now);
    }

    /**
     * As a process does all the time that it runs.
     *
     * @param startedAt when it was started, in ms
     */
    void cleanUp(long startedAt, long now) {
        leftAt.forEach((partition, left) -> {
            if (now - Math.max(startedAt, left) > CLEANUP_DELAY_MS) {
                stores.remove(partition);
            }
        });
    }

    void wipe() {
        stores.clear();
    }
}
