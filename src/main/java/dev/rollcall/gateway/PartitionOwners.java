package dev.rollcall.gateway;

import dev.rollcall.domain.PresenceUpdate.Presence;
import dev.rollcall.domain.UserId;
import java.util.Optional;

/** Which instance has which user, and what this one has stored. */
public interface PartitionOwners {
    /** Where an instance answers. */
    record Address(String host, int port) {}

    /** This instance, as others know it. */
    Address self();

    /**
     * Who owns the user.
     *
     * @throws UnavailableException while nobody does
     */
    Address ownerOf(UserId user);

    /**
     * What was last said of a user that this instance owns; empty: nothing.
     *
     * @throws UnavailableException if it does not own the user, or is still restoring
     */
    Optional<Presence> emitted(UserId user);
}
