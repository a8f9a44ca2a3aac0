package dev.rollcall.partition;

import static dev.rollcall.domain.PresenceState.IDLE;
import static dev.rollcall.domain.PresenceState.OFFLINE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.PresenceRules;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.PresenceUpdate;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.domain.UserSnapshot.DeviceSnapshot;
import dev.rollcall.session.StoredShard;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What is left decides what is stored, and only what has changed is published. Times in ms. */
class RebuiltPartitionTest {
    private static final PresenceRules RULES = RollcallConfig.defaults().rules();
    private static final UserId ALICE = UserId.of("@alice:example.org");
    private static final long HOLD = 5_000;

    private final Map<UserId, UserSnapshot> stored = new HashMap<>();
    private final Map<UserId, List<PresenceUpdate>> updates = new HashMap<>();

    @Test
    void shouldGoOnWithTheSequenceAndPublishNothingWhenNothingHasChanged() {
        RebuiltPartition rebuilt = whole();
        rebuilt.published(ALICE, presence(IDLE, "here", 1_000, 7), 2_000);
        rebuilt.text(ALICE, new StatusText("here", 9_999_999L), 2_000, false);
        rebuilt.heartbeat(ALICE, beat("phone", IDLE), 1_000);
        rebuilt.clockTick(3_000);

        assertThat(finish(rebuilt)).isEqualTo(new RebuildCounts(1, 0, 1, 1, 0, 0, 0));
        UserSnapshot alice = alice();
        assertThat(updates.get(ALICE)).isEmpty();
        assertThat(alice.emitted()).isEqualTo(new UserSnapshot.Emitted(IDLE, 1_000, 2_000, 7));
        assertThat(alice.status()).isEqualTo(new StatusText("here", 9_999_999L));
        assertThat(alice.statusAt()).isEqualTo(2_000);
        assertThat(alice.devices()).singleElement().satisfies(device -> {
            assertThat(device.state()).isEqualTo(IDLE);
            assertThat(device.deadline()).isEqualTo(31_000);
        });
    }

    @Test
    void shouldHideAtOnceAndShowNothingOfTheDevicesWhenTheFlagIsNewerThanTheOutput() {
        RebuiltPartition rebuilt = whole();
        rebuilt.published(ALICE, presence(ONLINE, null, 1_000, 1), 1_000);
        rebuilt.appearOffline(ALICE, true, 5_000, false);
        rebuilt.heartbeat(ALICE, beat("phone", ONLINE), 1_000);
        rebuilt.heartbeat(ALICE, beat("phone", IDLE), 6_000);
        rebuilt.text(ALICE, new StatusText("text", null), 7_000, false);

        finish(rebuilt);
        assertThat(updates.get(ALICE)).hasSize(2);
        assertThat(presence(0)).isEqualTo(new Presence(OFFLINE, ONLINE, null, 5_000, 900L, 2));
        assertThat(presence(1)).isEqualTo(new Presence(OFFLINE, OFFLINE, "text", 5_000, 900L, 3));
        assertThat(alice().appearOffline()).isTrue();
        assertThat(alice().appearOfflineAt()).isEqualTo(5_000);
    }

    @Test
    void shouldHoldTheStateWhenNoHeartbeatSaysByWhichDevice() {
        RebuiltPartition rebuilt = new RebuiltPartition(RULES, HOLD, false);
        rebuilt.published(ALICE, presence(IDLE, null, 1_000, 3), 1_000);
        rebuilt.clockTick(9_000_000);

        assertThat(finish(rebuilt).held()).isEqualTo(1);
        assertThat(updates.get(ALICE)).isEmpty();
        DeviceSnapshot device = alice().devices().get(0);
        assertThat(device.id()).isEqualTo(RebuiltPartition.UNKNOWN_DEVICE);
        assertThat(device.state()).isEqualTo(IDLE);
        assertThat(device.leaseMs()).isEqualTo(HOLD);

        // As the processor takes it up: a lease from the first record on, then OFFLINE.
        PresencePartition processor = new PresencePartition(RULES, user -> alice());
        processor.restore(ALICE, alice());
        List<PresenceUpdate> published = new ArrayList<>();
        processor.tick(10_000_000);
        processor.sweep((user, decision) -> published.addAll(decision.updates()));
        assertThat(published).isEmpty();
        for (long ms = 1_000; ms <= HOLD; ms += 1_000) { // else it would be a silence of the log
            processor.tick(10_000_000 + ms);
        }
        processor.sweep((user, decision) -> published.addAll(decision.updates()));
        assertThat(published)
                .extracting(PresenceUpdate::presence)
                .containsExactly(new Presence(OFFLINE, IDLE, null, 10_000_000 + HOLD, 900L, 4));
    }

    @Test
    void shouldTakeThePublishedStateWhenADevicesOwnIsFromBeforeTheLog() {
        RebuiltPartition rebuilt = new RebuiltPartition(RULES, HOLD, false);
        rebuilt.published(ALICE, presence(IDLE, null, 1_000, 3), 1_000);
        rebuilt.heartbeat(ALICE, beat("phone", null), 5_000_000);

        assertThat(finish(rebuilt).guessed()).isEqualTo(1);
        assertThat(updates.get(ALICE)).isEmpty();
        assertThat(alice().devices()).singleElement().satisfies(device -> {
            assertThat(device.id()).isEqualTo("phone");
            assertThat(device.state()).isEqualTo(IDLE);
        });
    }

    @Test
    void shouldBeOnlineWhenTheDeviceIsKnownToHaveBeenAway() {
        RebuiltPartition rebuilt = new RebuiltPartition(RULES, HOLD, false);
        rebuilt.published(ALICE, presence(IDLE, null, 1_000, 3), 1_000);
        rebuilt.clockTick(5_000_000);
        rebuilt.heartbeat(ALICE, beat("phone", null), 6_000_000);

        assertThat(finish(rebuilt).guessed()).isZero();
        assertThat(presence(0)).isEqualTo(new Presence(ONLINE, IDLE, null, 6_000_000, 6_000_000L, 4));
    }

    @Test
    void shouldForgetFromWhenItWasPublishedWhenAUserIsOffline() {
        RebuiltPartition rebuilt = whole();
        rebuilt.published(ALICE, presence(OFFLINE, null, 1_000, 2), 1_000);
        rebuilt.clockTick(9_000);

        finish(rebuilt);
        assertThat(updates.get(ALICE)).isEmpty();
        assertThat(alice().forgettableSince()).isEqualTo(1_000);
    }

    @Test
    void shouldStoreNothingWhenTheUserWasForgotten() {
        RebuiltPartition rebuilt = whole();
        rebuilt.published(ALICE, presence(OFFLINE, null, 1_000, 2), 1_000);
        rebuilt.published(ALICE, null, 2_000);

        assertThat(finish(rebuilt).users()).isZero();
        assertThat(stored).isEmpty();
    }

    @Test
    void shouldEndTheTextWhenItsTimeIsOver() {
        RebuiltPartition rebuilt = whole();
        rebuilt.published(ALICE, presence(OFFLINE, "lunch", 1_000, 2), 1_000);
        rebuilt.text(ALICE, new StatusText("lunch", 5_000L), 1_000, false);
        rebuilt.clockTick(9_000);

        finish(rebuilt);
        assertThat(presence(0).status()).isNull();
        assertThat(presence(0).sequence()).isEqualTo(3);
    }

    @Test
    void shouldTakeTheLastTextOfTheLogButNoOlderOneThatWasMisrouted() {
        RebuiltPartition rebuilt = whole();
        rebuilt.text(ALICE, new StatusText("one", null), 5_000, false);
        rebuilt.text(ALICE, new StatusText("two", null), 4_900, false); // stamps stepped back
        rebuilt.text(ALICE, new StatusText("old", null), 3_000, true);

        finish(rebuilt);
        assertThat(presence(0)).isEqualTo(new Presence(OFFLINE, null, "two", 5_000, null, 1));
    }

    @Test
    void shouldTellNothingOfWhenTheUserWasHiddenWhenShownAgain() {
        RebuiltPartition rebuilt = whole();
        rebuilt.published(ALICE, presence(OFFLINE, null, 1_000, 2), 1_000);
        rebuilt.appearOffline(ALICE, false, 8_000, false);
        rebuilt.heartbeat(ALICE, beat("phone", ONLINE), 4_000);

        finish(rebuilt);
        assertThat(presence(0)).isEqualTo(new Presence(ONLINE, OFFLINE, null, 8_000, 900L, 3));
    }

    private static RebuiltPartition whole() {
        return new RebuiltPartition(RULES, HOLD, true);
    }

    private RebuildCounts finish(RebuiltPartition rebuilt) {
        return rebuilt.finish(new RebuildResult() {
            @Override
            public void user(UserId user, UserSnapshot snapshot, List<PresenceUpdate> all) {
                stored.put(user, snapshot);
                updates.put(user, all);
            }

            @Override
            public void shard(String shard, StoredShard one) {
                throw new AssertionError("there is no shard");
            }
        });
    }

    private UserSnapshot alice() {
        return Objects.requireNonNull(stored.get(ALICE));
    }

    private Presence presence(int number) {
        return Objects.requireNonNull(
                Objects.requireNonNull(updates.get(ALICE)).get(number).presence());
    }

    private static Presence presence(PresenceState state, @Nullable String text, long since, long sequence) {
        return new Presence(state, null, text, since, 900L, sequence);
    }

    private static Heartbeat beat(String device, @Nullable PresenceState state) {
        return new Heartbeat(device, state, false, OptionalLong.empty(), null);
    }
}
