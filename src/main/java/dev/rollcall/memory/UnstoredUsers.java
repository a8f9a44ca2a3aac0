package dev.rollcall.memory;

import dev.rollcall.domain.UserId;
import dev.rollcall.domain.UserSnapshot;
import java.util.function.BiConsumer;

/**
 * The users in memory of whom something was decided that is not in the local store: it is in the changelog, and written here
 * when they leave, or the partition does.
 */
public interface UnstoredUsers {
    boolean contains(UserId user);

    /** Of one who is in here. */
    UserSnapshot get(UserId user);

    void forEach(BiConsumer<UserId, UserSnapshot> consumer);

    /** All of them have been stored. */
    void stored();
}
