package dev.rollcall.topology;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.wire.CarriedHeartbeat;
import dev.rollcall.wire.Inbound;
import java.util.OptionalLong;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A heartbeat in a header of a text: one record, and so one change that others see. */
class CarriedHeartbeatTest {
    private static final UserId ALICE = UserId.of("@alice:example.org");

    private final TopologyContext rollcall = new TopologyContext(RollcallConfig.defaults());

    @AfterEach
    void close() {
        rollcall.close();
    }

    @Test
    void shouldEmitTextAndStateAsOneChange() {
        both("here", PresenceState.ONLINE, new RecordHeaders());
        both("at lunch", PresenceState.IDLE, new RecordHeaders());
        both("still at lunch", PresenceState.IDLE, new RecordHeaders());
        both("still at lunch", PresenceState.ONLINE, new RecordHeaders());
        both("still at lunch", PresenceState.ONLINE, new RecordHeaders());

        assertThat(rollcall.emitted())
                .extracting(emitted -> emitted.presence().sequence() + " "
                        + emitted.presence().state() + " " + emitted.presence().status())
                .containsExactly(
                        "1 ONLINE here", "2 IDLE at lunch", "3 IDLE still at lunch", "4 ONLINE still at lunch");
    }

    @Test
    void shouldLetTheDeviceEndWithItsLease() {
        rollcall.heartbeat(
                UserId.of("@bob:example.org"),
                new Heartbeat("phone", null, false, OptionalLong.of(3_600_000), null),
                rollcall.now());
        rollcall.passTo(rollcall.now() + 5_000); // the partition's time goes on already
        long time = rollcall.now();
        both("here", PresenceState.ONLINE, new RecordHeaders());
        rollcall.passTo(time + 31_000);

        assertThat(rollcall.emitted()).last().satisfies(emitted -> {
            assertThat(emitted.presence().state()).isEqualTo(PresenceState.OFFLINE);
            assertThat(emitted.presence().since()).isEqualTo(time + 30_000);
            assertThat(emitted.presence().status()).isEqualTo("here");
        });
    }

    @Test
    void shouldEmitNothingOfTheStateWhileTheUserIsHidden() {
        rollcall.appearOffline(ALICE, true, rollcall.now());
        both("here", PresenceState.ONLINE, new RecordHeaders());

        assertThat(rollcall.emitted())
                .singleElement()
                .satisfies(emitted -> assertThat(emitted.presence().state()).isEqualTo(PresenceState.OFFLINE));
    }

    @Test
    void shouldTakeBothWhenTheRecordWasMisrouted() {
        both("here", PresenceState.ONLINE, Rerouting.mark(new RecordHeaders(), rollcall.now()));

        assertThat(rollcall.emitted()).last().satisfies(emitted -> {
            assertThat(emitted.presence().state()).isEqualTo(PresenceState.ONLINE);
            assertThat(emitted.presence().status()).isEqualTo("here");
        });
    }

    @Test
    void shouldRefuseTheWholeRecordWhenTheHeartbeatCannotBeUsed() {
        byte[] text = rollcall.bytes(new Inbound.Status(new StatusText("here", null)));
        byte[] tick = rollcall.bytes(new Inbound.ClockTick("somebody"));
        for (byte[] wrong : new byte[][] {{1, 2, 3}, text, tick, null}) {
            Headers headers = new RecordHeaders().add(CarriedHeartbeat.HEADER, wrong);
            rollcall.send(rollcall.topics().statuses().name(), ALICE.bytes(), text, rollcall.now(), headers);
        }

        assertThat(rollcall.emitted()).isEmpty();
        assertThat(rollcall.readBytes(rollcall.topics().deadLetters().name())).hasSize(4);
    }

    private void both(String text, PresenceState state, Headers headers) {
        Heartbeat heartbeat = new Heartbeat("phone", state, false, OptionalLong.empty(), null);
        headers.add(CarriedHeartbeat.HEADER, rollcall.bytes(new Inbound.Beat(heartbeat)));
        byte[] status = rollcall.bytes(new Inbound.Status(new StatusText(text, null)));
        rollcall.send(rollcall.topics().statuses().name(), ALICE.bytes(), status, rollcall.now(), headers);
    }
}
