package dev.rollcall.gateway;

import dev.rollcall.domain.Presence;
import dev.rollcall.domain.UserId;
import java.util.Optional;

/** Which instance owns a user's partition, and what this instance has stored of the users that it owns. */
public interface PartitionOwners {
    /** The {@code host:port} of an instance's HTTP server. */
    record Address(String host, int port) {}

    /** This instance's own address, in the form in which {@link #ownerOf} returns it. */
    Address self();

    /**
     * The instance that owns the user's partition.
     *
     * @throws UnavailableException while the partition has no owner, as during a rebalance
     */
    Address ownerOf(UserId user);

    /**
     * The presence that was last emitted for a user that this instance owns; empty if there is none.
     *
     * @throws UnavailableException if this instance does not own the user, or is still restoring its state
     */
    Optional<Presence> emitted(UserId user);
}
