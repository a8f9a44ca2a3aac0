package dev.rollcall.partition;

import dev.rollcall.domain.UserId;
import dev.rollcall.domain.UserSnapshot;
import org.jspecify.annotations.Nullable;

/** The partition's store of users, for reading. */
@FunctionalInterface
public interface StoredUsers {
    /** Null: nothing is stored of the user. */
    @Nullable
    UserSnapshot find(UserId user);
}
