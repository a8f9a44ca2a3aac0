package dev.rollcall.topology;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.Decision;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceRules;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.Rejection;
import dev.rollcall.domain.RoutingView;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.partition.PresencePartition;
import dev.rollcall.session.SessionId;
import dev.rollcall.wire.Topics;
import dev.rollcall.wire.stored.StoredSerialization;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is stored of a user with as many devices as can be, and what is told of it, can be written. */
class UserBoundTest {
    private static final int BROKERS_DEFAULT = 1_048_588;
    private static final long NOW = 1_700_000_000_000L;
    private static final UserId ALICE = UserId.of("a".repeat(255));

    private final PresenceRules rules = RollcallConfig.of(
                    Map.of("max.devices.per.user", "10000", "routing.enabled", "true"))
            .rules();

    @ParameterizedTest
    @CsvSource({"20, 1200", "255, 850"})
    void shouldRefuseOneMoreDeviceWhenTheUserWouldBecomeTooLarge(int idLength, int atLeast) {
        PresencePartition presence = new PresencePartition(rules, user -> null);
        presence.tick(NOW);
        presence.status(ALICE, new StatusText("x".repeat(1024), Long.MAX_VALUE - 1), NOW);
        int taken = 0;
        Decision last = Decision.NOTHING;
        for (Decision next = beat(presence, id(0, idLength)); next.rejection() == null; ) {
            last = next;
            taken++;
            next = beat(presence, id(taken, idLength));
        }
        assertThat(taken).isGreaterThan(atLeast).isLessThan(3_000);
        assertThat(beat(presence, id(taken + 1, idLength)).rejection())
                .extracting(Rejection::reason)
                .isEqualTo(Rejection.Reason.TOO_MANY_DEVICES);

        UserSnapshot snapshot = withLongShards(((Decision.StoreWrite.Put) last.write()).snapshot());
        RoutingView view = last.routing().get(0).view();
        assertThat(snapshot.devices()).hasSize(taken);
        int stored = StoredSerialization.userSnapshots().serializer().serialize("", snapshot).length;
        int told = Topics.ofContract().routing().values().serializer().serialize("", view).length;
        assertThat(Math.max(stored, told) + 255)
                .isLessThan(rules.maxUserBytes())
                .isLessThan(BROKERS_DEFAULT * 4 / 5);
    }

    private static Decision beat(PresencePartition presence, String device) {
        Heartbeat heartbeat = new Heartbeat(device, PresenceState.ONLINE, false, OptionalLong.of(86_400_000), null);
        return presence.heartbeat(ALICE, heartbeat, NOW);
    }

    /** As later heartbeats can make it. */
    private static UserSnapshot withLongShards(UserSnapshot snapshot) {
        return new UserSnapshot(
                snapshot.devices().stream()
                        .map(device -> new UserSnapshot.DeviceSnapshot(
                                device.id(),
                                device.state(),
                                device.since(),
                                device.lastRecord(),
                                device.storedRecord(),
                                device.leaseMs(),
                                device.connectionEnded(),
                                device.deadline(),
                                device.heldUntil(),
                                null,
                                new SessionId("s".repeat(255), "t".repeat(255), 0)))
                        .toList(),
                snapshot.status(),
                snapshot.appearOffline(),
                snapshot.emitted(),
                snapshot.lastActive(),
                snapshot.forgettableSince(),
                snapshot.statusAt(),
                snapshot.appearOfflineAt(),
                snapshot.leftOnline(),
                snapshot.leftIdle(),
                snapshot.routingSequence(),
                snapshot.clockAheadMs(),
                snapshot.takenEarly());
    }

    private static String id(int number, int length) {
        return ("%0" + length + "d").formatted(number);
    }
}
