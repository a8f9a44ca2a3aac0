package dev.rollcall.domain;

import org.jspecify.annotations.Nullable;

/** The stored snapshot of users, as the domain sees them. */
@FunctionalInterface
public interface StoredUsers {
    /** The snapshot of a user; null: nothing is stored of them. */
    @Nullable
    UserSnapshot find(UserId user);
}
