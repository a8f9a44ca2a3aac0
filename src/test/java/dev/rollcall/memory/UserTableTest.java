package dev.rollcall.memory;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.domain.UserId;
import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.domain.user.PartitionScope;
import dev.rollcall.domain.user.User;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Users come and go at random, beside a map that says who must be found where. */
class UserTableTest {
    private static final PartitionScope SCOPE = new PartitionScope(RandomUsers.RULES);

    private static final UserCodec CODEC = new UserCodec(RandomUsers.SESSIONS);

    private final UserTable users = new UserTable();

    @ParameterizedTest
    @ValueSource(ints = {20, 1_000, 30_000})
    void shouldFindWhoIsInAndNobodyElseWhenUsersComeAndGo(int names) {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        Map<UserId, Integer> slots = new HashMap<>();
        for (int step = 0; step < 100_000; step++) {
            UserId id = UserId.of("@user" + random.nextInt(names));
            Integer slot = slots.get(id);
            assertThat(users.find(id))
                    .as("%s in step %d, seed %d", id, step, seed)
                    .isEqualTo(slot == null ? UserTable.NO_SLOT : slot);
            if (slot == null) {
                slots.put(id, add(id));
                assertThat(users.at(slots.get(id)).id()).isEqualTo(id);
            } else if (random.nextBoolean()) {
                users.remove(slot, id);
                slots.remove(id);
                assertThat(users.isTaken(slot)).isFalse();
            }
            assertThat(users.size()).isEqualTo(slots.size());
            if (step % 50 == 0) {
                users.prefetch(List.of(id, UserId.of("@user" + random.nextInt(names)), UserId.of("nobody")));
            }
        }
        Set<Integer> visited = new HashSet<>();
        users.forEachSlot(visited::add);
        assertThat(visited).isEqualTo(new HashSet<>(slots.values()));
    }

    @Test
    void shouldUseAFreeSlotAgainWhenAnotherComes() {
        UserId alice = UserId.of("alice");
        int slot = add(alice);
        users.remove(slot, alice);
        assertThat(add(UserId.of("bob"))).isEqualTo(slot);
    }

    private int add(UserId id) {
        return users.add(id, CODEC.pack(id, new User(id, UserSnapshot.EMPTY, SCOPE).snapshot(), Deadlines.NONE, false));
    }
}
