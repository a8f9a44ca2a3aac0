package dev.rollcall.client;

import static dev.rollcall.domain.PresenceState.IDLE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.rollcall.client.HeartbeatThrottle.Verdict;
import dev.rollcall.domain.PresenceState;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HeartbeatThrottleTest {
    private static final long START = 1_000_000;
    private static final long INTERVAL = 10_000;
    private static final long PHASE = 3_000;

    private final HeartbeatThrottle throttle = new HeartbeatThrottle(INTERVAL, PHASE);

    @Test
    void shouldSendAtOnceWhenItIsTheFirst() {
        assertThat(throttle.heard(null, START)).isEqualTo(Verdict.CHANGE);
    }

    @ParameterizedTest
    @CsvSource({"0, TOO_SOON", "1, TOO_SOON", "2999, TOO_SOON", "3000, DUE", "3001, DUE", "1000000, DUE"})
    void shouldSendFromThePhaseOnWhenItIsTheSecond(long after, Verdict verdict) {
        throttle.heard(ONLINE, START);

        assertThat(throttle.heard(ONLINE, START + after)).isEqualTo(verdict);
    }

    @ParameterizedTest
    @CsvSource({"0, TOO_SOON", "1, TOO_SOON", "9999, TOO_SOON", "10000, DUE", "10001, DUE", "1000000, DUE"})
    void shouldSendOnceInAnIntervalWhenNothingChanges(long after, Verdict verdict) {
        throttle.heard(ONLINE, START);
        long sent = START + PHASE + 77;
        throttle.heard(null, sent);

        assertThat(throttle.heard(null, sent + after)).isEqualTo(verdict);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 2_999, 3_000, 3_001, 13_000})
    void shouldSendAtOnceWhenTheStateChanges(long after) {
        throttle.heard(ONLINE, START);

        assertThat(throttle.heard(IDLE, START + after)).isEqualTo(Verdict.CHANGE);
        assertThat(throttle.heard(ONLINE, START + after)).isEqualTo(Verdict.CHANGE);
    }

    @Test
    void shouldSendAtOnceWhenTheStateIsNamedForTheFirstTime() {
        throttle.heard(null, START);

        assertThat(throttle.heard(ONLINE, START + 1)).isEqualTo(Verdict.CHANGE);
        assertThat(throttle.heard(ONLINE, START + 2)).isEqualTo(Verdict.TOO_SOON);
    }

    @Test
    void shouldKeepTheStateWhenNoneIsNamed() {
        throttle.heard(IDLE, START);
        throttle.heard(null, START + 1);

        assertThat(throttle.state()).isEqualTo(IDLE);
        assertThat(throttle.heard(IDLE, START + 2)).isEqualTo(Verdict.TOO_SOON);
    }

    @Test
    void shouldKeepItsPhaseWhenTheStateChanges() {
        throttle.heard(ONLINE, START);
        throttle.heard(IDLE, START + PHASE - 1);

        assertThat(throttle.due()).isEqualTo(START + PHASE);
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, 0, INTERVAL + 1})
    void shouldRefuseWhenThePhaseIsOutsideTheInterval(long phase) {
        assertThatIllegalArgumentException().isThrownBy(() -> new HeartbeatThrottle(INTERVAL, phase));
    }

    @Test
    void shouldNeverDelayAChangeNorRepeatTooSoonWhenAnythingIsHeard() {
        long seed = System.nanoTime();
        System.out.println("HeartbeatThrottleTest seed " + seed);
        Random random = new Random(seed);
        PresenceState[] states = {null, PresenceState.OFFLINE, IDLE, ONLINE};
        for (int run = 0; run < 200; run++) {
            HeartbeatThrottle device = new HeartbeatThrottle(INTERVAL, 1 + random.nextInt((int) INTERVAL));
            long now = random.nextInt();
            PresenceState emitted = states[random.nextInt(4)];
            assertThat(device.heard(emitted, now)).isEqualTo(Verdict.CHANGE);
            long lastUnchanged = Long.MIN_VALUE / 2;
            for (int i = 0; i < 200; i++) {
                now += random.nextInt(random.nextBoolean() ? 20 : 6_000);
                PresenceState state = random.nextInt(4) > 0 ? null : states[random.nextInt(4)];
                Verdict verdict = device.heard(state, now);
                if (state != null && state != emitted) {
                    assertThat(verdict).isEqualTo(Verdict.CHANGE);
                    emitted = state;
                } else if (verdict == Verdict.DUE) {
                    assertThat(now - lastUnchanged).isGreaterThanOrEqualTo(INTERVAL);
                    lastUnchanged = now;
                } else {
                    assertThat(verdict).isEqualTo(Verdict.TOO_SOON);
                }
            }
        }
    }
}
