package dev.rollcall.domain;

import org.jspecify.annotations.Nullable;

/** The stored facts of users, as the domain sees them. */
@FunctionalInterface
public interface UserArchive {
    /** The facts of a user; null: nothing is stored of them. */
    @Nullable
    UserFacts find(UserId user);
}
