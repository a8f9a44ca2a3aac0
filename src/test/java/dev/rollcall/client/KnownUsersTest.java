package dev.rollcall.client;

import static dev.rollcall.domain.PresenceState.OFFLINE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.PresenceUpdate.Presence;
import dev.rollcall.domain.UserId;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class KnownUsersTest {
    private static final UserId ALICE = UserId.of("@alice:example.org");

    private final KnownUsers users = new KnownUsers();

    @Test
    void shouldKeepTheLaterWordWhenTheUserIsOnTwoPartitions() {
        took(word(ONLINE, 1, 5_000, 15));

        assertThat(word(OFFLINE, 50, 4_999, 3))
                .as("an older instant, a higher sequence")
                .isNull();
        assertThat(word(OFFLINE, 1, 5_000, 3)).as("the same").isNull();
        assertThat(word(OFFLINE, 2, 5_000, 3))
                .as("the same instant, a higher sequence")
                .isNotNull();
        assertThat(word(OFFLINE, 1, 5_001, 3)).as("a later instant").isNotNull();
    }

    @Test
    void shouldGoByTheLogWhenTheUserStaysOnOnePartition() {
        took(word(ONLINE, 2, 5_000, 3));

        assertThat(word(OFFLINE, 3, 4_000, 3)).as("stamps may step back").isNotNull();
        assertThat(word(OFFLINE, 1, 6_000, 3)).as("a new life").isNotNull();
        assertThat(word(ONLINE, 2, 5_000, 3)).as("written twice").isNull();
    }

    @Test
    void shouldNotComeBackWhenTheUserWasForgottenElsewhereMeanwhile() {
        took(word(ONLINE, 1, 5_000, 15));
        took(Objects.requireNonNull(users.changeOf(ALICE, null, 6_000, 15, 1)));

        assertThat(users.isKnown(ALICE)).isFalse();
        assertThat(word(ONLINE, 50, 4_000, 3)).isNull();
        assertThat(users.changeOf(ALICE, null, 4_000, 3, 1))
                .as("nor be forgotten once more")
                .isNull();
        assertThat(word(ONLINE, 1, 7_000, 3)).isNotNull();
    }

    @Test
    void shouldKeepNothingOfThoseWhoWereForgottenWhenAllIsRead() {
        for (int i = 0; i < 1_000; i++) {
            UserId user = UserId.of("user" + i);
            users.took(Objects.requireNonNull(users.changeOf(user, presence(ONLINE, 1), 1_000, 0, i)));
            users.took(Objects.requireNonNull(users.changeOf(user, null, 2_000, 0, i)));
        }
        assertThat(users.size()).isEqualTo(1_000);
        users.olderMayCome(false);
        assertThat(users.size()).isZero();

        took(word(ONLINE, 1, 5_000, 0));
        took(Objects.requireNonNull(users.changeOf(ALICE, null, 6_000, 0, 1)));
        assertThat(users.size()).isZero();
    }

    private void took(@Nullable PresenceChange change) {
        users.took(Objects.requireNonNull(change));
    }

    private @Nullable PresenceChange word(PresenceState state, long sequence, long at, int partition) {
        return users.changeOf(ALICE, presence(state, sequence), at, partition, 0);
    }

    private static Presence presence(PresenceState state, long sequence) {
        return new Presence(state, null, null, 0, null, sequence, 0);
    }
}
