package dev.rollcall.client;

import static dev.rollcall.domain.PresenceState.OFFLINE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.domain.Presence;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.UserId;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class KnownUsersTest {
    private static final UserId ALICE = UserId.of("@alice:example.org");

    private final KnownUsers users = new KnownUsers();

    @Test
    void shouldKeepTheLaterRecordWhenTheUserIsOnTwoPartitions() {
        update(record(ONLINE, 1, 5_000, 15));

        assertThat(record(OFFLINE, 50, 4_999, 3))
                .as("an older instant, a higher sequence")
                .isNull();
        assertThat(record(OFFLINE, 1, 5_000, 3)).as("the same").isNull();
        assertThat(record(OFFLINE, 2, 5_000, 3))
                .as("the same instant, a higher sequence")
                .isNotNull();
        assertThat(record(OFFLINE, 1, 5_001, 3)).as("a later instant").isNotNull();
    }

    @Test
    void shouldGoByTheOrderOfTheLogWhenTheUserStaysOnOnePartition() {
        update(record(ONLINE, 2, 5_000, 3));

        assertThat(record(OFFLINE, 3, 4_000, 3)).as("stamps may step back").isNotNull();
        assertThat(record(OFFLINE, 1, 6_000, 3)).as("forgotten and back").isNotNull();
        assertThat(record(ONLINE, 2, 5_000, 3)).as("written twice").isNull();
    }

    @Test
    void shouldNotComeBackWhenTheUserWasForgottenElsewhereMeanwhile() {
        update(record(ONLINE, 1, 5_000, 15));
        update(Objects.requireNonNull(users.changeOf(ALICE, null, 6_000, 15, 1)));

        assertThat(users.isKnown(ALICE)).isFalse();
        assertThat(record(ONLINE, 50, 4_000, 3)).isNull();
        assertThat(users.changeOf(ALICE, null, 4_000, 3, 1))
                .as("nor be forgotten once more")
                .isNull();
        assertThat(record(ONLINE, 1, 7_000, 3)).isNotNull();
    }

    @Test
    void shouldKeepNothingOfForgottenUsersWhenAllIsRead() {
        for (int i = 0; i < 1_000; i++) {
            UserId user = UserId.of("user" + i);
            users.update(Objects.requireNonNull(users.changeOf(user, presence(ONLINE, 1), 1_000, 0, i)));
            users.update(Objects.requireNonNull(users.changeOf(user, null, 2_000, 0, i)));
        }
        assertThat(users.size()).isEqualTo(1_000);
        users.keepForgotten(false);
        assertThat(users.size()).isZero();

        update(record(ONLINE, 1, 5_000, 0));
        update(Objects.requireNonNull(users.changeOf(ALICE, null, 6_000, 0, 1)));
        assertThat(users.size()).isZero();
    }

    private void update(@Nullable PresenceChange change) {
        users.update(Objects.requireNonNull(change));
    }

    private @Nullable PresenceChange record(PresenceState state, long sequence, long at, int partition) {
        return users.changeOf(ALICE, presence(state, sequence), at, partition, 0);
    }

    private static Presence presence(PresenceState state, long sequence) {
        return new Presence(state, null, null, 0, null, sequence);
    }
}
